"""A pipeline whose table of word clusters is smaller."""

from typing import Dict

from spacy.language import Language

from .lexeme_features import CLUSTER_TABLE


def prune_clusters(nlp: Language) -> None:
    """Keep the clusters of words that have a vector, and of the same words in lower case,
    capitalized and in capitals, where these are not in the lower-case word's cluster.

    To LexemeFeatures.v1 all these stay what they are, as it takes the lower-case word's
    cluster where it finds none. So it does for what is left out: words without a vector,
    and other mixtures of cases. `Lexeme.cluster` is 0 for them.
    Does nothing where there are no vectors or no clusters.
    """
    lookups, vectors = nlp.vocab.lookups, nlp.vocab.vectors
    if not (vectors.key2row and lookups.has_table(CLUSTER_TABLE)):
        return
    table = lookups.get_table(CLUSTER_TABLE)
    kept: Dict[str, int] = {}
    for key in vectors.key2row:
        if key not in nlp.vocab.strings:
            continue  # its word is lost
        word = nlp.vocab.strings[key]
        lower = word.lower()
        if lower in table:
            kept[lower] = table[lower]
        for form in (word, word.capitalize(), word.title(), word.upper()):
            if table.get(form, 0) not in (0, table.get(lower, 0)):
                kept[form] = table[form]
    lookups.remove_table(CLUSTER_TABLE)
    lookups.add_table(CLUSTER_TABLE, kept)
