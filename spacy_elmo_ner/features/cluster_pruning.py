"""A model whose table of word clusters is smaller."""

from typing import Callable, Set, Tuple

from spacy.lookups import Table
from spacy.strings import StringStore
from spacy.vectors import Vectors

FORMS: Tuple[Callable[[str], str], ...] = (
    str.lower,
    str.capitalize,
    str.title,
    str.upper,
)


def prune_clusters(table: Table, vectors: Vectors, strings: StringStore) -> Table:
    """The clusters of words that have a vector, and of the same words in lower case,
    capitalized and in capitals, where these are not in the lower-case word's cluster.

    To LexemeFeatures.v1 all these stay what they are, as it takes the lower-case word's
    cluster where it finds none. So it does for what is left out: words without a vector,
    and other mixtures of cases. What stands in the table under a key whose word is lost
    stays there.
    """
    words = {strings[key] for key in vectors.key2row if key in strings}
    forms: Set[str] = words.union(*(set(map(form, words)) for form in FORMS))

    def says_something(key: int, cluster: int) -> bool:
        if key not in strings:  # type: ignore[operator]
            return True
        word = strings[key]
        lower = word.lower()
        return word in forms and (word == lower or cluster != table.get(lower, 0))

    kept = {key: value for key, value in table.items() if says_something(key, value)}
    return Table(name=table.name, data=kept)
