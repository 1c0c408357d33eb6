"""A batch of sentences in parts, so that padding takes little memory."""

from typing import Iterator, List, Tuple

from .sentence_rows import SentenceRows

# The numbers of a padded part; of float32 they take 16 MB. With few tags a batch is
# nearly always one part.
MOST_NUMBERS = 2**22


def row_parts(
    rows: SentenceRows, width: int
) -> Iterator[Tuple[List[int], SentenceRows]]:
    """The places of some sentences in `rows`, and these sentences as rows.

    width: numbers of a token. A padded part has at most MOST_NUMBERS, or is one
        sentence. Where there are several, each has sentences of similar lengths.
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
