"""The punctuation that ends a sentence."""

from spacy.tokens import Doc

SENTENCE_END = frozenset(".!?…。！？")
# what may still belong to a sentence after its final punctuation
CLOSING = frozenset("\"'”’»)]}")


def ends_sentence(doc: Doc, i: int) -> bool:
    """Whether the i-th token follows final punctuation, closed or not."""
    while i and doc[i - 1].text in CLOSING:
        i -= 1
    return bool(i) and doc[i - 1].text in SENTENCE_END
