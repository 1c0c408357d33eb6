"""Learning from the probabilities of other pipelines, beside the gold.

Hinton et al. (2015), "Distilling the knowledge in a neural network", and for the paths of a
CRF Wang et al. (2020), "Structure-level knowledge distillation for multilingual sequence
labeling". The mean of several teachers is better than each of them, and what a student
learns of it costs no time later.
"""

from functools import partial
from typing import Dict, Iterable, List, Sequence

from spacy.language import Language
from spacy.training import Example

from ..tagger.ensemble import build_ensemble
from ..tagger.potentials import Potentials, Tagger
from .elmo_ner import ElmoNer
from .learning import learn, note_addresses
from .loss import Loss, rehearsal_loss


class Distillation:
    """An update of a pipeline whose `elmo_ner` learns from those of its teachers.

    What a Doc does not annotate, or all of a Doc without annotation, is learned from the
    teachers alone. Other components learn as ever.

    Args:
        teachers: Trained pipelines. Each has a component of the same name, with the same
            labels in any order.
        gold_share: How much the gold counts, from 0 to 1; the rest is for the teachers.

    Raises:
        ValueError: If there is no teacher, or `gold_share` is out of range.
    """

    def __init__(self, teachers: Sequence[Language], *, gold_share: float = 0.5):
        if not teachers:
            raise ValueError("There is no teacher; name one trained pipeline at least.")
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
        """Compute the gradients, as `nlp.update` without an optimizer does."""
        taught = {
            name: pipe
            for name, pipe in nlp.pipeline
            if isinstance(pipe, ElmoNer) and name not in exclude
        }
        nlp.update(
            examples,
            drop=drop,
            losses=losses,
            sgd=False,  # type: ignore[arg-type]
            exclude=[*exclude, *taught],
            annotates=annotates,
        )
        for name, pipe in taught.items():
            if name not in self._ensembles:
                self._ensembles[name] = ensemble(pipe, self.teachers)
            note_addresses(pipe, examples)
            get_loss = partial(self._loss, pipe, self._ensembles[name])
            learn(pipe, examples, get_loss, drop=drop, sgd=None, losses=losses)

    def _loss(
        self,
        pipe: ElmoNer,
        teacher: Tagger,
        examples: List[Example],
        scores: Potentials,
    ) -> Loss:
        soft = teacher.predict([example.predicted for example in examples])
        loss, gradients = rehearsal_loss(scores, soft, pipe.scheme)
        of_gold, gold_gradients = pipe.get_loss(examples, scores)
        share = self.gold_share
        emissions, transitions, start, end = (
            share * gold + (1 - share) * other
            for gold, other in zip(gold_gradients, gradients, strict=True)
        )
        mixed = Potentials(emissions, transitions, start, end, scores.rows)
        return share * of_gold + (1 - share) * loss, mixed


def ensemble(pipe: ElmoNer, teachers: Sequence[Language]) -> Tagger:
    """The teachers' components as one tagger, with the tags and sentences of a component.

    Args:
        pipe: The component.
        teachers: See `Distillation`.

    Returns:
        The tagger, which may take the place of `pipe.model`.

    Raises:
        ValueError: If a teacher has no such component, or one with other labels.
    """
    found = [_component(pipe, teacher) for teacher in teachers]
    return build_ensemble(
        [one.model for one in found],
        orders=[list(map(one.scheme.tags.index, pipe.scheme.tags)) for one in found],
        temperatures=[one.cfg["temperature"] for one in found],
    )


def _component(pipe: ElmoNer, teacher: Language) -> ElmoNer:
    name = f"{teacher.lang}_{teacher.meta['name']}"
    component = dict(teacher.pipeline).get(pipe.name)
    if not isinstance(component, ElmoNer):
        raise ValueError(
            f"The teacher {name} has no component '{pipe.name}' that could teach the "
            "student's. Name them alike."
        )
    if {*component.scheme.tags} != {*pipe.scheme.tags}:
        raise ValueError(
            f"'{pipe.name}' of the teacher {name} has the labels "
            f"{', '.join(component.labels)} ({component.scheme.name}), the student's "
            f"{', '.join(pipe.labels)} ({pipe.scheme.name}); they have to be the same."
        )
    # as the student reads a text, not as the teacher would
    component.cfg["line_is_sentence"] = pipe.cfg["line_is_sentence"]
    component.use_settings()
    return component
