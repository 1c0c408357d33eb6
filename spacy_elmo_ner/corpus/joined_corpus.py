"""Several corpora as one."""

from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterable, Iterator, Optional

from spacy.language import Language
from spacy.training import Example

from .reader import Augmenter, augmented

Corpus = Callable[[Language], Iterable[Example]]


def create_joined_corpus_v1(
    *,
    corpora: Dict[str, Any],
    times: Optional[Dict[str, int]] = None,
    augmenter: Optional[Augmenter] = None,
) -> Corpus:
    """`spacy_elmo_ner.JoinedCorpus.v1`: read Examples from several corpora, in the order of
    their names.

    Args:
        corpora: The readers, one block each in the config.
        times: How often a corpus is read in an epoch; once if it is not listed.
        augmenter: Makes other Examples from an Example, which are read instead; it is
            called again each time.

    Raises:
        ValueError: If there is no corpus, one is not a reader, or `times` has an
            unknown name or is negative.
    """
    times = times or {}
    if not corpora:
        raise ValueError("JoinedCorpus has no corpora; give it at least one block.")
    for name, corpus in corpora.items():
        if not callable(corpus):
            raise ValueError(
                f"JoinedCorpus has {corpus!r} as its corpus {name!r}; give it a block with "
                "@readers."
            )
    for name, count in times.items():
        if name not in corpora:
            raise ValueError(
                f"JoinedCorpus has times for {name!r}, but its corpora are "
                f"{', '.join(sorted(corpora))}."
            )
        if count < 0:
            raise ValueError(
                f"JoinedCorpus cannot read {name!r} {count} times; give 0 or more."
            )
    return JoinedCorpus(corpora, times, augmenter)


@dataclass
class JoinedCorpus:
    """See `create_joined_corpus_v1`."""

    corpora: Dict[str, Corpus]
    times: Dict[str, int]
    augmenter: Optional[Augmenter]

    def __call__(self, nlp: Language) -> Iterator[Example]:
        return augmented(nlp, self._examples(nlp), self.augmenter)

    def _examples(self, nlp: Language) -> Iterator[Example]:
        for name in sorted(self.corpora):
            for _ in range(self.times.get(name, 1)):
                yield from self.corpora[name](nlp)
