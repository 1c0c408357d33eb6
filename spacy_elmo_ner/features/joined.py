"""Several tok2vecs as one: `JoinedTok2Vec.v1`."""

from typing import Any, Dict

from thinc.api import concatenate

from .tok2vec import Tok2Vec


def build_joined_tok2vec_v1(tok2vecs: Dict[str, Any]) -> Tok2Vec:
    """Join several tok2vecs: a token's vectors are concatenated.

    Args:
        tok2vecs: One block each in the config, `[….tok2vecs.elmo]` and so on. They are
            joined in alphabetical order of their names.

    Raises:
        ValueError: If there is none.
    """
    if not tok2vecs:
        raise ValueError(
            "JoinedTok2Vec.v1 has nothing to join. Give it at least one tok2vec, "
            "in a config block such as [components.elmo_ner.model.tok2vec.tok2vecs"
            '.chars] with @architectures = "spacy_elmo_ner.CharCnn.v1".'
        )
    models = [tok2vecs[name] for name in sorted(tok2vecs)]
    return models[0] if len(models) == 1 else concatenate(*models)
