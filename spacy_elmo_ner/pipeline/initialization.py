"""What `ElmoNer.initialize` does: labels, sizes, and the weights to start from."""

import warnings
from functools import partial
from itertools import islice
from typing import Callable, Iterable, Optional

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example, validate_get_examples
from spacy.util import check_lexeme_norms

from .default_model import lacks_tables
from .default_pipeline import (
    default_labels,
    has_default_tok2vec,
    is_default_model,
    load_default_component,
    start_from_default,
    start_from_default_tagger,
)
from .examples import gold_labels, no_examples
from .labelled_pipe import LabelledPipe


def initialize(
    pipe: LabelledPipe,
    get_examples: Optional[Callable[[], Iterable[Example]]],
    nlp: Optional[Language],
    labels: Optional[Iterable[str]],
    trained_tagger: bool,
) -> None:
    """See `ElmoNer.initialize`, which calls it."""
    if get_examples is None:
        get_examples = partial(no_examples, pipe.vocab)
    validate_get_examples(get_examples, "ElmoNer.initialize")
    check_lexeme_norms(pipe.vocab, "named entity recognizer")
    if nlp is None and lacks_tables(pipe.model, pipe.vocab):
        raise ValueError(
            f"'{pipe.name}' starts from the weights of en_elmo_ner_sm, as its config "
            "says, but initialize() was not given the pipeline. Call "
            "nlp.initialize(); or initialize(nlp=nlp) for this component alone."
        )
    if isinstance(labels, str):
        raise ValueError(
            f"The labels of '{pipe.name}' are {labels!r}; give a list of labels."
        )
    if labels is not None:
        found, annotated = list(labels), True
    else:
        found, annotated = gold_labels(get_examples())
    default = None
    config = {} if nlp is None else nlp.get_pipe_config(_name_in(nlp, pipe))
    if config and has_default_tok2vec(config):
        if not annotated:
            if is_default_model(config) and {*pipe.labels} <= {*default_labels()}:
                load_default_component(pipe)
                return
            _warn_of_untrained_tagger(pipe)
        default = start_from_default(pipe)
        if default is not None and not (
            trained_tagger and annotated and is_default_model(config)
        ):
            default = None
    for label in found:
        pipe.know_label(label)
    docs = [example.predicted for example in islice(get_examples(), 10)]
    if not any(len(doc) for doc in docs):
        docs = [Doc(pipe.vocab, words=["a", "word"])]
    pipe.set_output(len(pipe.scheme.tags))
    pipe.model.initialize(X=docs)
    if default is not None and pipe.labels:
        start_from_default_tagger(pipe, default)


def _name_in(nlp: Language, pipe: LabelledPipe) -> str:
    """The component's name there: spaCy 3.3 does not tell it when it is renamed."""
    names = [name for name, component in nlp.components if component is pipe]
    return names[0] if names else pipe.name


def _warn_of_untrained_tagger(pipe: LabelledPipe) -> None:
    labels = ", ".join(pipe.labels) or "none"
    warnings.warn(
        f"'{pipe.name}' was initialized without examples of its labels ({labels}), so "
        "its tagger has learnt nothing yet and finds nothing. Give nlp.initialize() "
        "examples and train it; or leave the model at its default and add labels after "
        "nlp.initialize(), to begin with the tagger of the default pipeline.",
        stacklevel=4,
    )
