"""The settings of `elmo_ner` where the user gives none."""

from thinc.api import Config

DEFAULT_CONFIG = Config().from_str("""
[elmo_ner]
tag_scheme = "BILUO"
threshold = 0.0
scores_key = null
incorrect_spans_key = null
line_is_sentence = false
addresses = false

[elmo_ner.scorer]
@scorers = "spacy.ner_scorer.v1"

[elmo_ner.model]
@architectures = "spacy_elmo_ner.CrfTagger.v2"
hidden_width = 200
depth = 2
document_width = 128

[elmo_ner.model.tok2vec]
@architectures = "spacy_elmo_ner.ElmoWithWordFeatures.v1"
""")["elmo_ner"]
