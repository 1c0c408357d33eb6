"""The published model, in torch alone: words → layers.

    options.py          the sizes of a biLM, and the published options.json
    char_ids.py         word → 50 byte ids, words → types
    char_cnn.py         byte ids → word vector, once per type
    char_convolution.py its convolutions, as sums of a table's rows
    word_cache.py       word vectors of words seen before
    lstm.py             word vectors and state → LSTM layers and state
    encoder.py          both together: types and sentences → three layers per token
    weights.py          arrays by their published names ⇄ the modules
    weight_files.py     arrays ⇄ published HDF5, and our safetensors

Source of the model: Peters et al. 2018, "Deep contextualized word representations"
(arXiv:1802.05365); of the file format: the published models and their options.json.
"""
