"""pandas, or a sentence that says how to get it."""

try:
    import pandas
except ImportError as error:
    raise ImportError(
        "spacy_elmo_ner.predict makes DataFrames and needs pandas; install it with: "
        'pip install "spacy-elmo-ner[frames]"'
    ) from error

__all__ = ["pandas"]
