"""Files are written here by hand, in every dialect, and read by the package."""

from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Iterator, List, NamedTuple, Optional, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import DocBin
from spacy.vocab import Vocab

from spacy_elmo_ner.corpus.conll import ConllFormat, read_conll
from spacy_elmo_ner.corpus.conll_export import write_conll
from spacy_elmo_ner.corpus.docs import to_docs, to_sentences
from spacy_elmo_ner.corpus.reader import read_docs

# a stretch of words outside entities (no label), or one entity
Stretch = Tuple[Optional[str], List[str]]
Corpus = List[List[List[Stretch]]]
# of sentences: words, and the spans of entities with their labels
Documents = List[List[Tuple[List[str], List[Tuple[int, int, str]]]]]

VOCAB = Vocab()
SCHEMES = ("iob1", "iob2", "io", "biluo", "bioes", "bmes", "bmewo")
LETTERS = {"biluo": "BILU", "bioes": "BIES", "bmes": "BMES", "bmewo": "BMEW"}

words = (
    st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=6)
    .filter(lambda word: not set(word) & set(" \t\r\n\ufeff"))
    .filter(lambda word: not word.startswith("-DOCSTART-"))
)
labels = st.sampled_from([None, None, "PER", "LOC", "WORK-OF-ART", "I-B"])
stretches = st.tuples(labels, st.lists(words, min_size=1, max_size=4))
sentences = st.lists(stretches, min_size=1, max_size=5)
corpora = st.lists(
    st.lists(sentences, min_size=1, max_size=3), min_size=1, max_size=3
).filter(
    # a first column of numbers alone is taken for no words
    lambda corpus: any(
        not word.isdigit()
        for document in corpus
        for sentence in document
        for _, stretch in sentence
        for word in stretch
    )
)


class Layout(NamedTuple):
    fillers: Tuple[str, ...]
    separator: str
    header: Optional[str]
    blank: str = ""
    line_end: str = "\n"
    mark: str = ""


HEADERS = (
    "-DOCSTART- -X- O O",
    "-DOCSTART- -X- -X- O",
    "-DOCSTART-\t-X-\t-X-\tO",
    "-DOCSTART- O",
    "-DOCSTART-",
)
LAYOUTS = [
    Layout(*parts)
    for parts in product(
        ((), ("NNP",), ("NNP", "I-NP")),
        (" ", "\t"),
        HEADERS,
        ("", " \t"),
        ("\n", "\r\n", "\r", "\r\r\n"),
        ("", "\ufeff"),
    )
]


def spell(sentence: List[Stretch], scheme: str) -> Iterator[str]:
    """The tags of one sentence, by the words of each scheme's definition."""
    before = None
    for label, tokens in sentence:
        for i in range(len(tokens)):
            first, last = i == 0, i == len(tokens) - 1
            if label is None:
                yield "O"
            elif scheme == "io":
                yield f"I-{label}"
            elif scheme == "iob1":
                yield f"B-{label}" if first and before == label else f"I-{label}"
            elif scheme == "iob2":
                yield f"B-{label}" if first else f"I-{label}"
            else:
                begin, inside, end, single = list(LETTERS[scheme])
                if first and last:
                    yield f"{single}-{label}"
                else:
                    yield f"{begin if first else end if last else inside}-{label}"
        before = label


def write_by_hand(path: Path, corpus: Corpus, scheme: str, layout: Layout) -> None:
    lines = []
    for document in corpus:
        if layout.header is not None:
            lines += [layout.header, ""]
        for sentence in document:
            tokens = [word for _, stretch in sentence for word in stretch]
            for word, tag in zip(tokens, spell(sentence, scheme), strict=True):
                lines.append(layout.separator.join([word, *layout.fillers, tag]))
            lines.append(layout.blank)
    text = layout.mark + "".join(line + layout.line_end for line in lines)
    path.write_bytes(text.encode("utf-8"))


def expected(corpus: Corpus, *, io: bool = False) -> Documents:
    """Documents of sentences as (words, spans); in IO, neighbours melt together."""
    documents: Documents = []
    for document in corpus:
        documents.append([])
        for sentence in document:
            tokens: List[str] = []
            spans: List[Tuple[int, int, str]] = []
            for label, stretch in sentence:
                start, end = len(tokens), len(tokens) + len(stretch)
                tokens += stretch
                if label is None:
                    continue
                if io and spans and spans[-1][1:] == (start, label):
                    start = spans.pop()[0]
                spans.append((start, end, label))
            documents[-1].append((tokens, spans))
    return documents


@settings(deadline=None, max_examples=60)
@given(corpus=corpora, layout=st.sampled_from(LAYOUTS))
def test_every_dialect_gives_the_same_documents(corpus: Corpus, layout: Layout) -> None:
    with TemporaryDirectory() as folder:
        for scheme in SCHEMES:
            path = Path(folder) / scheme
            write_by_hand(path, corpus, scheme, layout)
            wanted = expected(corpus, io=scheme == "io")
            assert read_conll(path).documents == wanted
            named = read_conll(path, scheme=scheme)
            assert (named.documents, named.scheme) == (wanted, scheme)
            assert named.marks_documents == (layout.header is not None)


@settings(deadline=None, max_examples=30)
@given(corpus=corpora)
def test_without_headers_all_is_one_document(corpus: Corpus) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        write_by_hand(path, corpus, "iob2", Layout(("NNP", "I-NP"), " ", None))
        everything = [sentence for document in corpus for sentence in document]
        assert read_conll(path).documents == expected([everything])


@settings(deadline=None, max_examples=40)
@given(
    corpus=corpora,
    scheme=st.sampled_from(SCHEMES),
    fillers=st.sampled_from([(), ("-X-", "-X-")]),
    separator=st.sampled_from(" \t"),
    docstart=st.booleans(),
)
def test_what_is_written_is_what_one_writes_by_hand(
    corpus: Corpus,
    scheme: str,
    fillers: Tuple[str, ...],
    separator: str,
    docstart: bool,
) -> None:
    header = separator.join(["-DOCSTART-", *fillers, "O"]) if docstart else None
    with TemporaryDirectory() as folder:
        by_hand, written = Path(folder) / "by_hand", Path(folder) / "written"
        write_by_hand(by_hand, corpus, scheme, Layout(fillers, separator, header))
        documents = read_conll(by_hand).documents
        write_conll(
            to_docs(documents, vocab=VOCAB, group_by="document"),
            written,
            scheme=scheme,
            columns=2 + len(fillers),
            separator=separator,
            docstart=docstart,
        )
        assert written.read_bytes() == by_hand.read_bytes()


@settings(deadline=None, max_examples=40)
@given(corpus=corpora)
def test_docs_keep_words_sentences_and_entities(corpus: Corpus) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        write_by_hand(path, corpus, "biluo", LAYOUTS[0])
        documents = read_conll(path).documents
    docs = list(to_docs(documents, vocab=VOCAB, group_by="document"))
    assert [to_sentences(doc) for doc in docs] == expected(corpus)
    restored = DocBin().from_bytes(DocBin(docs=docs).to_bytes()).get_docs(VOCAB)
    assert [to_sentences(doc) for doc in restored] == expected(corpus)
    docs = list(to_docs(documents, vocab=VOCAB, group_by="sentence"))
    everything = [sentence for document in corpus for sentence in document]
    assert [to_sentences(doc) for doc in docs] == [
        [s] for s in expected([everything])[0]
    ]


@pytest.mark.parametrize(
    "name, documents, sentences, tokens, entities",
    [("eng.train", 946, 14041, 203621, 23499), ("eng.testa", 216, 3250, 51362, 5942)],
)
def test_official_counts(
    shared_data: Path,
    name: str,
    documents: int,
    sentences: int,
    tokens: int,
    entities: int,
) -> None:
    conll = read_conll(shared_data / "conll2003" / name)
    everything = [sentence for document in conll.documents for sentence in document]
    assert conll.scheme == "iob1"
    assert len(conll.documents) == documents
    assert len(everything) == sentences
    assert sum(len(sentence.words) for sentence in everything) == tokens
    assert sum(len(sentence.entities) for sentence in everything) == entities


def test_wikigold_counts(shared_data: Path) -> None:
    conll = read_conll(shared_data / "ner" / "wikigold" / "wikigold.conll.txt")
    everything = [sentence for document in conll.documents for sentence in document]
    assert conll.scheme == "io"
    assert len(everything) == 1696
    assert sum(len(sentence.entities) for sentence in everything) == 3558


def test_scheme_of_ordinary_tags(tmp_path: Path) -> None:
    cases = {
        "iob2": ["O O", "B-PER", "B-PER O", "B-PER B-PER I-PER"],
        "iob1": ["I-PER B-PER", "I-LOC I-PER B-PER"],
        "io": ["I-PER I-PER", "O I-PER I-LOC"],
        "biluo": ["U-PER", "B-PER L-PER", "B-PER I-PER L-PER U-PER"],
        "bioes": ["S-PER", "B-PER E-PER", "B-PER I-PER E-PER S-PER"],
        "bmes": ["B-PER M-PER E-PER", "S-PER B-PER M-PER M-PER E-PER"],
        "bmewo": ["W-PER", "B-PER M-PER E-PER W-PER"],
    }
    path = tmp_path / "file"
    for scheme, texts in cases.items():
        for text in texts:
            path.write_text("".join(f"word {tag}\n" for tag in text.split()))
            assert read_conll(path).scheme == scheme, text


def test_files_without_tokens(tmp_path: Path) -> None:
    path = tmp_path / "file"
    cases: List[Tuple[str, Documents]]
    cases = [("", []), ("\n \n", []), ("-DOCSTART- O\n\n", [[]])]
    for text, documents in cases:
        path.write_text(text)
        assert read_conll(path).documents == documents


@pytest.mark.parametrize(
    "data, message",
    [
        (b"a O\nb\n", "line 2: 'b' stands alone"),
        (b"\n\na O\nb NN O\n", "line 4: 3 columns, but the lines before have 2"),
        (b"a NN O\n\nb O\n", "line 3: 2 columns, but the lines before have 3"),
        (b"a\tO\n\tO\n", "line 2: the first column, the word, is empty"),
        (b"-DOCSTART- O\n\na PER\n", "line 3: The tag 'PER' has an unknown form"),
        (b"a O\r\nb B-\r\n", "line 2: The tag 'B-' has an unknown form"),
        (b"a X-PER\n", "line 1: The tag 'X-PER' has an unknown form"),
        (b"a o\n", "line 1: The tag 'o' has an unknown form"),
        (b"a O\n\xff O\n", "line 2: the byte 0xff at offset 4 is not UTF-8"),
        (b"\xef\xbb\xbfa O\n\xc3 O", "line 2: the byte 0xc3 at offset 7 is not UTF-8"),
        (b"a B-PER\nb O\nc U-PER\n", "line 1: the tag B-PER is where biluo requires U"),
        (b"a U-PER\nb S-PER\n", "line 2: the tag S-PER is where biluo requires U-PER"),
        (b"a B-PER\nb L-LOC\n", "line 1: the tag B-PER is where biluo requires U-PER"),
    ],
)
def test_errors_name_file_and_line(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "some.conll"
    path.write_bytes(data)
    with pytest.raises(ValueError) as caught:
        read_conll(path)
    assert f"{path}, {message}" in str(caught.value)


def test_a_scheme_that_is_named_is_demanded(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("a O\nb I-PER\nc B-PER\n")
    assert read_conll(path, scheme="iob1").scheme == "iob1"
    with pytest.raises(
        ValueError, match="line 2: the tag I-PER is where iob2 requires B-"
    ):
        read_conll(path, scheme="iob2")
    with pytest.raises(
        ValueError, match="line 3: the tag B-PER is where io requires I-"
    ):
        read_conll(path, scheme="io")
    with pytest.raises(ValueError, match="no tag scheme 'iob3'"):
        read_conll(path, scheme="iob3")
    with pytest.raises(FileNotFoundError):
        read_conll(tmp_path / "absent")


def test_parts_of_speech_are_the_tokens_tags(shared_data: Path) -> None:
    path = shared_data / "conll2003" / "eng.testa"
    rows = [line.split() for line in path.read_text().splitlines()]
    wanted = [row[:2] for row in rows if row and row[0] != "-DOCSTART-"]
    format = ConllFormat(pos_column=2)
    for group_by in ("document", "sentence"):
        docs = read_docs(path, vocab=VOCAB, group_by=group_by, format=format)
        assert [[one.text, one.tag_] for doc in docs for one in doc] == wanted
    docs = read_docs(path, vocab=VOCAB)
    assert not any(doc.has_annotation("TAG") for doc in docs)
    with pytest.raises(ValueError, match="eng.testa has no column 5"):
        read_conll(path, pos_column=5)
