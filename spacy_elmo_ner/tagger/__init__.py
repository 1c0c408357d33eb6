"""Token vectors to entity tags: tag schemes, CRF, and the network that feeds it.

architecture.py      Docs → Potentials, the Thinc model
potentials.py        what a tagger returns to the component; the contract for your own
sentence_rows.py     Docs → their sentences as rows of one batch
row_parts.py         a batch of rows in parts of limited size
network.py           features → tag scores: BiLSTM (bilstm.py) and a view of the whole Doc
                     (document_context.py)
tag_schemes.py       entities ⇄ tags, and which tag may follow which
gold_tags.py         spaCy's gold annotation, made safe for parts of a text
parameters.py        the CRF's parameters
crf.py               likelihood, marginals, span probabilities
viterbi.py           the best paths
forward_backward.py  the recursions behind crf.py
transitions.py       a single step of them, fast for many tags
"""
