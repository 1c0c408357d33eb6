"""ELMo in Thinc and spaCy: Docs → one vector per token.

thinc_node.py    the Thinc node around a network: Docs in, arrays out
network.py       the biLM's encoder and the mix, in batches that fit into memory
layer_mix.py     layers → one vector per token
layer_cache.py   layers of sentences seen before, on disk, for training
architecture.py  Elmo.v1, our own modules in that node
allennlp.py      AllenNLPElmo.v1, AllenNLP's modules in that node
loader.py        weights → the pipeline, when it is initialized
cache_loader.py  the same for the cache of layers
"""
