"""ELMo: Docs → one vector per token.

The way through this room, one file per station:

    options.py       the sizes of a biLM, and the published options.json
    char_ids.py      word → 50 byte ids, words → types
    char_cnn.py      byte ids → word vector, once per type
    convolution.py   its convolutions, to learn
    convolution_table.py  and for prediction, as sums of a table's rows
    ../packing.py    sentences of unequal length → rows that no step wastes
    bilm.py          word vectors and state → LSTM layers and state
    ../products.py   the matrix products of both, the same in any batch
    fast_lstm.py     bilm.py's LSTM for prediction on a CPU
    ../side_by_side.py  both directions, and parts of the work on a few new words, at once
    without_gil.py   so that they do not wait for each other in Python
    prepared_products.py  products with weights laid out for the CPU
    int8_products.py  the same in int8
    usual_rows.py    what both want: few different numbers of rows
    weighted_rows.py  and what is faster for a single row
    ../fork_safe_lock.py  what threads share, and forked processes too
    prepared.py      what is made from weights, kept until they change
    encoder.py       the two together: types and sentences → three layers per token
    layer_mix.py     layers → one vector per token
    word_cache.py    word vectors of the words met before
    layer_cache.py   layers of the sentences met before, on disk, for training
    network.py       encoder and mix, in batches that fit into memory
    node.py          the Thinc node around a network: Docs in, arrays out
    architecture.py  Elmo.v1, our own modules in that node
    allennlp.py      AllenNLPElmo.v1, AllenNLP's modules in it
    weights.py       arrays by their published names ⇄ the modules
    weight_files.py  arrays ⇄ published HDF5, and our safetensors
    loader.py        weights → the pipeline, when it is initialized
    cache_loader.py  the same for the cache of layers

Source of the model: Peters et al. 2018, "Deep contextualized word representations"
(arXiv:1802.05365); of its file format: the published models and their options.json.
"""
