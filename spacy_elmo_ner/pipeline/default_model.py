"""The default model of `elmo_ner`: ELMo and features of each word, under a CRF tagger.

All its sizes are set here. The default pipeline has the weights that fit them.
"""

from typing import Any, Dict, List, Optional

from spacy.tokens import Doc
from spacy.vocab import Vocab
from thinc.api import Config, Model, concatenate
from thinc.types import Floats2d

from ..elmo.architecture import build_elmo_v1
from ..features.char_cnn import build_char_cnn_v1
from ..features.lexeme_features import CLUSTER_TABLE, build_lexeme_features_v1
from ..features.static_vectors import VECTORS, build_static_vectors_v1
from ..features.tables import is_empty

DEFAULT_MODEL = Config().from_str("""
[model]
@architectures = "spacy_elmo_ner.CrfTagger.v2"
hidden_width = 200
depth = 2
document_width = 128
precision = "auto"

[model.tok2vec]
@architectures = "spacy_elmo_ner.ElmoWithWordFeatures.v1"
precision = "auto"
""")["model"]

# the sizes of its ELMo, as arguments of Elmo.v1
DEFAULT_ELMO: Dict[str, Any] = {
    "lstm_width": 768,
    "projection_width": 256,
    "filters": [[1, 32], [2, 32], [3, 64], [4, 128], [5, 128], [6, 128]],
}

NODE_NAME = "elmo_with_word_features"


def build_elmo_with_word_features_v1(
    *,
    frozen: bool = True,
    precision: str = "float32",
    fine_tuned_words: int = 25_000,
    elmo: Optional[Model[List[Doc], List[Floats2d]]] = None,
) -> Model[List[Doc], List[Floats2d]]:
    """Join Elmo.v1, CharCnn.v1, LexemeFeatures.v1 and StaticVectors.v1 with
    JoinedTok2Vec.v1, in the sizes of the default pipeline.

    Like spaCy's HashEmbedCNN, it is one architecture for what could be joined in a
    config, so that the default of `elmo_ner` adds nothing to a user's own blocks.

    The vocab needs vectors and the table `lexeme_cluster`; `elmo_ner` takes those of the
    default pipeline if the vocab has none.

    Args:
        frozen: See Elmo.v1.
        precision: See Elmo.v1.
        fine_tuned_words: See StaticVectors.v1.
        elmo: A tok2vec to use instead of its own ELMo, such as a listener to one that
            other components share. `frozen` and `precision` are then set there.

    Returns:
        Docs → (tokens, nO) each.
    """
    tok2vec: Model[List[Doc], List[Floats2d]] = concatenate(
        build_char_cnn_v1(char_width=25, filters=[[3, 128]]),
        elmo or build_elmo_v1(**DEFAULT_ELMO, frozen=frozen, precision=precision),
        build_lexeme_features_v1(norm_width=0),
        build_static_vectors_v1(fine_tuned_words=fine_tuned_words),
    )
    tok2vec.name = NODE_NAME
    return tok2vec


def lacks_tables(model: Model[Any, Any], vocab: Vocab) -> bool:
    """Whether a model with this tok2vec and the vocab both lack vectors, or
    clusters."""
    nodes = list(model.walk())
    attrs = {name: value for node in nodes for name, value in node.attrs.items()}
    return any(node.name == NODE_NAME for node in nodes) and (
        (is_empty(attrs[VECTORS]) and is_empty(vocab.vectors))
        or not (attrs[CLUSTER_TABLE] or vocab.lookups.has_table(CLUSTER_TABLE))
    )
