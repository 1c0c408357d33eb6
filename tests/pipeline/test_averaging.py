"""The mean of weights, beside the weights themselves."""

from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest
import spacy
from spacy.language import Language
from thinc.api import Model
from typer.testing import CliRunner

from spacy_elmo_ner.cli.app import app
from spacy_elmo_ner.nodes import nodes_named
from spacy_elmo_ner.pipeline.averaging import average_weights
from spacy_elmo_ner.pipeline.default_pipeline import load_default_pipeline
from tests.pipeline.small_model import SMALL_MODEL, examples_of, train


def trained(steps: int, **config: Any) -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("elmo_ner", config={"model": SMALL_MODEL, **config})
    train(nlp, examples_of(nlp), steps=steps)
    return nlp


def weights(nlp: Language) -> Dict[str, np.ndarray]:
    model = nlp.get_pipe("elmo_ner").model
    return {
        f"{place} {name}": tensor.numpy().copy()
        for place, node in enumerate(model.walk())
        for shim in node.shims
        for name, tensor in shim.module.state_dict().items()
    }


@pytest.mark.parametrize("shares", [[1.0, 1.0], [1.0, 3.0]])
def test_each_weight_is_the_mean(shares: List[float]) -> None:
    pipelines = [trained(3), trained(20)]
    before = [weights(nlp) for nlp in pipelines]
    after = weights(average_weights(pipelines, shares))
    for name, one in before[0].items():
        expected = np.average([one, before[1][name]], axis=0, weights=shares)
        assert np.allclose(after[name], expected, atol=1e-6)


def test_the_mean_of_the_same_is_the_same_to_the_last_bit(tmp_path: Path) -> None:
    nlp = load_default_pipeline()
    before = nlp.get_pipe("elmo_ner").to_bytes()
    mean = average_weights([nlp, load_default_pipeline()], [0.3, 0.7])
    assert mean.get_pipe("elmo_ner").to_bytes() == before


def table_of(nlp: Language) -> Model[Any, Any]:
    (table,) = nodes_named(nlp.get_pipe("elmo_ner").model, "static_vectors")
    return table


def move(nlp: Language, changes: Dict[int, float]) -> None:
    """Add to the vectors in these rows, as training does, in the order given."""
    table = table_of(nlp)
    (embed,) = table.layers
    values: Any = embed.get_param("E").copy()
    places = table.attrs["differences"].copy()
    free = int(places.max()) + 1
    for place, (row, value) in enumerate(changes.items(), free):
        places[row] = place
        values[place] = value
    table.attrs["differences"] = places
    embed.set_param("E", values)


def unmoved(nlp: Language) -> List[int]:
    rows = np.flatnonzero(table_of(nlp).attrs["differences"] < 0)
    return [int(row) for row in rows]


def test_vectors_move_by_the_mean_whichever_words_each_training_met_first() -> None:
    pipelines = [load_default_pipeline() for _ in range(3)]
    one, two, three = unmoved(pipelines[0])[:3]
    move(pipelines[0], {one: 1.0, two: 2.0})
    move(pipelines[1], {three: 3.0, two: 4.0, one: 5.0})
    average = average_weights(pipelines, [1.0, 3.0, 4.0])
    assert average is pipelines[0]
    mean = table_of(average)
    differences = mean.layers[0].get_param("E")[mean.attrs["differences"]]
    for row, expected in ((one, 2.0), (two, 1.75), (three, 1.125)):
        assert differences[row] == pytest.approx(expected)


def test_words_for_which_there_is_no_room_are_counted() -> None:
    pipelines = [load_default_pipeline() for _ in range(2)]
    rows, table = unmoved(pipelines[0]), table_of(pipelines[0])
    room = table.layers[0].get_dim("nV")
    free = room - len(table.attrs["differences"]) + len(rows)
    move(pipelines[0], {row: 1.0 for row in rows[:free]})
    move(pipelines[1], {rows[free]: 1.0})
    with pytest.raises(ValueError, match=f"{room + 1:,} words.*room for {room:,}"):
        average_weights(pipelines, [1.0, 1.0])


@pytest.mark.parametrize(
    "others, shares, said",
    [
        (0, [1.0], "at least two"),
        (1, [1.0], "at least two"),
        (1, [1.0, 0.0], "above 0"),
        (1, [1.0, float("nan")], "above 0"),
        (1, [1.0, float("inf")], "above 0"),
    ],
)
def test_wrong_numbers(others: int, shares: List[float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        average_weights([spacy.blank("en")] * (1 + others), shares)


def test_pipelines_that_do_not_fit_are_refused() -> None:
    one = trained(1)
    with pytest.raises(ValueError, match="same components"):
        average_weights([one, spacy.blank("en")], [1.0, 1.0])
    other = trained(1)
    other.get_pipe("elmo_ner").add_label("GENE")
    with pytest.raises(ValueError, match="LOC, PERSON in one .* LOC, PERSON, GENE in"):
        average_weights([one, other], [1.0, 1.0])
    one.get_pipe("elmo_ner").add_label("DRUG")
    with pytest.raises(ValueError, match="DRUG in one .* GENE in another"):
        average_weights([one, other], [1.0, 1.0])
    wider = trained(1, tag_scheme="BIO")
    with pytest.raises(ValueError, match="different sizes"):
        average_weights([trained(1), wider], [1.0, 1.0])
    with pytest.raises(ValueError, match="no component that learns"):
        average_weights([spacy.blank("en"), spacy.blank("en")], [1.0, 1.0])


def test_command(tmp_path: Path) -> None:
    pipelines = [trained(3), trained(20)]
    for i, nlp in enumerate(pipelines):
        nlp.to_disk(tmp_path / str(i))
    expected = weights(average_weights(pipelines, [1.0, 1.0]))
    names = [str(tmp_path / name) for name in ("out", "0", "1")]
    run = CliRunner().invoke(app, ["average", *names])
    assert run.exit_code == 0, run.output
    found = weights(spacy.load(tmp_path / "out"))
    for name, one in expected.items():
        assert np.allclose(found[name], one, atol=1e-6)
    run = CliRunner().invoke(app, ["average", *names, "--share", "1"])
    assert run.exit_code == 1
