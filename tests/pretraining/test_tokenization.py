"""Tokens against those of spaCy itself. Processes are slow to start, so they run once."""

import json
import lzma
from pathlib import Path
from typing import Dict, List, NamedTuple, Set, Tuple

import pytest
import spacy
from spacy.tokens import Doc, DocBin

from spacy_elmo_ner.corpus.raw_text import list_files, read_documents
from spacy_elmo_ner.pretraining.token_corpus import HELD_OUT, TRAIN
from spacy_elmo_ner.pretraining.tokenization import LONGEST_SENTENCE, tokenize_files

SHARE = 0.3
N_DOCUMENTS = 350
LONG_LINE = f"{90 * 'w'} words . "
Sentences = List[List[str]]


class Tokenized(NamedTuple):
    """few and more are of the same files, and more has some beside."""

    few: Dict[str, Sentences]
    few_in_two_processes: Dict[str, Sentences]
    more: Dict[str, Sentences]


def parts_of(files: List[Path], processes: int) -> Dict[str, List[List[str]]]:
    found: Dict[str, Sentences] = {TRAIN: [], HELD_OUT: []}
    for part, (words, tokens, lengths) in tokenize_files(
        files, lang="en", held_out=SHARE, processes=processes
    ):
        start = 0
        assert len(words) == len(set(words))
        for length in lengths:
            found[part].append([words[k] for k in tokens[start : start + length]])
            start += length
        assert start == len(tokens)
    return found


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Tuple[Path, Path]:
    """Text that is split, and text and Docs that are added to it."""
    folder, added = (tmp_path_factory.mktemp(name) for name in ("text", "added"))
    texts = [
        f"Document {i} isn't long, (it's {i})! Is {i} far?\nIn Zürich:  e.g. {i}km\t– $5."
        for i in range(N_DOCUMENTS)
    ]
    (folder / "b.txt").write_text("\n\n".join(texts[:-1]), "utf8")
    (folder / "c.jsonl.xz").write_bytes(
        lzma.compress(json.dumps({"text": texts[-1]}).encode("utf8"))
    )
    (added / "a.txt").write_text("\n\n".join(f"Added {i}." for i in range(40)), "utf8")
    long = [f"w{i}" for i in range(2 * LONGEST_SENTENCE + 3)]
    (added / "long.txt").write_text(" ".join(long), "utf8")
    (added / "line.txt").write_text(LONG_LINE * 12_000, "utf8")
    vocab = spacy.blank("en").vocab
    docs = [
        Doc(vocab, ["Mr.", "A-b", "c."], sent_starts=[True, False, True]),
        Doc(vocab, ["no", "sentences", ".", "set"]),
        Doc(vocab, []),
        Doc(vocab, ["\n", "x", " "], sent_starts=[True, True, True]),
    ]
    (added / "docs.spacy").write_bytes(DocBin(docs=docs).to_bytes())
    return folder, added


@pytest.fixture(scope="module")
def tokenized(folders: Tuple[Path, Path]) -> Tokenized:
    folder, added = folders
    return Tokenized(
        few=parts_of(list_files([folder]), 1),
        few_in_two_processes=parts_of(list_files([folder]), 2),
        more=parts_of(list_files([added, folder]), 1),
    )


def test_sentences_are_those_of_spacys_own_tokenizer_and_sentencizer(
    tokenized: Tokenized, folders: Tuple[Path, Path]
) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    expected = [
        [token.text for token in sentence if not token.is_space]
        for file in list_files([folders[0]])
        for document in read_documents(file)
        for paragraph in document.split("\n")
        for sentence in nlp(paragraph).sents
    ]
    assert len(expected) == 3 * N_DOCUMENTS
    # no two sentences are the same: each has its document's number
    for sentences in tokenized.few.values():
        there = set(map(tuple, sentences))
        assert sentences == [x for x in expected if tuple(x) in there]
    assert sorted(tokenized.few[TRAIN] + tokenized.few[HELD_OUT]) == sorted(expected)


def test_two_processes_give_what_one_gives(tokenized: Tokenized) -> None:
    assert tokenized.few_in_two_processes == tokenized.few


def numbers(sentences: List[List[str]]) -> Set[str]:
    """Documents, by the number in their first sentence."""
    return {sentence[1] for sentence in sentences if sentence[0] == "Document"}


def test_documents_are_held_out_whole_and_about_as_many_as_asked_for(
    tokenized: Tokenized,
) -> None:
    trained, held_out = numbers(tokenized.few[TRAIN]), numbers(tokenized.few[HELD_OUT])
    assert not trained & held_out
    assert len(trained | held_out) == N_DOCUMENTS
    # five standard deviations
    assert abs(len(held_out) / N_DOCUMENTS - SHARE) < 0.12
    # the other sentences of a document go with its first
    for part, documents in ((TRAIN, trained), (HELD_OUT, held_out)):
        assert {x[1] for x in tokenized.few[part] if x[0] == "Is"} == documents
        assert {x[4] for x in tokenized.few[part] if x[0] == "In"} == documents


def test_the_split_stays_when_documents_are_added(tokenized: Tokenized) -> None:
    for part in (TRAIN, HELD_OUT):
        assert numbers(tokenized.more[part]) == numbers(tokenized.few[part])
    assert sum(len(some) for some in tokenized.more.values()) > sum(
        len(some) for some in tokenized.few.values()
    )


def test_docs_keep_their_tokens_and_sentences(tokenized: Tokenized) -> None:
    both = tokenized.more[TRAIN] + tokenized.more[HELD_OUT]
    for sentence in (["Mr.", "A-b"], ["c."], ["no", "sentences", ".", "set"], ["x"]):
        assert both.count(sentence) == 1
    assert [] not in both


def test_long_sentences_are_cut_and_lose_no_word(tokenized: Tokenized) -> None:
    both = tokenized.more[TRAIN] + tokenized.more[HELD_OUT]
    pieces = [x for x in both if x[0] in ("w0", "w200", "w400")]
    assert [len(x) for x in pieces] == [LONGEST_SENTENCE, LONGEST_SENTENCE, 3]
    words = [word for piece in pieces for word in piece]
    assert words == [f"w{i}" for i in range(2 * LONGEST_SENTENCE + 3)]


def test_a_line_longer_than_spacy_allows_is_split_too(tokenized: Tokenized) -> None:
    both = tokenized.more[TRAIN] + tokenized.more[HELD_OUT]
    assert both.count(LONG_LINE.split()) == 12_000
