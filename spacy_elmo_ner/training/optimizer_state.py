"""The state of a Thinc optimizer ⇄ named arrays."""

from typing import Dict, Iterator, Tuple

import numpy
from spacy.language import Language
from thinc.api import Optimizer, get_current_ops
from torch import nn

# an optimizer's key for a parameter → a name that is the same in all processes
Names = Dict[Tuple[int, str], str]


def parameter_names(nlp: Language) -> Names:
    """Parameter names that are the same in every process.

    Thinc's keys for them are running numbers, which differ between processes. The place
    of a node in its component's model does not.
    """
    return dict(_walk(nlp))


def _walk(nlp: Language) -> Iterator[Tuple[Tuple[int, str], str]]:
    for pipe_name, pipe in nlp.components:
        if not hasattr(pipe, "model") or not hasattr(pipe.model, "walk"):
            continue
        for place, node in enumerate(pipe.model.walk()):
            for name in node.param_names:
                yield (node.id, name), f"{pipe_name}/{place}/{name}"
            for number, shim in enumerate(node.shims):
                module = getattr(shim, "_model", None)
                if isinstance(module, nn.Module):
                    for name, _ in module.named_parameters():
                        key = f"{pipe_name}/{place}/shim{number}/{name}"
                        yield (shim.id, name), key


def optimizer_to_arrays(
    optimizer: Optimizer, nlp: Language
) -> Dict[str, numpy.ndarray]:
    """Moments, averages and counts, as "kind/component/place/parameter"."""
    names = parameter_names(nlp)
    ops = get_current_ops()
    arrays = {}
    for kind in ("mom1", "mom2", "averages"):
        for key, value in (getattr(optimizer, kind) or {}).items():
            arrays[f"{kind}/{names[key]}"] = ops.to_numpy(value)
    for key, count in optimizer.nr_update.items():
        arrays[f"nr_update/{names[key]}"] = numpy.asarray([count], dtype="int64")
    return arrays


def optimizer_from_arrays(
    optimizer: Optimizer, arrays: Dict[str, numpy.ndarray], nlp: Language, *, step: int
) -> None:
    """Restore what `optimizer_to_arrays` returned after `step` updates."""
    ops = get_current_ops()
    keys = {name: key for key, name in parameter_names(nlp).items()}
    for full_name, array in arrays.items():
        kind, name = full_name.split("/", 1)
        if kind == "nr_update":
            optimizer.nr_update[keys[name]] = int(array[0])
        else:
            getattr(optimizer, kind)[keys[name]] = ops.asarray(array.copy())  # type: ignore[arg-type]
    for _ in range(step):
        optimizer.step_schedules()
