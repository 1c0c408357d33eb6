import json
import re
from pathlib import Path
from typing import Any, Dict

import pytest

from spacy_elmo_ner.bilm.options import ElmoOptions, read_options

PUBLISHED = [
    "allennlp/options.json",
    "bilm-tf/options.json",
    "published_options/elmo_2x1024_128_2048cnn_1xhighway_options.json",
    "published_options/elmo_2x4096_512_2048cnn_2xhighway_options.json",
]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_options_survive_the_round_trip(shared_data: Path, name: str) -> None:
    path = shared_data / "elmo_fixtures" / name
    published = json.loads(path.read_text())
    assert read_options(path).to_published() == published


def test_small_model_has_the_sizes_its_file_name_states(shared_data: Path) -> None:
    options = read_options(
        shared_data
        / "elmo_fixtures/published_options"
        / "elmo_2x1024_128_2048cnn_1xhighway_options.json"
    )
    assert options.n_layers == 2
    assert options.lstm_width == 1024
    assert options.projection_width == 128
    assert options.output_width == 256
    assert options.n_filters == 2048
    assert options.n_highway == 1


def published() -> Dict[str, Dict[str, Any]]:
    return ElmoOptions(
        filters=((1, 4), (2, 8)),
        n_highway=1,
        lstm_width=8,
        projection_width=4,
    ).to_published()


@pytest.mark.parametrize("n_characters", [261, 262])
def test_both_ways_of_counting_characters_are_read(n_characters: int) -> None:
    content = published()
    content["char_cnn"]["n_characters"] = n_characters
    assert ElmoOptions.from_published(content).to_published() == content


@pytest.mark.parametrize("key", ["use_skip_connections", "cell_clip", "proj_clip"])
def test_switches_left_out_are_off(key: str) -> None:
    content = published()
    del content["lstm"][key]
    assert not ElmoOptions.from_published(content).to_published()["lstm"][key]


@pytest.mark.parametrize(
    "section,key",
    [
        ("lstm", "dim"),
        ("lstm", "projection_dim"),
        ("lstm", "n_layers"),
        ("char_cnn", "filters"),
        ("char_cnn", "embedding"),
        ("char_cnn", "n_highway"),
        ("char_cnn", "activation"),
        ("char_cnn", "n_characters"),
        ("char_cnn", "max_characters_per_token"),
    ],
)
def test_missing_key_is_named(section: str, key: str) -> None:
    content = published()
    del content[section][key]
    with pytest.raises(ValueError, match=rf"{section}\.{key}"):
        ElmoOptions.from_published(content)


@pytest.mark.parametrize("section", ["lstm", "char_cnn"])
def test_missing_section_is_named(section: str) -> None:
    content = published()
    del content[section]
    with pytest.raises(ValueError, match=section):
        ElmoOptions.from_published(content)


@pytest.mark.parametrize(
    "section,key,value,name",
    [
        ("lstm", "dim", 0, "lstm_width"),
        ("lstm", "projection_dim", 4.5, "projection_width"),
        ("lstm", "n_layers", True, "n_layers"),
        ("lstm", "cell_clip", -3, "cell_clip"),
        ("lstm", "proj_clip", float("nan"), "projection_clip"),
        ("lstm", "use_skip_connections", "yes", "skip_connections"),
        ("char_cnn", "activation", "gelu", "activation"),
        ("char_cnn", "n_characters", 300, "n_characters"),
        ("char_cnn", "n_highway", -1, "n_highway"),
        ("char_cnn", "max_characters_per_token", 60, "max_characters_per_token"),
        ("char_cnn", "filters", [[51, 4]], "filter width"),
        ("char_cnn", "filters", [[3, 0]], "number of filters"),
        ("char_cnn", "filters", [3, 4], "filters"),
        ("char_cnn", "filters", [], "filters"),
    ],
)
def test_contradictory_value_is_named_with_its_value(
    section: str, key: str, value: Any, name: str
) -> None:
    content = published()
    content[section][key] = value
    with pytest.raises(ValueError, match=name) as error:
        ElmoOptions.from_published(content)
    assert re.search(r"[.]$", str(error.value))


@pytest.mark.parametrize("text", ["", "{", "[1, 2]"])
def test_file_that_is_not_a_json_object_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "options.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=re.escape(str(path))):
        read_options(path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no ELMo options file"):
        read_options(tmp_path / "options.json")
