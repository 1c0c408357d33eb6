"""A pipeline whose table of word clusters is smaller."""

from typing import Dict

from spacy.language import Language

from .lexeme_features import CLUSTER_TABLE


def prune_clusters(nlp: Language) -> None:
    """Keep the clusters of words that have a vector: in lower case, and, where their
    cluster is another one, capitalized and in capitals.

    To LexemeFeatures.v1 these words stay what they are, as it looks for the lower-case
    form of what it does not find. `Lexeme.cluster` becomes 0 for words that are left out.
    Does nothing where there are no vectors or no clusters.
    """
    lookups, vectors = nlp.vocab.lookups, nlp.vocab.vectors
    if not (vectors.key2row and lookups.has_table(CLUSTER_TABLE)):
        return
    table = lookups.get_table(CLUSTER_TABLE)
    kept: Dict[str, int] = {}
    for key in vectors.key2row:
        word = nlp.vocab.strings[key]
        lower = word.lower()
        for form in (lower, word, word.capitalize(), word.title(), word.upper()):
            cluster = table.get(form, 0)
            if cluster and (form == lower or cluster != table.get(lower, 0)):
                kept[form] = cluster
    lookups.remove_table(CLUSTER_TABLE)
    lookups.add_table(CLUSTER_TABLE, kept)
