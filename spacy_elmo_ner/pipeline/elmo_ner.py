"""The `elmo_ner` component: named entities by a CRF tagger, over ELMo by default."""

from functools import partial
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    Optional,
    Sequence,
    Tuple,
    Union,
)

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example, validate_examples
from spacy.util import minibatch
from spacy.vocab import Vocab
from thinc.api import Config, Optimizer

from ..kernels.map_in_threads import map_in_threads
from ..kernels.threads import free_threads, own_threads
from ..tagger.potentials import Potentials, Tagger, longest_sentence
from ..text.words import has_words
from .annotation import annotate
from .decoding import Entities, decode, no_entities
from .default_model import DEFAULT_MODEL
from .examples import has_addresses
from .extensions import register_extensions
from .initialization import initialize
from .labelled_pipe import LabelledPipe
from .learning import learn
from .long_docs import Found, find_in_parts, joined
from .loss import Loss, likelihood_loss, rehearsal_loss
from .readings import Reading, SentenceReadings, combine, join_parts, read_sentences
from .scoring import judged_examples
from .selection import needs_probabilities
from .settings import SETTINGS, cfg_for_call, new_cfg

register_extensions()

DEFAULT_CONFIG = Config(
    {
        "tag_scheme": "BILUO",
        # left to the component, see ElmoNer
        **dict.fromkeys(SETTINGS),
        "scorer": {"@scorers": "spacy.ner_scorer.v1"},
        "model": DEFAULT_MODEL,
    }
)

# Docs are predicted together up to this many tokens, to bound memory.
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
    threshold: Union[float, Dict[str, float], None],
    allow_labels: Optional[List[str]],
    deny_labels: Optional[List[str]],
    temperature: Optional[float],
    probabilities: Optional[bool],
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
        allow_labels=allow_labels,
        deny_labels=deny_labels,
        temperature=temperature,
        probabilities=probabilities,
        scores_key=scores_key,
        incorrect_spans_key=incorrect_spans_key,
        line_is_sentence=line_is_sentence,
        addresses=addresses,
        scorer=scorer,
    )


class ElmoNer(LabelledPipe):
    """Finds named entities and writes them to `doc.ents`.

    Entities and blocked tokens that a Doc already has stay as they are.

    None leaves a setting to the component: it has the default, or what is set in `cfg`,
    which is saved; see `settings.settle`. Invalid settings are refused when they are
    used.

    Args:
        vocab: The pipeline's vocab.
        model: Docs → Potentials, as CrfTagger.v2 makes it; tagger/potentials.py says what
            a model of your own has to do.
        name: The name of the component in the pipeline.
        tag_scheme: How entities are written as tags, "BILUO" or "BIO".
        threshold: Entities with a lower probability are dropped; 0, the default, keeps all.
            A dict gives some labels their own.
        allow_labels: If given, entities with other labels are dropped.
        deny_labels: Entities with these labels are dropped.
        temperature: Divides all scores before probabilities are computed; what is found
            stays the same. The command `calibrate` finds the right one. 1 by default.
        probabilities: Whether entities and tokens get their `._.probability`. By default
            they do not, as it takes time; entities also get it where a threshold
            or `scores_key` needs it.
        scores_key: If set, `doc.spans[scores_key]` holds the entities that this component
            found, with their probabilities in `.attrs["scores"]`.
        incorrect_spans_key: If set, `doc.spans[incorrect_spans_key]` of a gold Doc holds
            spans that are known not to be entities, for training.
        line_is_sentence: Whether each line of a text is a sentence of its own. Without it,
            a line break that only wraps a line is ignored. Docs that have sentence
            boundaries are split only there.
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
        threshold: Union[float, Dict[str, float], None] = None,
        allow_labels: Optional[List[str]] = None,
        deny_labels: Optional[List[str]] = None,
        temperature: Optional[float] = None,
        probabilities: Optional[bool] = None,
        scores_key: Optional[str] = None,
        incorrect_spans_key: Optional[str] = None,
        line_is_sentence: Optional[bool] = None,
        addresses: Optional[bool] = None,
        scorer: Optional[Callable[..., Dict[str, Any]]] = None,
    ):
        cfg = new_cfg(
            tag_scheme=tag_scheme,
            threshold=threshold,
            allow_labels=allow_labels,
            deny_labels=deny_labels,
            temperature=temperature,
            probabilities=probabilities,
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
        trained_tagger: bool = True,
    ) -> None:
        """Learn the labels and sizes from examples.

        A component with the default tok2vec starts from the ELMo of the default
        pipeline, if no other was loaded, and from its vectors and clusters, if the
        vocab has none. With the default model and nothing loaded, its tagger starts
        from the trained one: a label that the default pipeline knows starts from what
        was learned there, any other from the mean of all. With no gold entity
        annotation and no labels but those of the default pipeline, it takes over all
        labels and weights.

        Args:
            get_examples: Returns the examples; only a few are read.
            nlp: The pipeline, whose config says what the model is. In a pipeline that
                is already trained, `nlp.add_pipe("elmo_ner").initialize(nlp=nlp)`
                leaves the other components as they are.
            labels: From `spacy init labels`; otherwise they are read from the examples.
            trained_tagger: Whether the tagger starts from that of the default pipeline.

        Raises:
            ValueError: If the default pipeline is needed but not installed, or labels
                are given as one string.
        """
        initialize(self, get_examples, nlp, labels, trained_tagger)

    def __call__(self, doc: Doc, **settings: Any) -> Doc:
        """Find the entities of a Doc.

        Args:
            doc: The Doc, which is changed.
            **settings: Settings for this call, instead of those in `cfg`: threshold,
                allow_labels, deny_labels, temperature, probabilities, scores_key. With a
                pipeline: `nlp(text, component_cfg={"elmo_ner": {"threshold": 0.9}})`.

        Returns:
            The Doc.
        """
        # nlp.pipe leaves it in the dict that it is given
        settings.pop("batch_size", None)
        try:
            self.set_annotations([doc], self.predict([doc], **settings), **settings)
        except Exception as error:
            self.get_error_handler()(self.name, self, [doc], error)
        return doc

    def pipe(
        self, stream: Iterable[Doc], *, batch_size: int = 128, **settings: Any
    ) -> Iterator[Doc]:
        """Find the entities of a stream of Docs, several batches at a time.

        Args:
            stream: The Docs, which are read a few batches ahead.
            batch_size: How many Docs a thread reads together.
            **settings: Settings for this call, see `__call__`.

        Yields:
            The Docs, in order.
        """
        n_threads = free_threads(self.model.ops.device_type)
        if getattr(self.vocab, "in_memory_zone", False):
            # a thread must not read Docs whose zone has ended
            n_threads = 1
        batches = minibatch(stream, batch_size)
        predict = partial(self.predict, **settings)
        handle_error = self.get_error_handler()
        for docs, entities in map_in_threads(predict, batches, n_threads):
            try:
                self.set_annotations(docs, entities(), **settings)
            except Exception as error:
                handle_error(self.name, self, docs, error)
            else:
                yield from docs

    def predict(self, docs: Iterable[Doc], **settings: Any) -> List[Entities]:
        """Find the entities of each Doc. The Docs are not changed.

        A Doc of more than PREDICT_TOKENS tokens is read in parts of whole sentences,
        and a sentence that is longer than the model's windows in parts that overlap.

        Args:
            docs: Docs with or without words.
            **settings: Settings for this call, see `__call__`.

        Returns:
            The entities of each Doc, for `set_annotations`.
        """
        self.use_settings()
        cfg = cfg_for_call(self.name, self.cfg, settings)
        return self._in_parts(partial(self._find, cfg), joined, docs)

    def k_best(self, docs: Iterable[Doc], k: int) -> List[List[Reading]]:
        """Find the k best readings of each Doc, each with its entities and probability.

        Settings that drop entities have no effect here: a reading has all of its
        entities. Entities that a Doc already has stay, so pass Docs that this component
        has not annotated: `nlp.make_doc(text)`, not `nlp(text)`.

        Args:
            docs: Docs with or without words. They are not changed.
            k: How many readings. A Doc may have fewer.

        Returns:
            The readings of each Doc, best first.

        Raises:
            ValueError: If k is less than 1, or a sentence is too long to be read at once.
        """
        docs = list(docs)
        readings = self.sentence_readings(docs, k)
        return [
            combine(doc, of_doc, k) for doc, of_doc in zip(docs, readings, strict=True)
        ]

    def sentence_readings(self, docs: Iterable[Doc], k: int) -> List[SentenceReadings]:
        """Find the k best readings of each sentence of each Doc, see `k_best`.

        A sentence that is too long to be read at once is read in parts that overlap.

        Args:
            docs: Docs with or without words. They are not changed.
            k: How many readings. A sentence may have fewer.

        Returns:
            For each Doc, the readings of each sentence that has words, best first.

        Raises:
            ValueError: If k is less than 1.
        """
        if k < 1:
            raise ValueError(f"There are no {k} best readings; ask for at least one.")
        self.use_settings()
        return self._in_parts(partial(self._read, k), join_parts, docs)

    def _read(self, k: int, docs: List[Doc]) -> List[SentenceReadings]:
        if not has_words(docs):
            return [[] for _ in docs]
        return read_sentences(
            docs,
            self.model.predict(docs),
            self.scheme,
            k,
            temperature=self.cfg["temperature"],
            addresses=bool(self.cfg["addresses"]),
        )

    def _in_parts(
        self,
        find: Callable[[List[Doc]], List[Found]],
        join: Callable[[Sequence[Tuple[int, int]], Sequence[Found]], Found],
        docs: Iterable[Doc],
    ) -> List[Found]:
        with own_threads(self.model.ops.device_type):
            return find_in_parts(
                find,
                join,
                list(docs),
                most=PREDICT_TOKENS,
                longest=longest_sentence(self.model) or PREDICT_TOKENS,
                line_is_sentence=self.cfg["line_is_sentence"],
                n_threads=free_threads(self.model.ops.device_type),
            )

    def _find(self, cfg: Dict[str, Any], docs: List[Doc]) -> List[Entities]:
        of_tokens = cfg["probabilities"]
        of_spans = (
            of_tokens or cfg["scores_key"] is not None or needs_probabilities(cfg)
        )
        if not has_words(docs):
            return [
                no_entities(doc, of_spans=of_spans, of_tokens=of_tokens) for doc in docs
            ]
        return decode(
            docs,
            self.model.predict(docs),
            self.scheme,
            addresses=bool(cfg["addresses"]),
            temperature=cfg["temperature"],
            of_spans=of_spans,
            of_tokens=of_tokens,
        )

    def set_annotations(
        self, docs: Iterable[Doc], entities: List[Entities], **settings: Any
    ) -> None:
        """Write entities to `doc.ents`, next to those already there.

        Args:
            docs: The Docs that were read.
            entities: What `predict` found in each.
            **settings: Settings for this call, see `__call__`.
        """
        cfg = cfg_for_call(self.name, self.cfg, settings)
        for doc, found in zip(docs, entities, strict=True):
            annotate(doc, found, cfg)

    def score(self, examples: Iterable[Example], **settings: Any) -> Dict[str, Any]:
        """Score examples. Predicted entities whose labels a gold Doc does not annotate are
        left out; see the corpus readers' `labels`.

        Args:
            examples: Predicted and gold Docs.
            **settings: Settings of the scorer.

        Returns:
            The scores.
        """
        scores: Dict[str, Any] = super().score(
            list(judged_examples(examples)), **settings
        )
        return scores

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
                nothing; missing values are unknown, not outside.
            drop: The dropout rate.
            sgd: The optimizer. Without one, gradients are kept for `finish_update`.
            losses: The losses by component name, to which the loss is added.

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
            scores: The model's output for the predicted Docs.

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
        """Stay close to what the component predicted at `nlp.resume_training`.

        Labels that were added since then can be learnt freely outside of the entities
        that it found.

        Args:
            examples: Docs to read; gold annotation is ignored.
            drop: The dropout rate.
            sgd: The optimizer. Without one, gradients are kept for `finish_update`.
            losses: The losses by component name, to which the loss is added.

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
