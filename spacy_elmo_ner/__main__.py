"""`python -m spacy_elmo_ner`: the commands."""

from .cli.app import app

if __name__ == "__main__":
    app()
