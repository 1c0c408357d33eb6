from pathlib import Path
from typing import Callable, Iterable, List

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from spacy.util import registry

from spacy_elmo_ner.corpus.reader import (
    create_conll_corpus_v1,
    create_docbin_corpus_v1,
)
from spacy_elmo_ner.text.annotated_labels import annotated_labels, set_annotated_labels

CONLL = """-DOCSTART- -X- -X- O

Don't NNP I-NP B-PER
call VB I-VP O
New NNP I-NP B-LOC
York NNP I-NP I-LOC

He PRP I-NP O

-DOCSTART- -X- -X- O

Rome NNP I-NP B-LOC
"""


@pytest.fixture(scope="module")
def nlp() -> Language:
    return spacy.blank("en")


@pytest.fixture
def conll(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.conll"
    path.write_text(CONLL)
    return path


def test_predicted_docs_have_words_and_sentences_only(
    nlp: Language, conll: Path
) -> None:
    corpus = create_conll_corpus_v1(path=conll, group_by="document")
    first, second = corpus(nlp)
    for doc in (first.predicted, first.reference):
        assert [t.text for t in doc] == ["Don't", "call", "New", "York", "He"]
        assert [t.is_sent_start for t in doc] == [True, False, False, False, True]
        assert doc.has_unknown_spaces
        assert doc.vocab is nlp.vocab
    assert not first.predicted.has_annotation("ENT_IOB")
    assert first.get_aligned_ner() == ["U-PER", "O", "B-LOC", "L-LOC", "O"]
    assert second.get_aligned_ner() == ["U-LOC"]
    lengths = [len(eg.x) for eg in create_conll_corpus_v1(path=conll)(nlp)]
    assert lengths == [4, 1, 1]
    lengths = [len(eg.x) for eg in create_conll_corpus_v1(path=conll, limit=2)(nlp)]
    assert lengths == [4, 1]


def test_readers_are_found_through_the_registry(nlp: Language, conll: Path) -> None:
    config = {"r": {"@readers": "spacy_elmo_ner.ConllCorpus.v1", "path": str(conll)}}
    assert len(list(registry.resolve(config)["r"](nlp))) == 3
    config = {"r": {"@readers": "spacy_elmo_ner.DocBinCorpus.v1", "path": str(conll)}}
    with pytest.raises(ValueError, match="corpus.conll is not a .spacy file"):
        list(registry.resolve(config)["r"](nlp))


def test_an_augmenter_changes_the_words_and_leaves_the_sentences(
    nlp: Language, conll: Path, tmp_path: Path
) -> None:
    plain = list(create_conll_corpus_v1(path=conll, group_by="document")(nlp))
    DocBin(docs=[eg.reference for eg in plain]).to_disk(tmp_path / "corpus.spacy")
    for reader, path in ("Conll", conll), ("DocBin", tmp_path / "corpus.spacy"):
        config = {
            "@readers": f"spacy_elmo_ner.{reader}Corpus.v1",
            "path": str(path),
            "group_by": "document",
            "augmenter": {"@augmenters": "spacy.lower_case.v1", "level": 1},
        }
        first, second = registry.resolve({"r": config})["r"](nlp)
        for doc in (first.predicted, first.reference):
            assert [t.text for t in doc] == ["don't", "call", "new", "york", "he"]
            assert [t.is_sent_start for t in doc] == [True, False, False, False, True]
        assert first.get_aligned_ner() == ["U-PER", "O", "B-LOC", "L-LOC", "O"]
        assert second.x.text.strip() == "rome"


@pytest.mark.parametrize("create", [create_conll_corpus_v1, create_docbin_corpus_v1])
def test_bad_arguments(
    create: Callable[..., Callable[[Language], Iterable[Example]]],
    tmp_path: Path,
    nlp: Language,
) -> None:
    with pytest.raises(ValueError, match="The corpus has no path. .* --paths.train"):
        create(path=None)
    with pytest.raises(ValueError, match="group_by is 'page'.* sentence or document"):
        create(path=tmp_path, group_by="page")
    with pytest.raises(FileNotFoundError):
        list(create(path=tmp_path / "absent")(nlp))


def test_gold_tags_of_conll_2003(nlp: Language, shared_data: Path) -> None:
    """Aligned BILUO tags, with BILUO's letters dropped, are the file's own tags."""
    path = shared_data / "conll2003" / "eng.testa"
    sentences: List[List[str]] = [[]]
    for line in path.read_text().split("\n"):
        fields = line.split()
        if not fields or fields[0] == "-DOCSTART-":
            sentences.append([])
        else:
            sentences[-1].append(fields[-1][2:])
    examples = list(create_conll_corpus_v1(path=path)(nlp))
    labels = [[tag[2:] for tag in eg.get_aligned_ner()] for eg in examples]
    assert labels == [sentence for sentence in sentences if sentence]
    starts = sum(tag[0] in "BU" for eg in examples for tag in eg.get_aligned_ner())
    assert starts == 5942


@pytest.fixture
def stored(nlp: Language) -> List[Doc]:
    """A Doc with spaces and sentences, one without sentences, one without tokens."""
    first = nlp.make_doc("I like New York. He doesn't.")
    for token in first:
        token.is_sent_start = token.i in (0, 5)
    first.set_ents([Span(first, 2, 4, label="LOC")])
    second = nlp.make_doc("Rome is old.")
    second.set_ents([Span(second, 0, 1, label="LOC")], default="missing")
    return [first, second, Doc(nlp.vocab)]


def test_docbin_keeps_what_spacy_drops(
    nlp: Language, stored: List[Doc], tmp_path: Path
) -> None:
    (tmp_path / "more").mkdir()
    DocBin(docs=stored).to_disk(tmp_path / "a.spacy")
    DocBin(docs=stored[:1]).to_disk(tmp_path / "more" / "b.spacy")
    first, second, third = create_docbin_corpus_v1(path=tmp_path)(nlp)
    assert first.predicted.text == stored[0].text == third.predicted.text
    starts = [bool(token.is_sent_start) for token in first.predicted]
    assert starts == [token.i in (0, 5) for token in stored[0]]
    assert not first.predicted.has_annotation("ENT_IOB")
    assert [ent.text for ent in first.reference.ents] == ["New York"]
    assert not second.predicted.has_annotation("SENT_START")
    assert second.get_aligned_ner() == ["U-LOC", None, None, None]


def test_docbin_by_sentence(nlp: Language, stored: List[Doc], tmp_path: Path) -> None:
    stored[0].set_ents([Span(stored[0], 3, 6, label="LOC")])
    path = tmp_path / "a.spacy"
    DocBin(docs=stored).to_disk(path)
    examples = list(create_docbin_corpus_v1(path=path, group_by="sentence")(nlp))
    assert [eg.text for eg in examples] == [
        "I like New York. ",
        "He doesn't.",
        "Rome is old.",
    ]
    assert examples[0].get_aligned_ner() == ["O", "O", "O", None, None]
    assert examples[1].get_aligned_ner() == [None, "O", "O", "O"]


def test_folder_without_docbins(nlp: Language, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no .spacy files"):
        list(create_docbin_corpus_v1(path=tmp_path)(nlp))


def test_columns_are_named_in_a_config(nlp: Language, tmp_path: Path) -> None:
    path = tmp_path / "corpus.csv"
    path.write_text("O;7;Anna;B-PER\nO;7;sleeps;O\n")
    settings = {"word_column": 3, "tag_column": -1, "delimiter": ";", "scheme": "iob2"}
    config = {
        "@readers": "spacy_elmo_ner.ConllCorpus.v1",
        "path": str(path),
        **settings,
    }
    (only,) = registry.resolve({"r": config})["r"](nlp)
    assert [token.text for token in only.x] == ["Anna", "sleeps"]
    assert only.get_aligned_ner() == ["U-PER", "O"]


def test_auto_groups_as_the_file_does(
    nlp: Language, conll: Path, tmp_path: Path
) -> None:
    corpus = create_conll_corpus_v1(path=conll, group_by="auto")
    assert [len(eg.x) for eg in corpus(nlp)] == [5, 1]
    plain = tmp_path / "plain.conll"
    plain.write_text(CONLL.replace("-DOCSTART- -X- -X- O\n\n", ""))
    corpus = create_conll_corpus_v1(path=plain, group_by="auto")
    assert [len(eg.x) for eg in corpus(nlp)] == [4, 1, 1]
    with pytest.raises(ValueError, match="group_by is 'auto'"):
        create_docbin_corpus_v1(path=conll, group_by="auto")


@pytest.mark.parametrize("name", ["gold.jsonl", "gold.json", "gold.spacy"])
def test_what_is_no_conll_file_by_its_name(nlp: Language, name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is not a CoNLL file. If it"):
        list(create_conll_corpus_v1(path=Path(name))(nlp))


def test_corpora_of_nothing_are_named(nlp: Language, tmp_path: Path) -> None:
    empty = tmp_path / "empty.conll"
    for text in "", "\n", "-DOCSTART- O\n\n", "# only a comment\n":
        empty.write_text(text)
        with pytest.raises(ValueError, match="There are no words in .*empty.conll"):
            list(create_conll_corpus_v1(path=empty)(nlp))
    docbin = tmp_path / "empty.spacy"
    for docs in [], [Doc(nlp.vocab)]:
        DocBin(docs=docs).to_disk(docbin)
        with pytest.raises(ValueError, match="There are no words in .*empty.spacy"):
            list(create_docbin_corpus_v1(path=docbin)(nlp))


def test_corpora_without_entities_are_named(nlp: Language, tmp_path: Path) -> None:
    path = tmp_path / "plain.conll"
    path.write_text("No O\nnames O\n")
    with pytest.warns(UserWarning, match="There are no entities in .*plain.conll"):
        assert len(list(create_conll_corpus_v1(path=path)(nlp))) == 1
    docbin = tmp_path / "plain.spacy"
    DocBin(docs=[nlp.make_doc("not annotated")]).to_disk(docbin)
    with pytest.warns(UserWarning, match="There are no entities in .*plain.spacy"):
        assert len(list(create_docbin_corpus_v1(path=docbin)(nlp))) == 1


def test_labels_that_a_corpus_annotates(nlp: Language, conll: Path) -> None:
    names = {"LOC": "PLACE", "PER": None}
    for group_by, n in (("document", 2), ("sentence", 3)):
        read = create_conll_corpus_v1(
            path=conll, group_by=group_by, labels=["PLACE", "X"], label_map=names
        )
        references = [example.reference for example in read(nlp)]
        assert len(references) == n
        assert all(annotated_labels(one) == {"PLACE", "X"} for one in references)
        assert references[0][0].ent_iob_ == "" and references[0][1].ent_iob_ == "O"
        assert [ent.label_ for ent in references[0].ents] == ["PLACE"]
    read = create_conll_corpus_v1(path=conll, labels=["PER"])
    with pytest.raises(
        ValueError, match="corpus.conll: The entity 'New York' .* 'LOC'"
    ):
        list(read(nlp))


@pytest.mark.parametrize("group_by", ["document", "sentence"])
def test_docs_keep_what_they_annotate(
    nlp: Language, tmp_path: Path, group_by: str
) -> None:
    doc = Doc(nlp.vocab, words=["Anna", "left", "."], sent_starts=[True, False, False])
    doc.ents = [Span(doc, 0, 1, "PER")]
    set_annotated_labels(doc, ["PER"])
    path = tmp_path / "part.spacy"
    DocBin(docs=[doc], store_user_data=True).to_disk(path)
    lower = registry.get("augmenters", "spacy.lower_case.v1")(level=1.0)
    for labels, expected in ((None, {"PER"}), (["PER", "LOC"], {"PER", "LOC"})):
        read = create_docbin_corpus_v1(
            path=path, group_by=group_by, labels=labels, augmenter=lower
        )
        (example,) = read(nlp)
        assert annotated_labels(example.reference) == expected
        assert example.reference[0].text == "anna"
