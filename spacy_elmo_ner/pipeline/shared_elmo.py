"""Moving ELMo out of a component, into one of its own that others can listen to."""

from typing import Any, Dict, List, Tuple

from spacy.language import Language
from spacy.pipeline.tok2vec import Tok2VecListener
from spacy.util import replace_model_node, set_dot_to_object

from ..elmo.loader import elmo_nodes
from .default_model import DEFAULT_ELMO
from .default_pipeline import ARCHITECTURE, COMPONENT

SHARED = "tok2vec"
ELMO = "spacy_elmo_ner.Elmo.v1"
WITH_WORD_FEATURES = "spacy_elmo_ner.ElmoWithWordFeatures.v1"
LISTENER = "spacy.Tok2VecListener.v1"


def share_elmo(nlp: Language, component: str = COMPONENT) -> Language:
    """Move a component's ELMo into a `tok2vec` component before it, and return the pipeline.

    The component listens to it from then on, and finds what it found before. The vectors
    are in `doc.tensor`, and other components can listen to them, too.

    Args:
        nlp: The pipeline; it is changed in place.
        component: The name of the component that has the ELMo.

    Raises:
        ValueError: If the pipeline has no such component, the component has no Elmo.v1 of
            its own, or more than one, or the pipeline has a `tok2vec` already.
    """
    if component not in nlp.pipe_names:
        raise ValueError(
            f"The pipeline has no component '{component}' whose ELMo could be shared; it "
            f"has {', '.join(nlp.pipe_names) or 'none'}."
        )
    if SHARED in nlp.component_names:
        raise ValueError(
            f"The pipeline already has a component '{SHARED}'. Rename it with "
            f"nlp.rename_pipe, or let '{component}' listen to it in the config."
        )
    pipe: Any = nlp.get_pipe(component)
    places = _places("model", nlp.get_pipe_config(component)["model"])
    if len(places) != 1:
        raise ValueError(
            f"'{component}' has {len(places)} {ELMO} of its own, but to share it there "
            "must be exactly one."
        )
    (path, elmo), (node,) = places[0], elmo_nodes(pipe.model)
    shared: Any = nlp.add_pipe(SHARED, before=component, config={"model": elmo})
    shared.model = node
    width = node.get_dim("nO")
    listener = Tok2VecListener(SHARED, width)
    replace_model_node(pipe.model, node, listener)
    shared.add_listener(listener, component)
    # the reverse of what nlp.replace_listeners does
    set_dot_to_object(
        nlp._pipe_configs[component],
        path,
        {ARCHITECTURE: LISTENER, "width": width, "upstream": SHARED},
    )
    return nlp


def _places(path: str, block: Any) -> List[Tuple[str, Dict[str, Any]]]:
    """Where in a config an ELMo is or belongs, and the block that makes it."""
    if not isinstance(block, dict):
        return []
    if block.get(ARCHITECTURE) == ELMO:
        return [(path, block)]
    if block.get(ARCHITECTURE) == WITH_WORD_FEATURES and not block.get("elmo"):
        own = {name: block[name] for name in ("frozen", "precision")}
        return [(f"{path}.elmo", {ARCHITECTURE: ELMO, **DEFAULT_ELMO, **own})]
    return [
        place
        for name, part in block.items()
        for place in _places(f"{path}.{name}", part)
    ]
