"""`._.probability` of entities and tokens, and of Docs that are one of several readings.

spaCy keeps the values in `doc.user_data`, so they are saved with the Doc.
"""

from spacy.tokens import Doc, Span, Token

PROBABILITY = "probability"


def register_extensions() -> None:
    """Register `._.probability`, which is None where nobody asked for it."""
    for kind in (Doc, Span, Token):
        if not kind.has_extension(PROBABILITY):
            kind.set_extension(PROBABILITY, default=None)
