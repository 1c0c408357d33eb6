"""What Streamlit runs for `demo`; the pipelines to choose from are its arguments."""

import sys

from spacy_elmo_ner.cli.loading import load_pipeline
from spacy_elmo_ner.serving.demo import page

page(sys.argv[1:], load_pipeline)
