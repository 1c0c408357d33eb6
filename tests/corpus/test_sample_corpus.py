"""The sample corpus is read here by hand, independently of the package's own reader."""

import re
from collections import Counter
from pathlib import Path
from typing import List, Tuple

import pytest

Sentence = List[Tuple[str, str]]
Document = List[Sentence]
HEADER = "-DOCSTART- O"


def read_documents(path: Path) -> List[Document]:
    documents: List[Document] = []
    for block in path.read_text(encoding="utf8").strip().split("\n\n"):
        if block.strip() == HEADER:
            documents.append([])
            continue
        rows = [line.split(" ") for line in block.strip().split("\n")]
        assert all(len(row) == 2 and all(row) for row in rows), block
        documents[-1].append([(word, tag) for word, tag in rows])
    return documents


def sentences(documents: List[Document]) -> List[Sentence]:
    return [sentence for document in documents for sentence in document]


@pytest.fixture(scope="module")
def sample(repository: Path) -> Path:
    return repository / "assets" / "sample"


@pytest.mark.parametrize(
    "name, least_documents, least_sentences", [("train", 40, 220), ("dev", 12, 60)]
)
def test_sample_is_large_and_legal(
    sample: Path, name: str, least_documents: int, least_sentences: int
) -> None:
    documents = read_documents(sample / f"{name}.conll")
    assert len(documents) >= least_documents
    assert all(documents)
    assert len(sentences(documents)) >= least_sentences
    starts = Counter[str]()
    for sentence in sentences(documents):
        before = "O"
        for _, tag in sentence:
            assert re.fullmatch(r"O|[BI]-(PER|LOC|ORG|MISC)", tag)
            if tag.startswith("I-"):
                assert before[2:] == tag[2:], sentence
            starts[tag[2:]] += tag.startswith("B-")
            before = tag
    assert all(starts[label] >= 20 for label in ("PER", "LOC", "ORG", "MISC"))
    without = [s for s in sentences(documents) if all(tag == "O" for _, tag in s)]
    assert len(without) >= least_sentences // 10


def test_readme_counts_what_is_there(sample: Path) -> None:
    readme = (sample / "README.md").read_text(encoding="utf8")
    for name in ("train", "dev"):
        documents = read_documents(sample / f"{name}.conll")
        tags = [tag for sentence in sentences(documents) for _, tag in sentence]
        counts = [len(documents), len(sentences(documents)), len(tags)]
        counts.append(sum(tag.startswith("B-") for tag in tags))
        counts += [tags.count(f"B-{label}") for label in ("PER", "LOC", "ORG", "MISC")]
        row = " | ".join(f"{count:,}" for count in counts)
        assert f"| `{name}.conll` | {row} |" in readme


def test_train_and_dev_share_no_sentence(sample: Path) -> None:
    train, dev = (
        {
            " ".join(word for word, _ in sentence)
            for sentence in sentences(read_documents(sample / f"{name}.conll"))
        }
        for name in ("train", "dev")
    )
    assert not train & dev
    text = " ".join((sample / "text.txt").read_text(encoding="utf8").split())
    assert not any(sentence in text for sentence in train | dev)


def test_the_demonstration_sentence_is_not_in_the_corpus(sample: Path) -> None:
    for name in ("train", "dev"):
        for sentence in sentences(read_documents(sample / f"{name}.conll")):
            assert [word for word, _ in sentence] != ["My", "name", "is", "John", "!"]
