import json
from pathlib import Path
from typing import Iterator

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span
from typer import Typer
from typer.testing import CliRunner

from spacy_elmo_ner.cli.convert import convert
from spacy_elmo_ner.cli.input_kind import is_annotated
from spacy_elmo_ner.corpus.formats import READERS, ReadOptions
from spacy_elmo_ner.corpus.reader import create_conll_corpus_v1, read_docs

NLP = spacy.blank("en")


def anna() -> Doc:
    doc = NLP.make_doc("Anna sleeps")
    doc.set_ents([Span(doc, 0, 1, label="PER")])
    return doc


def write(path: Path) -> Path:
    if path.suffix == ".spacy":
        DocBin(docs=[anna()]).to_disk(path)
    elif path.suffix.startswith(".json"):
        path.write_text(json.dumps({"text": "Anna sleeps", "spans": [[0, 4, "PER"]]}))
    else:
        path.write_text("Anna\tB-PER\nsleeps\tO\n")
    return path


@pytest.mark.parametrize("suffix", [*READERS, "", ".txt", ".v4_gold_conll"])
def test_names_end_in_their_format(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"file{suffix}")
    (doc,) = read_docs(path, vocab=NLP.vocab, make_doc=NLP.make_doc)
    assert [token.text for token in doc] == ["Anna", "sleeps"]
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("Anna", "PER")]
    assert is_annotated(path)


def test_a_new_format_is_an_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_names(path: Path, options: ReadOptions) -> Iterator[Doc]:
        for name in path.read_text().split():
            doc = Doc(options.vocab, words=[name])
            doc.set_ents([Span(doc, 0, 1, label="NAME")])
            yield doc

    monkeypatch.setitem(READERS, ".names", read_names)
    path = tmp_path / "some.names"
    path.write_text("Anna Bo")
    docs = list(read_docs(path, vocab=NLP.vocab))
    assert [ent.text for doc in docs for ent in doc.ents] == ["Anna", "Bo"]
    assert is_annotated(path)
    with pytest.raises(ValueError, match="some.names is not a CoNLL file"):
        list(create_conll_corpus_v1(path=path)(NLP))
    app = Typer()
    app.command()(convert)
    result = CliRunner().invoke(app, [str(path), str(tmp_path / "some.conll")])
    assert result.exit_code == 0
    assert "Bo" in (tmp_path / "some.conll").read_text()
    result = CliRunner().invoke(app, [str(path), str(tmp_path / "other.names")])
    assert "other.names cannot be written: .names files can only be read" in str(
        result.exception
    )
