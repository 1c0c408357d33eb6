import itertools
import json
import math
from pathlib import Path
from random import Random
from typing import Any, Callable, Dict, List, Tuple

import numpy as np
import pytest
import torch

from spacy_elmo_ner.bilm.weight_files import read_weights, write_hdf5
from spacy_elmo_ner.bilm.weights import to_weights
from spacy_elmo_ner.pretraining import precision as precision_of_pretraining
from spacy_elmo_ner.pretraining.checkpoint import PUBLISHED, PretrainingCheckpoint
from spacy_elmo_ner.pretraining.gradient_scaler import ON_ANY_DEVICE, make_scaler
from spacy_elmo_ner.pretraining.language_model import (
    N_SPECIAL,
    LanguageModel,
    make_batch,
)
from spacy_elmo_ner.pretraining.loop import learn_rate, make_optimizers, pretrain
from spacy_elmo_ner.pretraining.processes import Processes
from spacy_elmo_ner.pretraining.settings import Settings
from spacy_elmo_ner.pretraining.token_corpus import (
    HELD_OUT,
    TRAIN,
    TokenCorpus,
    write_corpus,
)
from spacy_elmo_ner.training.progress import Progress
from tests.conftest import Outputs
from tests.pretraining.conftest import Encode, MakeConfig, MakeCorpus, MakeSettings

CPU = torch.device("cpu")
ALONE = Processes(CPU)


class Killed(Exception):
    pass


def run(
    settings: Settings, output: Path, *, kill_at: float = math.inf
) -> Tuple[LanguageModel, List[Dict[str, float]]]:
    """Pre-train; return the model and all reports. Killed after update kill_at."""
    output.mkdir(exist_ok=True)
    reports = []

    def report(entry: Dict[str, float]) -> None:
        reports.append(entry)
        if "learn_rate" in entry and entry["step"] >= kill_at:
            raise Killed

    return pretrain(settings, output, ALONE, report), reports


def updates(reports: List[Dict[str, float]]) -> List[Dict[str, float]]:
    return [entry for entry in reports if "learn_rate" in entry]


def history(output: Path) -> List[Dict[str, Any]]:
    lines = (output / "history.jsonl").read_text("utf8").splitlines()
    entries = [json.loads(line) for line in lines]
    assert all(entry.pop("seconds") >= 0 for entry in entries)
    return entries


@pytest.mark.parametrize("optimizer, rate", [("adam", 0.05), ("adagrad", 1.0)])
@pytest.mark.parametrize(
    "precision",
    [
        "float32",
        "bfloat16",
        pytest.param(
            "float16",
            marks=pytest.mark.skipif(
                not ON_ANY_DEVICE, reason="this torch has float16 on CUDA alone"
            ),
        ),
    ],
)
def test_perplexity_falls_in_both_directions(
    tiny_corpus: MakeCorpus,
    tiny_settings: MakeSettings,
    tmp_path: Path,
    optimizer: str,
    rate: float,
    precision: str,
) -> None:
    tiny_corpus(times=60)
    settings = tiny_settings(
        {
            "training.optimizer": optimizer,
            "training.learn_rate": rate,
            "training.precision": precision,
            "training.grad_clip": 10.0,
            "training.eval_frequency": 10,
            "training.epochs": 8,
            "training.batch_tokens": 100,
        }
    )
    run(settings, tmp_path / "output")
    first, *_, last = history(tmp_path / "output")
    assert last["words"] == 8 * 60 * 23
    for direction in ("forward", "backward"):
        # from one in 20 words; with the text known by heart but for how a sentence
        # begins or ends it were 1.33
        assert first[f"perplexity_{direction}"] > 15
        assert last[f"perplexity_{direction}"] < 4


def test_bfloat16_is_float32_with_a_warning_where_the_cpu_has_none(
    tiny_corpus: MakeCorpus,
    tiny_settings: MakeSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tiny_corpus(times=10)
    exact, _ = run(tiny_settings({}), tmp_path / "float32")
    monkeypatch.setattr(precision_of_pretraining, "cpu_has_bfloat16", lambda: False)
    with pytest.warns(UserWarning, match="bfloat16; training uses float32"):
        found, _ = run(
            tiny_settings({"training.precision": "bfloat16"}), tmp_path / "bfloat16"
        )
    for name, weights in exact.state_dict().items():
        assert torch.equal(found.state_dict()[name], weights)


def test_a_trained_start_is_learnt_and_written(
    tiny_corpus: MakeCorpus,
    tiny_settings: MakeSettings,
    tmp_path: Path,
) -> None:
    tiny_corpus(times=60)
    found = {}
    for state in ("zeros", "trained"):
        settings = tiny_settings({"training.start_state": state})
        model, _ = run(settings, tmp_path / state)
        found[state] = read_weights(tmp_path / state / "elmo.safetensors")
    assert not found["zeros"].has_start
    arrays = found["trained"].arrays
    assert arrays["START/hidden"].abs().min() > 0
    assert torch.equal(arrays["START/cell"], model.encoder.start_cell)
    # weights without one can be continued; one that is there is not dropped
    start = str(tmp_path / "zeros" / "elmo.safetensors")
    run(
        tiny_settings({"training.start_state": "trained", "training.start": start}),
        tmp_path / "further",
    )
    with pytest.raises(ValueError, match='start_state = "trained"'):
        run(
            tiny_settings({"training.start": str(tmp_path / "trained")}),
            tmp_path / "back",
        )


@pytest.mark.parametrize("optimizer", ["adam", "adagrad"])
@pytest.mark.parametrize("kill_at", [5, 9, 20], ids="killed at {}".format)
def test_training_that_was_killed_ends_as_one_that_was_not(
    tiny_corpus: MakeCorpus,
    tiny_settings: MakeSettings,
    tmp_path: Path,
    optimizer: str,
    kill_at: int,
) -> None:
    tiny_corpus(times=24)
    settings = tiny_settings(
        {
            "training.optimizer": optimizer,
            "training.start_state": {"adam": "trained", "adagrad": "zeros"}[optimizer],
            "training.eval_frequency": 3,
        }
    )
    whole, reports = run(settings, tmp_path / "whole")
    per_epoch = len(updates(reports)) // 2
    # kills in the first epoch, beside and at an evaluation, and in the second
    assert 9 < per_epoch < 20 < len(updates(reports))
    with pytest.raises(Killed):
        run(settings, tmp_path / "killed", kill_at=kill_at)
    resumed, rest = run(settings, tmp_path / "killed")
    # it was killed before the evaluation of the update
    assert updates(rest)[0]["step"] == (kill_at - 1) // 3 * 3 + 1
    assert (tmp_path / "killed" / "elmo.safetensors").read_bytes() == (
        tmp_path / "whole" / "elmo.safetensors"
    ).read_bytes()
    for name, array in whole.state_dict().items():
        assert torch.equal(array, resumed.state_dict()[name]), name
    assert history(tmp_path / "killed") == history(tmp_path / "whole")


CODE = """
import json
from pathlib import Path
import torch
from spacy_elmo_ner.pretraining.loop import pretrain
from spacy_elmo_ner.pretraining.processes import Processes
from spacy_elmo_ner.pretraining.settings import read_settings

SETTINGS = read_settings(json.loads({settings!r}))

def run(output):
    pretrain(SETTINGS, output, Processes(torch.device("cpu")), print)

RUNS = {{"pretrain": run}}
"""


@pytest.mark.slow
def test_killed_at_any_moment_it_ends_with_the_same_weights(
    tiny_corpus: MakeCorpus,
    tiny_config: MakeConfig,
    tiny_settings: MakeSettings,
    killed_runs: Callable[[str, int], Outputs],
) -> None:
    tiny_corpus()
    settings = json.dumps(tiny_config({"training.eval_frequency": 3}))
    outputs = killed_runs(CODE.format(settings=settings), 50)["pretrain"]
    assert len(outputs) == 51
    whole = outputs.pop("whole")
    for files in outputs.values():
        assert set(files) == set(whole)
        assert files["elmo.safetensors"] == whole["elmo.safetensors"]


def test_damaged_checkpoints_are_named_and_nothing_is_changed(
    tiny_corpus: MakeCorpus,
    tiny_settings: MakeSettings,
    tmp_path: Path,
) -> None:
    tiny_corpus()
    settings = tiny_settings({})
    run(settings, tmp_path / "output")
    checkpoint = tmp_path / "output" / "checkpoint"
    random = Random(0)
    # the list of what lies beside is not continued from
    for file in sorted(set(checkpoint.iterdir()) - {checkpoint / PUBLISHED}):
        whole = file.read_bytes()
        for _ in range(5):
            place = random.randrange(len(whole))
            flipped = bytes([whole[place] ^ random.randrange(1, 256)])
            for damaged in (
                whole[:place],
                whole[:place] + flipped + whole[place + 1 :],
            ):
                file.write_bytes(damaged)
                before = contents(tmp_path / "output")
                # the list of checksums may be one that no longer names the file
                name = "" if file.name.startswith(".") else f"{file} is damaged.*"
                with pytest.raises(ValueError, match=f"{name}--output|Choose another"):
                    run(settings, tmp_path / "output")
                assert contents(tmp_path / "output") == before
        file.write_bytes(whole)
    _, reports = run(settings, tmp_path / "output")
    assert reports == []


def contents(folder: Path) -> Dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["elmo.safetensors", "history.jsonl", "checkpoint/a"])
def test_what_a_user_keeps_there_is_kept(
    tiny_corpus: MakeCorpus,
    tiny_settings: MakeSettings,
    tmp_path: Path,
    name: str,
) -> None:
    tiny_corpus()
    mine = tmp_path / "output" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(ValueError, match="already holds|already exists"):
        run(tiny_settings({}), tmp_path / "output")
    assert list(contents(tmp_path / "output")) == [mine]


def test_finished_training_is_not_trained_further(
    tiny_corpus: MakeCorpus,
    tiny_settings: MakeSettings,
    tmp_path: Path,
) -> None:
    tiny_corpus()
    run(tiny_settings({}), tmp_path / "output")
    before = (tmp_path / "output" / "elmo.safetensors").read_bytes()
    _, reports = run(tiny_settings({}), tmp_path / "output")
    assert reports == []
    assert (tmp_path / "output" / "elmo.safetensors").read_bytes() == before


def test_more_epochs_go_on_from_the_end(
    tiny_corpus: MakeCorpus,
    tiny_settings: MakeSettings,
    tmp_path: Path,
) -> None:
    tiny_corpus()
    changes = {"training.cooldown": 0}
    run(tiny_settings({**changes, "training.epochs": 1}), tmp_path / "longer")
    _, rest = run(tiny_settings(changes), tmp_path / "longer")
    run(tiny_settings(changes), tmp_path / "whole")
    assert updates(rest)[0]["words"] > 8 * 23
    assert (tmp_path / "longer" / "elmo.safetensors").read_bytes() == (
        tmp_path / "whole" / "elmo.safetensors"
    ).read_bytes()


def test_a_part_of_an_epoch(
    tiny_corpus: MakeCorpus,
    tiny_settings: MakeSettings,
    tmp_path: Path,
) -> None:
    tiny_corpus()
    settings = tiny_settings({"training.epochs": 0.5, "training.eval_frequency": 1000})
    _, reports = run(settings, tmp_path / "output")
    words = [entry["words"] for entry in updates(reports)]
    assert words[-2] < 0.5 * 8 * 23 <= words[-1] < 8 * 23
    assert len(history(tmp_path / "output")) == 1


def test_every_batch_of_the_text_is_read_once_an_epoch(
    tiny_corpus: MakeCorpus,
    tiny_settings: MakeSettings,
    tmp_path: Path,
) -> None:
    tiny_corpus()
    _, reports = run(tiny_settings({}), tmp_path / "output")
    words = [entry["words"] for entry in updates(reports)]
    assert 8 * 23 in words and words[-1] == 2 * 8 * 23
    assert all(a < b for a, b in itertools.pairwise(words))


@pytest.mark.parametrize(
    "name, value",
    [
        ("training.seed", 1),
        ("training.start_state", "trained"),
        ("model.lstm_width", 8),
        ("softmax.candidates", 7),
    ],
)
def test_checkpoint_of_other_settings_is_refused(
    tiny_corpus: MakeCorpus,
    tiny_settings: MakeSettings,
    tmp_path: Path,
    name: str,
    value: Any,
) -> None:
    tiny_corpus()
    run(tiny_settings({}), tmp_path / "output")
    before = {
        path: path.read_bytes()
        for path in (tmp_path / "output").rglob("*")
        if path.is_file()
    }
    assert len(before) == 7
    with pytest.raises(ValueError, match=f"{name} is {value!r} instead.*--output"):
        run(tiny_settings({name: value}), tmp_path / "output")
    assert all(path.read_bytes() == data for path, data in before.items())


def load(
    settings: Settings, output: Path, n_words: int
) -> Tuple[LanguageModel, Progress]:
    model = LanguageModel(settings.model, n_words + N_SPECIAL)
    optimizers = make_optimizers(model, settings.training)
    checkpoint = PretrainingCheckpoint(output / "checkpoint")
    scaler = make_scaler(settings.training.precision, CPU)
    return model, checkpoint.load(model, optimizers, scaler)


@pytest.mark.filterwarnings("ignore:overflow")
def test_a_loss_that_is_no_number_is_an_error_that_keeps_the_checkpoint(
    tiny_corpus: MakeCorpus,
    tiny_settings: MakeSettings,
    tmp_path: Path,
) -> None:
    tiny_corpus()
    settings = tiny_settings(
        {
            "training.learn_rate": 1e30,
            "training.warmup_steps": 0,
            "training.eval_frequency": 1,
        }
    )
    with pytest.raises(ValueError, match="loss of update .* is .*learn_rate"):
        run(settings, tmp_path / "output")
    model, progress = load(settings, tmp_path / "output", 17)
    assert progress.step >= 1 and len(progress.history) == progress.step
    assert all(array.isfinite().all() for array in model.state_dict().values())


def test_weights_that_could_not_be_written_are_written_by_the_next_run(
    tiny_corpus: MakeCorpus,
    tiny_settings: MakeSettings,
    tmp_path: Path,
) -> None:
    tiny_corpus()
    settings = tiny_settings({"training.eval_frequency": 1000})
    in_the_way = tmp_path / "output" / "elmo.safetensors"

    def put_in_the_way(entry: Dict[str, float]) -> None:
        in_the_way.mkdir(parents=True, exist_ok=True)

    with pytest.raises(OSError, match="elmo.safetensors is a folder"):
        pretrain(settings, tmp_path / "output", ALONE, put_in_the_way)
    in_the_way.rmdir()
    run(settings, tmp_path / "output")
    whole, _ = run(settings, tmp_path / "whole")
    assert (
        in_the_way.read_bytes()
        == (tmp_path / "whole" / "elmo.safetensors").read_bytes()
    )


def test_weights_are_those_of_the_model_and_go_to_the_published_format(
    tiny_corpus: MakeCorpus,
    tiny_settings: MakeSettings,
    tmp_path: Path,
) -> None:
    tiny_corpus()
    settings = tiny_settings({})
    model, _ = run(settings, tmp_path / "output")
    weights = read_weights(tmp_path / "output" / "elmo.safetensors")
    assert weights.options == settings.model
    published = tmp_path / "weights.hdf5", tmp_path / "options.json"
    write_hdf5(weights, *published)
    again = read_weights(*published)
    assert again.options == weights.options
    expected = to_weights(model.encoder).arrays
    assert set(weights.arrays) == set(again.arrays) == set(expected)
    for name, array in expected.items():
        assert torch.equal(weights.arrays[name], array)
        assert torch.equal(again.arrays[name], array)


def test_perplexities_are_those_of_the_held_out_text(
    tiny_corpus: MakeCorpus,
    tiny_settings: MakeSettings,
    tmp_path: Path,
) -> None:
    tiny_corpus()
    model, reports = run(tiny_settings({}), tmp_path / "output")
    corpus = TokenCorpus(tmp_path / "tokens")
    sums, n = np.zeros(2), 0
    for i in range(len(corpus.held_out)):
        batch = make_batch([corpus.held_out[i]], corpus.words, 17 + N_SPECIAL)
        sums += [float(loss) for loss in model.full_losses(batch)]
        # the words and a boundary
        n += len(corpus.held_out[i]) + 1
    last = history(tmp_path / "output")[-1]
    found = [last["perplexity_forward"], last["perplexity_backward"]]
    np.testing.assert_allclose(found, np.exp(sums / n), rtol=1e-4)


def test_without_held_out_text_perplexity_is_no_number(
    tiny_corpus: MakeCorpus,
    tiny_settings: MakeSettings,
    tmp_path: Path,
) -> None:
    tiny_corpus(held_out=False)
    run(tiny_settings({"text.held_out": 0}), tmp_path / "output")
    for entry in history(tmp_path / "output"):
        assert entry["perplexity_forward"] is None
        assert entry["perplexity_backward"] is None
    assert (tmp_path / "output" / "elmo.safetensors").is_file()


def test_learn_rate_warms_up_stays_and_cools_down(
    tiny_settings: MakeSettings,
) -> None:
    training = tiny_settings(
        {
            "training.learn_rate": 0.1,
            "training.warmup_steps": 4,
            "training.cooldown": 0.25,
        }
    ).training
    warming = [learn_rate(training, step, 0.0) for step in range(6)]
    assert warming == pytest.approx([0.025, 0.05, 0.075, 0.1, 0.1, 0.1])
    cooling = [learn_rate(training, 100, x) for x in (0.5, 0.75, 0.8, 0.875, 1.0, 1.1)]
    assert cooling == pytest.approx([0.1, 0.1, 0.08, 0.05, 0.0, 0.0])
    # both at once, in a training shorter than its warm-up
    assert learn_rate(training, 1, 0.875) == pytest.approx(0.025)


def test_learn_rate_without_warming_and_cooling_is_always_the_same(
    tiny_settings: MakeSettings,
) -> None:
    training = tiny_settings(
        {"training.warmup_steps": 0, "training.cooldown": 0}
    ).training
    for step, done in ((0, 0.0), (5, 0.5), (9, 0.999)):
        assert learn_rate(training, step, done) == training.learn_rate


def test_starts_from_given_weights(
    tiny_corpus: MakeCorpus,
    tiny_settings: MakeSettings,
    tmp_path: Path,
) -> None:
    tiny_corpus()
    run(tiny_settings({}), tmp_path / "first")
    start = tmp_path / "first" / "elmo.safetensors"
    hardly = {"training.start": str(start), "training.learn_rate": 1e-9}
    run(tiny_settings({**hardly, "training.seed": 5}), tmp_path / "second")
    before = read_weights(start).arrays
    after = read_weights(tmp_path / "second" / "elmo.safetensors").arrays
    for name, array in before.items():
        torch.testing.assert_close(after[name], array, rtol=0, atol=1e-6)


def test_starts_where_another_ended(
    tiny_corpus: MakeCorpus,
    tiny_settings: MakeSettings,
    tmp_path: Path,
    encode: Encode,
) -> None:
    tiny_corpus()
    longer = {"training.epochs": 20, "training.learn_rate": 0.05}
    run(tiny_settings(longer), tmp_path / "first")
    # the same held-out sentences, but words have other places among the frequent ones
    held_out = [line.split() for line in ("a b c d e f", "g h i j k l m", "b d f h j")]
    train = [list("zzzzyyyxx"), list("qqqqponmlkjih"), *held_out]
    other = tmp_path / "other"
    write_corpus([(TRAIN, encode(train)), (HELD_OUT, encode(held_out))], other)
    anew = {"text.tokens": str(other), "training.epochs": 1}
    run(tiny_settings(anew), tmp_path / "anew")
    run(
        tiny_settings({**anew, "training.start": str(tmp_path / "first")}),
        tmp_path / "second",
    )
    before = history(tmp_path / "second")[0]
    assert (before["step"], before["words"]) == (0, 0)
    for key in ("perplexity_forward", "perplexity_backward"):
        # what was known of these words is known still
        assert before[key] < 1.5 * history(tmp_path / "first")[-1][key]
        assert before[key] < 0.5 * history(tmp_path / "anew")[0][key]


def test_a_folder_without_a_checkpoint_is_no_start(
    tiny_corpus: MakeCorpus,
    tiny_settings: MakeSettings,
    tmp_path: Path,
) -> None:
    tiny_corpus()
    settings = tiny_settings({"training.start": str(tmp_path)})
    with pytest.raises(ValueError, match="no checkpoint of a pre-training to start"):
        run(settings, tmp_path / "first")


def test_weights_of_another_size_are_no_start(
    tiny_corpus: MakeCorpus,
    tiny_settings: MakeSettings,
    tmp_path: Path,
) -> None:
    tiny_corpus()
    run(tiny_settings({}), tmp_path / "first")
    start = tmp_path / "first" / "elmo.safetensors"
    settings = tiny_settings({"training.start": str(start), "model.lstm_width": 9})
    with pytest.raises(ValueError, match="lstm_width is 9 instead of"):
        run(settings, tmp_path / "second")
    assert not (tmp_path / "second" / "checkpoint").exists()
