"""The component `elmo_ner`: Docs → doc.ents.

elmo_ner.py        the component: initialize, predict, set_annotations, update, rehearse
initialization.py  labels, sizes, and the weights to start from
labelled_pipe.py   labels, and the settings that its model has to know
settings.py        the settings, and which of them take effect
checked_pipe.py    saving and loading, with checksums
long_docs.py       long Docs in parts, and the entities of the parts joined
decoding.py        Potentials → entities and their probabilities
annotation.py      entities and probabilities → the Doc
selection.py       which entities are kept, by label and probability
extensions.py      `._.probability`
readings.py        the k best ways to read a Doc
constraints.py     what a Doc already says about its entities
learning.py        one update
loss.py            losses and their gradients
loading.py         loading a pipeline by name, and what is wrong with its files
components.py      the components of a pipeline
examples.py        what examples say before training
"""
