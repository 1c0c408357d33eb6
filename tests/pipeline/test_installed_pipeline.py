"""Where the default pipeline is not installed, or something else is under its name."""

import importlib
import shutil
import sys
from pathlib import Path
from typing import Callable, Iterator

import numpy as np
import pytest
import spacy
import srsly
from spacy.language import Language
from spacy.vectors import Vectors
from thinc.api import Config

from spacy_elmo_ner.bilm.weight_files import write_safetensors
from spacy_elmo_ner.cli.convert_weights import convert_weights
from spacy_elmo_ner.cli.loading import load_pipeline
from spacy_elmo_ner.elmo.loader import elmo_weights_of, load_elmo_weights
from spacy_elmo_ner.pipeline import default_pipeline
from spacy_elmo_ner.pipeline.default_pipeline import (
    NAME,
    default_folder,
    load_default_pipeline,
)
from tests.pipeline.small_model import SMALL_MODEL, examples_of

VERSION = "9.9.9"
INSTALL = r"install it with `pip install ./assets/en_elmo_ner_sm` in a checkout"
TEXT = "Anna met John in Oslo."


def blank() -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("elmo_ner")
    return nlp


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked for by a name that no package has."""
    monkeypatch.setattr(default_pipeline, "NAME", "en_none_sm")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    load_default_pipeline().to_disk(tmp_path / "saved")
    return tmp_path / "saved"


@pytest.fixture
def install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Path]]:
    """Installs a copy of the default pipeline, of another version, before the real one;
    returns its package."""

    def copy() -> Path:
        real = default_folder().parent
        site = tmp_path / "site-packages"
        data = site / NAME / f"{NAME}-{VERSION}"
        shutil.copytree(default_folder(), data)
        shutil.copy(real / "__init__.py", data.parent)
        meta = {**srsly.read_json(real / "meta.json"), "version": VERSION}
        for folder in (data, data.parent):
            srsly.write_json(folder / "meta.json", meta)
        metadata = site / f"{NAME}-{VERSION}.dist-info" / "METADATA"
        metadata.parent.mkdir()
        metadata.write_text(
            f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\n"
        )
        monkeypatch.syspath_prepend(str(site))
        sys.modules.pop(NAME, None)
        return data.parent

    yield copy
    sys.modules.pop(NAME, None)
    importlib.invalidate_caches()


def data_of(package: Path) -> Path:
    return package / f"{NAME}-{VERSION}"


def change_config(package: Path, change: Callable[[Config], None]) -> None:
    path = data_of(package) / "config.cfg"
    config = Config().from_disk(path, interpolate=False)
    change(config)
    config.to_disk(path, interpolate=False)


def test_the_call_that_needs_it_says_how_to_get_it(missing: None) -> None:
    nlp = blank()
    for call in (
        nlp.initialize,
        lambda: nlp.initialize(lambda: examples_of(nlp)),
        lambda: nlp.get_pipe("elmo_ner").initialize(nlp=nlp),
        load_default_pipeline,
        lambda: load_pipeline(None),
        lambda: load_pipeline(default_pipeline.NAME),
        lambda: convert_weights(
            Path(default_pipeline.NAME), Path("elmo.safetensors"), None, False
        ),
    ):
        with pytest.raises(ValueError, match=f"not installed; {INSTALL}"):
            call()


def test_pipelines_on_disk_do_without_it(saved: Path, missing: None) -> None:
    nlp = spacy.load(saved)
    moved = spacy.blank("en")
    moved.add_pipe("elmo_ner", source=nlp)
    for one in (nlp, moved, load_pipeline(str(saved))):
        assert [ent.text for ent in one(TEXT).ents] == ["Anna", "John", "Oslo"]
    nlp.update(examples_of(nlp, [(TEXT, {"entities": [(0, 4, "PER")]})]))


def test_other_models_do_without_it(missing: None) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("elmo_ner", config={"model": SMALL_MODEL})
    nlp.initialize(lambda: examples_of(nlp))
    assert nlp.get_pipe("elmo_ner").labels


def test_a_default_model_that_lacks_nothing_does_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "elmo.safetensors"
    write_safetensors(elmo_weights_of(load_default_pipeline(), NAME), file)
    monkeypatch.setattr(default_pipeline, "NAME", "en_none_sm")
    nlp = blank()
    nlp.vocab.vectors = Vectors(data=np.ones((1, 3), dtype="f"), keys=["anna"])
    nlp.vocab.lookups.add_table("lexeme_cluster", {"anna": 5})
    with pytest.raises(ValueError, match="not installed"):
        nlp.get_pipe("elmo_ner").initialize(lambda: examples_of(nlp), nlp=nlp)
    load_elmo_weights(nlp, weights=file)
    nlp.get_pipe("elmo_ner").initialize(lambda: examples_of(nlp), nlp=nlp)
    nlp.vocab.lookups.remove_table("lexeme_cluster")
    with pytest.raises(ValueError, match="not installed"):
        nlp.get_pipe("elmo_ner").initialize(lambda: examples_of(nlp), nlp=nlp)


def test_what_is_installed_is_what_is_loaded(install: Callable[[], Path]) -> None:
    package = install()
    assert default_folder() == data_of(package)
    assert load_pipeline(None).meta["version"] == VERSION
    nlp = blank()
    nlp.initialize()
    assert [ent.text for ent in nlp(TEXT).ents] == ["Anna", "John", "Oslo"]


def other_tagger(package: Path) -> None:
    def change(config: Config) -> None:
        config["components"]["elmo_ner"]["model"]["hidden_width"] = 100

    change_config(package, change)


def no_component(package: Path) -> None:
    def change(config: Config) -> None:
        config["components"] = {}
        config["nlp"]["pipeline"] = []

    change_config(package, change)


def other_component(package: Path) -> None:
    def change(config: Config) -> None:
        config["components"]["elmo_ner"] = {"factory": "ner"}

    change_config(package, change)


def damaged_weights(package: Path) -> None:
    with (data_of(package) / "elmo_ner" / "model").open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"something else")


def no_weights(package: Path) -> None:
    (data_of(package) / "elmo_ner" / "model").unlink()


def labels_of_another(package: Path) -> None:
    cfg = data_of(package) / "elmo_ner" / "cfg"
    (cfg.parent / "sha256sums").unlink()
    srsly.write_json(cfg, {**srsly.read_json(cfg), "labels": ["GENE"]})


def no_labels(package: Path) -> None:
    cfg = data_of(package) / "elmo_ner" / "cfg"
    (cfg.parent / "sha256sums").unlink()
    srsly.write_json(cfg, {"tag_scheme": "BILUO"})


def no_meta(package: Path) -> None:
    (package / "meta.json").unlink()


def no_data(package: Path) -> None:
    shutil.rmtree(data_of(package))


def no_config(package: Path) -> None:
    (data_of(package) / "config.cfg").write_text("nothing", encoding="utf8")


def another_package(package: Path) -> None:
    shutil.rmtree(data_of(package))
    (package / "meta.json").unlink()
    (package / "__init__.py").write_text("", encoding="utf8")


def broken_package(package: Path) -> None:
    (package / "__init__.py").write_text("import en_none_sm", encoding="utf8")


@pytest.mark.parametrize(
    "spoil, reason",
    [
        (other_tagger, "version 9.9.9 has a different model"),
        (no_component, "has no component elmo_ner"),
        (other_component, "version 9.9.9 has a different model"),
        (damaged_weights, "model is damaged"),
        (no_weights, "model"),
        (labels_of_another, "GENE|1 labels make 5 tags|does not fit"),
        (no_labels, "labels"),
        (no_meta, "meta.json"),
        (no_data, "config.cfg"),
        (no_config, "config.cfg|MissingSection|no section"),
        (another_package, "meta.json"),
        (broken_package, "No module named 'en_none_sm'"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_not_the_default_pipeline_is_refused(
    install: Callable[[], Path], spoil: Callable[[Path], None], reason: str
) -> None:
    spoil(install())
    nlp = blank()
    with pytest.raises(ValueError, match="installed but cannot be used") as raised:
        nlp.initialize()
    said = str(raised.value)
    assert "\n" not in said
    assert "`pip install ./assets/en_elmo_ner_sm`" in said
    assert any(part in said for part in reason.split("|")), said
