"""The `elmo_ner` component: named entities by a CRF tagger, over ELMo by default."""

import warnings
from functools import partial
from itertools import islice
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional

from spacy.language import Language
from spacy.tokens import Doc, SpanGroup
from spacy.tokens import Span as DocSpan
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.util import check_lexeme_norms, minibatch
from spacy.vocab import Vocab
from thinc.api import Config, Optimizer

from ..kernels.threads import free_threads, map_in_threads, own_threads
from ..tagger.potentials import Potentials, Tagger, longest_sentence
from ..text.words import has_words
from .constraints import blocked_tokens
from .decoding import Entities, decode
from .default_model import DEFAULT_MODEL, lacks_tables
from .default_pipeline import (
    default_labels,
    has_default_tok2vec,
    is_default_model,
    load_default_component,
    start_from_default,
)
from .examples import gold_labels, has_addresses, no_examples
from .labelled_pipe import LabelledPipe
from .learning import learn
from .long_docs import find_in_parts
from .loss import Loss, likelihood_loss, rehearsal_loss
from .settings import new_cfg

DEFAULT_CONFIG = Config(
    {
        "tag_scheme": "BILUO",
        "threshold": None,
        "scores_key": None,
        "incorrect_spans_key": None,
        "line_is_sentence": None,
        "addresses": None,
        "scorer": {"@scorers": "spacy.ner_scorer.v1"},
        "model": DEFAULT_MODEL,
    }
)

# Docs are predicted together up to so many tokens, which bounds memory.
PREDICT_TOKENS = 5_000


@Language.factory(
    "elmo_ner",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type"],
    default_config=DEFAULT_CONFIG,
    default_score_weights={
        "ents_f": 1.0,
        "ents_p": 0.0,
        "ents_r": 0.0,
        "ents_per_type": None,
    },
)
def make_elmo_ner(
    nlp: Language,
    name: str,
    model: Tagger,
    tag_scheme: str,
    threshold: Optional[float],
    scores_key: Optional[str],
    incorrect_spans_key: Optional[str],
    line_is_sentence: Optional[bool],
    addresses: Optional[bool],
    scorer: Optional[Callable[..., Dict[str, Any]]],
) -> "ElmoNer":
    """Make the component that `nlp.add_pipe("elmo_ner")` adds; see `ElmoNer`."""
    return ElmoNer(
        nlp.vocab,
        model,
        name,
        tag_scheme=tag_scheme,
        threshold=threshold,
        scores_key=scores_key,
        incorrect_spans_key=incorrect_spans_key,
        line_is_sentence=line_is_sentence,
        addresses=addresses,
        scorer=scorer,
    )


class ElmoNer(LabelledPipe):
    """Finds named entities and writes them to `doc.ents`.

    Entities and blocked tokens that a Doc brings along stay as they are.

    None leaves a setting to the component: it has the default, or what is set in `cfg`,
    which is saved; see `settings.settle`. A setting that makes no sense is refused when it
    is used.

    Args:
        vocab: The pipeline's.
        model: Docs → Potentials, as CrfTagger.v2 makes it; tagger/potentials.py says what
            one of your own has to do.
        name: The name of the component in the pipeline.
        tag_scheme: How entities are written as tags, "BILUO" or "BIO".
        threshold: Entities with a lower probability are dropped; 0, the default, keeps all.
        scores_key: If set, `doc.spans[scores_key]` holds the entities that this component
            found, with their probabilities in `.attrs["scores"]`.
        incorrect_spans_key: If set, `doc.spans[incorrect_spans_key]` of a gold Doc holds
            spans that are known not to be entities, for training.
        line_is_sentence: Whether each line of a text is a sentence of its own. Without it,
            a line break that only wraps a line is passed over. Docs that have sentence
            boundaries are cut there alone.
        addresses: Whether an e-mail address, a URL or a token with markup in it may be part
            of an entity. By default, training on gold entities of such tokens sets it.
        scorer: Scores Examples, as spaCy's `ner_scorer` does.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Tagger,
        name: str = "elmo_ner",
        *,
        tag_scheme: str = "BILUO",
        threshold: Optional[float] = None,
        scores_key: Optional[str] = None,
        incorrect_spans_key: Optional[str] = None,
        line_is_sentence: Optional[bool] = None,
        addresses: Optional[bool] = None,
        scorer: Optional[Callable[..., Dict[str, Any]]] = None,
    ):
        cfg = new_cfg(
            tag_scheme=tag_scheme,
            threshold=threshold,
            scores_key=scores_key,
            incorrect_spans_key=incorrect_spans_key,
            line_is_sentence=line_is_sentence,
            addresses=addresses,
        )
        super().__init__(vocab, model, name, cfg)
        self.scorer = scorer
        self._rehearsal_model: Optional[Tagger] = None

    def initialize(
        self,
        get_examples: Optional[Callable[[], Iterable[Example]]] = None,
        *,
        nlp: Optional[Language] = None,
        labels: Optional[Iterable[str]] = None,
    ) -> None:
        """Learn the labels and sizes from examples.

        A component with the default tok2vec starts from the ELMo of the default pipeline,
        where no other was loaded, and from its vectors and clusters, where the vocab has
        none. With the default model, no gold entity annotation and no labels but those of
        the default pipeline, it takes over all labels and weights.

        Args:
            get_examples: Returns the examples, of which a few are read.
            nlp: The pipeline, whose config says what the model is. In one that is trained
                already, `nlp.add_pipe("elmo_ner").initialize(nlp=nlp)` leaves the others
                as they are.
            labels: From `spacy init labels`; otherwise they are read off the examples.

        Raises:
            ValueError: If the default pipeline is needed and not installed, or labels are
                given as one string.
        """
        if get_examples is None:
            get_examples = partial(no_examples, self.vocab)
        validate_get_examples(get_examples, "ElmoNer.initialize")
        check_lexeme_norms(self.vocab, "named entity recognizer")
        if nlp is None and lacks_tables(self.model, self.vocab):
            raise ValueError(
                f"'{self.name}' starts from the weights of en_elmo_ner_sm, as its config "
                "says, but initialize() was not given the pipeline. Call "
                "nlp.initialize(); or initialize(nlp=nlp) for this component alone."
            )
        if isinstance(labels, str):
            raise ValueError(
                f"The labels of '{self.name}' are {labels!r}; give a list of labels."
            )
        if labels is not None:
            found, annotated = list(labels), True
        else:
            found, annotated = gold_labels(get_examples())
        config = {} if nlp is None else nlp.get_pipe_config(self._name_in(nlp))
        if config and has_default_tok2vec(config):
            if not annotated:
                if is_default_model(config) and {*self.labels} <= {*default_labels()}:
                    load_default_component(self)
                    return
                self._warn_of_untrained_tagger()
            start_from_default(self)
        for label in found:
            self.know_label(label)
        docs = [example.predicted for example in islice(get_examples(), 10)]
        if not any(len(doc) for doc in docs):
            docs = [Doc(self.vocab, words=["a", "word"])]
        self.set_output(len(self.scheme.tags))
        self.model.initialize(X=docs)

    def _name_in(self, nlp: Language) -> str:
        """The name that it has there: spaCy 3.3 does not tell it when it is renamed."""
        names = [name for name, pipe in nlp.components if pipe is self]
        return names[0] if names else self.name

    def _warn_of_untrained_tagger(self) -> None:
        labels = ", ".join(self.labels) or "none"
        warnings.warn(
            f"'{self.name}' was initialized without examples of its labels ({labels}), so "
            "its tagger has learnt nothing yet and finds nothing. Give nlp.initialize() "
            "examples and train it; or leave the model as it is by default and add labels "
            "after nlp.initialize(), to begin with the tagger of the default pipeline.",
            stacklevel=3,
        )

    def predict(self, docs: Iterable[Doc]) -> List[Entities]:
        """Find the entities of each Doc. The Docs are not changed.

        A Doc of more than PREDICT_TOKENS is read in parts, each with whole sentences, and
        a sentence that is longer than the model's windows in parts that overlap.

        Args:
            docs: Docs with or without words.

        Returns:
            The entities of each Doc, which `set_annotations` takes.
        """
        self.use_settings()
        with own_threads(self.model.ops.device_type):
            return find_in_parts(
                self._find,
                list(docs),
                most=PREDICT_TOKENS,
                longest=longest_sentence(self.model) or PREDICT_TOKENS,
                line_is_sentence=self.cfg["line_is_sentence"],
                n_threads=free_threads(self.model.ops.device_type),
            )

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Find the entities of a stream of Docs, several batches at a time.

        Args:
            stream: The Docs, which are read a few batches ahead.
            batch_size: How many Docs a thread reads together.

        Yields:
            The Docs, in order.
        """
        n_threads = free_threads(self.model.ops.device_type)
        if getattr(self.vocab, "in_memory_zone", False):
            # a thread must not read Docs whose zone has ended
            n_threads = 1
        batches = minibatch(stream, batch_size)
        handle_error = self.get_error_handler()
        for docs, entities in map_in_threads(self.predict, batches, n_threads):
            try:
                self.set_annotations(docs, entities())
            except Exception as error:
                handle_error(self.name, self, docs, error)
            else:
                yield from docs

    def _find(self, docs: List[Doc]) -> List[Entities]:
        wants_scores = self.cfg["scores_key"] is not None or self.cfg["threshold"] > 0
        if not has_words(docs):
            return [Entities([], [] if wants_scores else None) for _ in docs]
        return decode(
            docs,
            self.model.predict(docs),
            self.scheme,
            with_probabilities=wants_scores,
            addresses=bool(self.cfg["addresses"]),
        )

    def set_annotations(self, docs: Iterable[Doc], entities: List[Entities]) -> None:
        """Write entities to `doc.ents`, beside those that are there already.

        Args:
            docs: The Docs that were read.
            entities: What `predict` found in each.
        """
        for doc, (spans, probabilities) in zip(docs, entities, strict=True):
            kept = list(doc.ents)
            blocked_places = blocked_tokens(doc)
            taken = {token.i for ent in kept for token in ent}.union(blocked_places)
            new, scores = [], []
            for i, (start, end, label) in enumerate(spans):
                probability = 1.0 if probabilities is None else probabilities[i]
                is_free = taken.isdisjoint(range(start, end))
                if probability >= self.cfg["threshold"] and is_free:
                    new.append(DocSpan(doc, start, end, label=label))
                    scores.append(probability)
            blocked = [doc[i : i + 1] for i in blocked_places]
            doc.set_ents(kept + new, blocked=blocked, default="outside")
            if self.cfg["scores_key"] is not None:
                doc.spans[self.cfg["scores_key"]] = SpanGroup(
                    doc,
                    name=self.cfg["scores_key"],
                    spans=new,
                    attrs={"scores": scores},
                )

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optional[Optimizer] = None,
        losses: Optional[Dict[str, float]] = None,
    ) -> Dict[str, float]:
        """Learn from a batch of examples.

        Args:
            examples: Predicted and gold Docs. A gold Doc without entity annotation teaches
                nothing; missing values in one are unknown, not outside.
            drop: The dropout rate.
            sgd: The optimizer. Without one, gradients are kept for `finish_update`.
            losses: The loss is added to what it has under the component's name.

        Returns:
            The losses.
        """
        examples = list(examples)
        validate_examples(examples, "ElmoNer.update")
        if self.cfg.get("addresses") is None and has_addresses(examples):
            self.cfg["addresses"] = True
        return learn(self, examples, self.get_loss, drop=drop, sgd=sgd, losses=losses)

    def get_loss(self, examples: Iterable[Example], scores: Potentials) -> Loss:
        """Compute the negative log-likelihood of the gold entities.

        Args:
            examples: Predicted and gold Docs.
            scores: What the model made of the predicted ones.

        Returns:
            The loss and its gradient.

        Raises:
            ValueError: If the loss is not a number.
        """
        loss = likelihood_loss(
            list(examples),
            scores,
            self.scheme,
            incorrect_spans_key=self.cfg["incorrect_spans_key"],
        )
        if loss[0] != loss[0]:
            raise ValueError(
                f"The loss of '{self.name}' is not a number. Lower the learning rate "
                "or set grad_clip in [training.optimizer], and start again from the "
                "last saved pipeline."
            )
        return loss

    def rehearse(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optional[Optimizer] = None,
        losses: Optional[Dict[str, float]] = None,
    ) -> Dict[str, float]:
        """Stay close to what the component said when `nlp.resume_training` was called.

        Labels that were added since then are free to be learnt.

        Args:
            examples: Docs to be read; gold annotation is not looked at.
            drop: The dropout rate.
            sgd: The optimizer. Without one, gradients are kept for `finish_update`.
            losses: The loss is added to what it has under the component's name.

        Returns:
            The losses.
        """
        examples = list(examples)
        validate_examples(examples, "ElmoNer.rehearse")
        if self._rehearsal_model is None:
            examples = []
        return learn(
            self, examples, self._rehearsal_loss, drop=drop, sgd=sgd, losses=losses
        )

    def _rehearsal_loss(self, examples: List[Example], scores: Potentials) -> Loss:
        assert self._rehearsal_model is not None
        teacher = self._rehearsal_model.predict([one.predicted for one in examples])
        return rehearsal_loss(scores, teacher, self.scheme)
