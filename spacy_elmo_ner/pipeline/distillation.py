"""Learning from the probabilities of other pipelines, besides the gold.

Hinton et al. (2015), "Distilling the knowledge in a neural network", and for the paths of a
CRF Wang et al. (2020), "Structure-level knowledge distillation for multilingual sequence
labeling". The mean of several teachers is better than each of them, and what a student
learns from it costs nothing at run time.
"""

from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Callable, Dict, Iterable, Iterator, List, Sequence

from spacy.language import Language
from spacy.pipeline.tok2vec import Tok2VecListener
from spacy.training import Example

from ..elmo.cache_loader import share_elmo_cache
from ..tagger.ensemble import build_ensemble
from ..tagger.potentials import Potentials, Tagger
from .elmo_ner import ElmoNer
from .loss import Loss, rehearsal_loss


class Distillation:
    """An update of a pipeline whose `elmo_ner` learns from those of its teachers.

    What a Doc does not annotate, or all of a Doc without annotation, is learned from the
    teachers alone. Other components learn as usual. Where the student's ELMo has a cache,
    those of the teachers use it, too.

    Args:
        teachers: Trained pipelines. Each has a component of the same name, with the same
            labels in any order.
        gold_share: How much the gold counts, from 0 to 1; the rest is for the teachers.

    Raises:
        ValueError: If there is no teacher, or `gold_share` is out of range.
    """

    def __init__(self, teachers: Sequence[Language], *, gold_share: float = 0.5):
        if not teachers:
            raise ValueError("There is no teacher; name at least one trained pipeline.")
        if not 0 <= gold_share <= 1:
            raise ValueError(
                f"gold_share is {gold_share}; give a number from 0, for the teachers alone, "
                "to 1, for the gold alone."
            )
        self.teachers, self.gold_share = list(teachers), gold_share
        self._ensembles: Dict[str, Tagger] = {}

    def __call__(
        self,
        nlp: Language,
        examples: List[Example],
        *,
        drop: float,
        losses: Dict[str, float],
        exclude: Iterable[str],
        annotates: Iterable[str],
    ) -> None:
        """Compute the gradients, as `nlp.update` without an optimizer does.

        Raises:
            ValueError: If no component can learn from the teachers, or one does not fit.
        """
        students = {
            name: pipe
            for name, pipe in nlp.pipeline
            if isinstance(pipe, ElmoNer) and name not in exclude
        }
        if not students:
            raise ValueError(
                "The teachers have no student: the pipeline trains no elmo_ner "
                "component."
            )
        with ExitStack() as stack:
            for name, pipe in students.items():
                if name not in self._ensembles:
                    self._ensembles[name] = ensemble(pipe, self.teachers)
                    share_elmo_cache(pipe.model, self._ensembles[name])
                get_loss = partial(self._loss, pipe, self._ensembles[name])
                stack.enter_context(_with_loss(pipe, get_loss))
            nlp.update(
                examples,
                drop=drop,
                losses=losses,
                sgd=False,  # type: ignore[arg-type]
                exclude=exclude,
                annotates=annotates,
            )

    def _loss(
        self,
        pipe: ElmoNer,
        teacher: Tagger,
        examples: List[Example],
        scores: Potentials,
    ) -> Loss:
        teacher_scores = teacher.predict([example.predicted for example in examples])
        loss, gradients = rehearsal_loss(scores, teacher_scores, pipe.scheme)
        gold_loss, gold_gradients = ElmoNer.get_loss(pipe, examples, scores)
        share = self.gold_share
        emissions, transitions, start, end = (
            share * gold + (1 - share) * other
            for gold, other in zip(gold_gradients, gradients, strict=True)
        )
        mixed = Potentials(emissions, transitions, start, end, scores.rows)
        return share * gold_loss + (1 - share) * loss, mixed


@contextmanager
def _with_loss(
    pipe: ElmoNer, get_loss: Callable[[List[Example], Potentials], Loss]
) -> Iterator[None]:
    """Let a component learn from a loss other than its own."""
    pipe.__dict__["get_loss"] = get_loss
    try:
        yield
    finally:
        del pipe.__dict__["get_loss"]


def ensemble(pipe: ElmoNer, teachers: Sequence[Language]) -> Tagger:
    """The teachers' components as one tagger, with the tags of a component.

    Args:
        pipe: The component.
        teachers: See `Distillation`.

    Returns:
        The tagger, which may take the place of `pipe.model`.

    Raises:
        ValueError: If a teacher has no such component, or one that cannot teach this one.
    """
    found = [_component(pipe, teacher) for teacher in teachers]
    return build_ensemble(
        [one.model for one in found],
        orders=[list(map(one.scheme.tags.index, pipe.scheme.tags)) for one in found],
        temperatures=[one.cfg["temperature"] for one in found],
    )


def _component(pipe: ElmoNer, teacher: Language) -> ElmoNer:
    name = teacher.path or f"{teacher.lang}_{teacher.meta['name']}"
    component = dict(teacher.pipeline).get(pipe.name)
    if not isinstance(component, ElmoNer):
        raise ValueError(
            f"The teacher {name} has no component '{pipe.name}' that could teach the "
            "student's. Give both the same name."
        )
    if {*component.scheme.tags} != {*pipe.scheme.tags}:
        raise ValueError(
            f"'{pipe.name}' of the teacher {name} has the labels "
            f"{', '.join(component.labels)} ({component.scheme.name}), but the "
            f"student's has {', '.join(pipe.labels)} ({pipe.scheme.name}); they must "
            "be the same."
        )
    if component.cfg["line_is_sentence"] != pipe.cfg["line_is_sentence"]:
        raise ValueError(
            f"The teacher {name} and the student split text into different sentences; "
            "give them the same line_is_sentence."
        )
    if any(isinstance(node, Tok2VecListener) for node in component.model.walk()):
        raise ValueError(
            f"'{pipe.name}' of the teacher {name} listens to a tok2vec component, "
            "which does not read the student's texts. Save the teacher with layers of "
            "its own, using nlp.replace_listeners."
        )
    component.use_settings()
    return component
