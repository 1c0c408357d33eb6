"""Tag paths that are known, for the tests of tag schemes and of the CRF."""

from typing import Sequence

import numpy as np
from numpy.typing import NDArray

from spacy_elmo_ner.tagger.tag_schemes import Span, TagScheme


def path_of(scheme: TagScheme, spans: Sequence[Span], length: int) -> NDArray[np.int64]:
    """The tags of a sequence with these entities, which do not overlap."""
    tags = np.zeros(length, np.int64)
    for start, end, label in spans:
        tags[start:end] = scheme.span_tags(end - start, label)
    return tags
