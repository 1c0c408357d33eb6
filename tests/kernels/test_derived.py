import copy
import pickle
from typing import Any, Callable, List

import pytest
import torch
from torch import Tensor, nn

from spacy_elmo_ner.kernels.derived import Prepared, mark_changed


def write_unseen(weight: Tensor) -> None:
    weight.data.add_(1)
    mark_changed(weight)


def module() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.Linear(3, 1)))


@pytest.mark.parametrize(
    "change",
    [
        lambda some: some[1][0].weight.add_(1),
        lambda some: write_unseen(some[0].weight),
        lambda some: setattr(some[0].bias, "data", torch.ones(3)),
        lambda some: setattr(some[1][0], "bias", nn.Parameter(torch.ones(1))),
        lambda some: setattr(some[1], "0", nn.Linear(3, 1)),
    ],
)
@torch.no_grad()
def test_it_is_made_anew_when_any_weight_is_another(change: Callable[..., Any]) -> None:
    some, prepared = module(), Prepared[Tensor]()
    made: List[Tensor] = []

    def make() -> Tensor:
        made.append(torch.cat([weight.flatten() for weight in some.parameters()]))
        return made[-1]

    assert prepared.get(make, some) is prepared.get(make, some)
    assert len(made) == 1
    change(some)
    after = torch.cat([weight.flatten() for weight in some.parameters()])
    assert torch.equal(prepared.get(make, some), after)
    assert len(made) == 2
    prepared.forget()
    prepared.get(make, some)
    assert len(made) == 3


def test_a_copy_has_nothing_yet() -> None:
    some, prepared = module(), Prepared[object]()
    prepared.get(object, some)
    for other in (copy.deepcopy(prepared), pickle.loads(pickle.dumps(prepared))):
        assert other.get(lambda: "anew", some) == "anew"
