"""What a table has to know of the pipeline that makes its Docs."""

from typing import Any, Dict, Sequence

from spacy.language import Language
from spacy.tokens import Doc

from ..pipeline.components import elmo_ners


def sets_entities(nlp: Language, docs: Sequence[Doc]) -> bool:
    """Whether the pipeline is known to set entities, from what its components declare
    or from some of its Docs. It is not known yet if none of these has a token.

    Raises:
        ValueError: If it has set none, not even that there are none.
    """
    metas = [nlp.get_pipe_meta(name) for name in nlp.pipe_names]
    if any("doc.ents" in meta.assigns for meta in metas):
        return True
    docs = [doc for doc in docs if len(doc)]
    if docs and not any(doc.has_annotation("ENT_IOB") for doc in docs):
        raise no_entities(nlp)
    return len(docs) > 0


def no_entities(nlp: Language) -> ValueError:
    """The error for a pipeline that sets none."""
    names = ", ".join(nlp.pipe_names) or "none"
    return ValueError(
        f"The pipeline finds no entities; its components are: {names}. Add one that "
        'does, with nlp.add_pipe("elmo_ner", source=spacy_elmo_ner.load()), or let a '
        'component of your own declare assigns=["doc.ents"].'
    )


def line_is_sentence(nlp: Language) -> bool:
    """Whether its `elmo_ner` takes each line for a sentence."""
    return any(pipe.cfg["line_is_sentence"] for pipe in elmo_ners(nlp).values())


def settings_of_call(
    nlp: Language, *, probabilities: bool
) -> Dict[str, Dict[str, Any]]:
    """The `component_cfg` of a call that asks `elmo_ner` for probabilities, or not."""
    if not probabilities:
        return {}
    return {name: {"probabilities": True} for name in elmo_ners(nlp)}
