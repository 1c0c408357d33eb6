"""A batch of sentences in parts, so that padding takes little memory."""

from typing import Iterator, List, Tuple

from .sentence_rows import SentenceRows

# The numbers in a padded part; as float32 they take 16 MB. With few tags a batch is
# nearly always one part.
MOST_NUMBERS = 2**22


def row_parts(
    rows: SentenceRows, width: int
) -> Iterator[Tuple[List[int], SentenceRows]]:
    """Divide the sentences of a batch into parts.

    A padded part has at most MOST_NUMBERS numbers, or is one sentence. If there are several
    parts, each has sentences of similar lengths.

    Args:
        rows: The batch.
        width: How many numbers there are for each token.

    Yields:
        The places in `rows` of a part's sentences, and these sentences as rows.
    """
    lengths = rows.lengths.tolist()
    if max(lengths, default=0) * len(lengths) * width <= MOST_NUMBERS:
        yield list(range(len(lengths))), rows
        return
    places: List[int] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        # the longest so far
        if places and lengths[place] * (len(places) + 1) * width > MOST_NUMBERS:
            yield places, SentenceRows([rows.spans[i] for i in places])
            places = []
        places.append(place)
    yield places, SentenceRows([rows.spans[i] for i in places])
