"""ELMo: Docs → one vector per token.

The way through this room, one file per station:

    options.py       the sizes of a biLM, and the published options.json
    char_ids.py      word → 50 byte ids, words → types
    char_cnn.py      byte ids → word vector, once per type
    packing.py       sentences of unequal length → rows that no step wastes
    bilm.py          word vectors and state → LSTM layers and state
    encoder.py       the two together: types and sentences → three layers per token
    layer_mix.py     layers → one vector per token
    weights.py       published HDF5 and our safetensors ⇄ the modules
    architecture.py  all of it as a Thinc model of Docs
    loader.py        weights → the pipeline, when it is initialized
    allennlp.py      the same contract, computed by AllenNLP

Source of the model: Peters et al. 2018, "Deep contextualized word representations"
(arXiv:1802.05365); of its file format: the published models and their options.json.
"""
