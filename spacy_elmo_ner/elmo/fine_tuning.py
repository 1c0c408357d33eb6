"""How fast each part of a fine-tuned ELMo learns, relative to the layers on top."""

import re
from functools import partial
from typing import Any, Callable, Dict, cast

from spacy.language import Language

from ..torch_shim import LazyTorchShim
from .loader import elmo_nodes
from .network import ElmoNetwork

LSTM_LAYER = re.compile(r"encoder\.bilm\.directions\.\d+\.layers\.(\d+)\.")


def create_elmo_fine_tuning_v1(
    *, rate: float = 0.1, unfreeze_every: int = 200, warmup: int = 200
) -> Callable[[Language, Dict[str, Any]], None]:
    """Make a callback that slows down ELMo's learning, for [training.before_update].

    The parts of ELMo are unfrozen one after another, the last LSTM layer first and the
    char-CNN last, each with a linear warm-up (Howard and Ruder 2018, "Universal language
    model fine-tuning for text classification", sections 3.2 and 3.3). The mix of the layers
    learns as usual. It needs Adam.v1 or SGD.v1: Thinc's RAdam.v1 knows no rates of this kind.

    Args:
        rate: ELMo's learning rate, as a factor on the optimizer's.
        unfreeze_every: How many updates pass before the first part is unfrozen, and
            between one part and the next.
        warmup: Over how many updates a part's rate rises from 0.

    Raises:
        ValueError: If a number makes no sense.
    """
    if not 0 <= rate <= 1:
        raise ValueError(
            f"ElmoFineTuning has rate = {rate}; give a share from 0 to 1 of the "
            "optimizer's learning rate."
        )
    if unfreeze_every < 0 or warmup < 0:
        raise ValueError(
            f"ElmoFineTuning has unfreeze_every = {unfreeze_every} and warmup = {warmup}; "
            "give numbers of updates, 0 or more."
        )
    return partial(set_rates, rate=rate, unfreeze_every=unfreeze_every, warmup=warmup)


def set_rates(
    nlp: Language,
    info: Dict[str, Any],
    *,
    rate: float,
    unfreeze_every: int,
    warmup: int,
) -> None:
    """Set the rates of an update, which depend only on its number.

    Args:
        nlp: The pipeline.
        info: `step`, the number of the update, from 0.
        rate: See `create_elmo_fine_tuning_v1`, also for the arguments below.
        unfreeze_every: The same.
        warmup: The same.

    Raises:
        ValueError: If no ELMo of the pipeline is fine-tuned.
    """
    step: int = info["step"]
    shims = [cast(LazyTorchShim, node.shims[0]) for node in elmo_nodes(nlp)]
    shims = [shim for shim in shims if _is_fine_tuned(shim)]
    if not shims:
        raise ValueError(
            "spacy_elmo_ner.ElmoFineTuning.v1 needs spacy_elmo_ner.Elmo.v1 with frozen = "
            "false. Set that, or remove the callback."
        )
    for shim in shims:
        module = cast(ElmoNetwork, shim.module)
        n_layers = module.encoder.options.n_layers
        starts = [(part + 1) * unfreeze_every for part in range(n_layers + 1)]
        of_parts = [rate * _warmed_up(step - start, warmup) for start in starts]
        for name, _ in module.named_parameters():
            if name.startswith("encoder."):
                layer = LSTM_LAYER.match(name)
                # counted from the top
                part = n_layers - 1 - int(layer[1]) if layer else n_layers
                shim.rates[name] = of_parts[part]


def _warmed_up(step: int, warmup: int) -> float:
    """The share of the rate, `step` updates after a part was unfrozen."""
    return min(1.0, (step + 1) / max(1, warmup)) if step >= 0 else 0.0


def _is_fine_tuned(shim: LazyTorchShim) -> bool:
    return isinstance(shim.module, ElmoNetwork) and not shim.module.frozen
