"""Files as other projects and tools write them; each is spelled out here by hand."""

from pathlib import Path
from typing import List, Tuple

import pytest

from spacy_elmo_ner.corpus.conll import ConllFile, read_conll

Found = List[Tuple[str, List[Tuple[str, str]]]]


def read(tmp_path: Path, text: str, **options: object) -> ConllFile:
    path = tmp_path / "some.conll"
    path.write_bytes(text.encode("utf-8"))
    return read_conll(path, **options)  # type: ignore[arg-type]


def found(file: ConllFile) -> Found:
    """The words of each sentence, and its entities with their labels."""
    return [
        (
            " ".join(words),
            [(" ".join(words[start:end]), label) for start, end, label in spans],
        )
        for document in file.documents
        for words, spans in document
    ]


ANNA: Found = [("Anna lives in Bad Ems", [("Anna", "PER"), ("Bad Ems", "LOC")])]
WORDS = ["Anna", "lives", "in", "Bad", "Ems"]
TAGS = ["B-PER", "O", "O", "B-LOC", "I-LOC"]


def rows(*columns: List[str], separator: str = "\t") -> str:
    return "".join(separator.join(row) + "\n" for row in zip(*columns, strict=True))


COUNT = ["1", "2", "3", "4", "5"]
NONE = ["_"] * 5
MISC = ["SpaceAfter=No|name=" + TAGS[0]] + ["name=" + tag for tag in TAGS[1:]]
SPARSE = ["Tense=Past"] + [f"NE={tag}" if tag != "O" else "_" for tag in TAGS[1:]]
INNER = ["O", "O", "O", "O", "B-LOC"]


@pytest.mark.parametrize(
    "text, columns",
    [
        (rows(COUNT, WORDS, TAGS), (2, 3)),
        (rows(COUNT, WORDS, TAGS, separator=" "), (2, 3)),
        (rows([str(i) for i in range(5)], WORDS, TAGS), (2, 3)),
        # GermEval: outer and inner entities
        (rows(COUNT, WORDS, TAGS, INNER), (2, 3)),
        (
            "#\thttp://x.org/Ems\t[2009-10-17]\n" + rows(COUNT, WORDS, TAGS, INNER),
            (2, 3),
        ),
        # Universal NER
        (rows(COUNT, WORDS, TAGS, ["-"] * 5, ["ada"] * 5), (2, 3)),
        # CoNLL-U, the tags in the tenth column or among others in it
        (rows(COUNT, WORDS, WORDS, *[NONE] * 6, TAGS), (2, 10)),
        (rows(COUNT, WORDS, WORDS, *[NONE] * 6, MISC), (2, 10)),
        # the word first, the last column empty
        (rows(WORDS, TAGS, ["-"] * 5), (1, 2)),
        (rows(WORDS, TAGS, [""] * 5), (1, 2)),
    ],
)
def test_words_and_tags_are_recognized(
    tmp_path: Path, text: str, columns: Tuple[int, int]
) -> None:
    word, tag = columns
    for blank in "", "\n", "\n" + text + "\n":
        file = read(tmp_path, text + blank)
        assert found(file) == ANNA * (1 + text.count("B-PER") * (len(blank) > 1))
        assert f"words in column {word} and the tags in " in file.note
        named = read(tmp_path, text + blank, word_column=word, tag_column=tag)
        assert found(named) == found(file)
        assert named.note == ""


def test_numbers_go_on_from_sentence_to_sentence(tmp_path: Path) -> None:
    text = "7 Anna B-PER\n8 sleeps O\n\n9 Bo B-PER\n"
    assert found(read(tmp_path, text)) == [
        ("Anna sleeps", [("Anna", "PER")]),
        ("Bo", [("Bo", "PER")]),
    ]


def test_multiword_tokens_and_empty_nodes_are_no_tokens(tmp_path: Path) -> None:
    text = """# newdoc id = a
# sent_id = 1
# text = Anna fährt zum Rhein
1\tAnna\t_\tname=B-PER
2\tfährt\t_\tname=O
3-4\tzum\t_\tSpaceAfter=Yes
3\tzu\t_\tname=O
4\tdem\t_\tname=O
4.1\tfahren\t_\t_
5\tRhein\t_\tname=B-LOC

# newdoc id = b
1\tEms\t_\tname=B-LOC
"""
    file = read(tmp_path, text)
    assert [len(document) for document in file.documents] == [1, 1]
    assert file.marks_documents
    assert found(file) == [
        ("Anna fährt zu dem Rhein", [("Anna", "PER"), ("Rhein", "LOC")]),
        ("Ems", [("Ems", "LOC")]),
    ]
    with pytest.raises(ValueError, match="line 5: The tag is '', which says nothing"):
        read(tmp_path, text.replace("\tname=O\n3-4", "\t_\n3-4"))


def test_attributes_that_only_entities_have(tmp_path: Path) -> None:
    wanted = [("Anna lives in Bad Ems", [("Bad Ems", "LOC")])]
    text = rows(COUNT, WORDS, WORDS, *[NONE] * 6, SPARSE)
    assert found(read(tmp_path, text)) == wanted
    with pytest.raises(ValueError, match="attributes NE and ner could both"):
        read(tmp_path, text.replace("NE=B-LOC", "NE=B-LOC|ner=B-LOC"))


def test_numbers_may_be_words(tmp_path: Path) -> None:
    # what we write ourselves: nothing is said beside the word
    for text in ("1 -X- -X- O\n2 -X- -X- O\n", "1 O\n2 O\n", "1\tO\n\n1\tO\n"):
        assert found(read(tmp_path, text))[0][0].startswith("1")
    text = "1 CD O\n2 CD O\n"
    assert found(read(tmp_path, text, word_column=1)) == [("1 2", [])]
    assert found(read(tmp_path, "1984 CD O\nis VBZ O\n")) == [("1984 is", [])]


@pytest.mark.parametrize(
    "text",
    [
        "0 Anna B-PER\n5 sleeps O\n",  # character offsets
        "1 1 Anna B-PER\n1 2 sleeps O\n",  # numbers of sentences
        "1-1\t0-4\tAnna\tB-PER\n1-2\t5-11\tsleeps\tO\n",  # WebAnno
        "2 Anna B-PER\n1 sleeps O\n",
    ],
)
def test_other_numbers_are_no_words_either(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match="nothing but numbers, and they do not count"):
        read(tmp_path, text)
    word = 3 if len(text.split("\n")[0].split()) == 4 else 2
    file = read(tmp_path, text, word_column=word)
    assert found(file) == [("Anna sleeps", [("Anna", "PER")])]


def test_a_header_behind_a_number(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="line 1: -DOCSTART- begins a document only"):
        read(tmp_path, "1 -DOCSTART- O\n\n1 Anna B-PER\n2 sleeps O\n")


def test_a_line_without_its_number(tmp_path: Path) -> None:
    text = "1 Anna B-PER\n2 sleeps O\n\n1 Bo B-PER\n_ wakes O\n\n1 He O\n2 too O\n"
    with pytest.raises(
        ValueError, match="line 5: '_' is in the first column, which co"
    ):
        read(tmp_path, text)
    assert found(read(tmp_path, text, word_column=2))[1] == (
        "Bo wakes",
        [("Bo", "PER")],
    )
    assert found(read(tmp_path, text, word_column=1))[1][0] == "1 _"


def test_columns_that_are_named(tmp_path: Path) -> None:
    text = "B-PER Anna NNP I-NP\nO sleeps VBZ B-VP\n"
    wanted = [("Anna sleeps", [("Anna", "PER")])]
    assert found(read(tmp_path, text, word_column=2, tag_column=1)) == wanted
    assert found(read(tmp_path, text, word_column=-3, tag_column=-4)) == wanted
    for options, message in [
        ({"word_column": 5}, "some.conll has no column 5. Its tokens have 4 columns"),
        ({"tag_column": 0}, "has no column 0"),
        ({"tag_column": -5}, "has no column -5"),
        ({"word_column": 4}, "column 4 cannot hold both the words and the tags"),
    ]:
        with pytest.raises(ValueError, match=message):
            read(tmp_path, text, **options)


def test_several_columns_could_have_the_tags(tmp_path: Path) -> None:
    text = "U.N. I-NP I-ORG _\n"
    with pytest.raises(ValueError, match="columns 2 and 3 could both have them"):
        read(tmp_path, text)
    assert found(read(tmp_path, text, tag_column=3)) == [("U.N.", [("U.N.", "ORG")])]


@pytest.mark.parametrize(
    "text",
    [
        "# id 4f2a\tdomain=en\nAnna _ _ B-PER\nlives _ _ O\n",
        "# id 4f2a domain=en\nAnna _ _ B-PER\nlives _ _ O\n",
        "# sent_id = 1\n# text = Anna lives\nAnna B-PER\nlives O\n",
        "# text = O\nAnna _ _ B-PER\nlives _ _ O\n",
        "# text = Anna\tO\nAnna\t_\tB-PER\nlives\t_\tO\n",
        "#begin document (bc/x); part 000\nAnna _ B-PER\nlives _ O\n\n#end document\n",
        "#FORMAT=X 3\n#Text=Anna lives\nAnna\tB-PER\nlives\tO\n",
        "# a note\n\n# another\nAnna B-PER\nlives O\n\n# the end\n",
        "# x\nAnna\tB-PER\nlives\tO\n",
        "# id a-b\nAnna _ B-PER\nlives _ O\n",
        "## 7 ##\nAnna _ B-PER\nlives _ O\n",
    ],
)
def test_comments_are_left_out(tmp_path: Path, text: str) -> None:
    wanted = [("Anna lives", [("Anna", "PER")])]
    assert found(read(tmp_path, text)) == wanted
    assert found(read(tmp_path, text.replace("\n", "\r\n"))) == wanted


def test_a_number_sign_may_be_a_word(tmp_path: Path) -> None:
    for first in ("# O", "#hashtag O", "#MH17 B-MISC", "## O", "# B-MISC"):
        for text in (f"{first}\nAnna B-PER\n", f"Anna B-PER\n\n{first}\n{first}\n"):
            for separator in " \t":
                text = text.replace(" ", separator)
                words = " ".join(
                    sentence for sentence, _ in found(read(tmp_path, text))
                )
                assert first.split()[0] in words
    assert found(read(tmp_path, "# # - O\n1 CD - O\n")) == [("# 1", [])]
    assert found(read(tmp_path, "10 CD - O\n\n# # - O\na DT - O\n"))[1][0] == "# a"
    assert found(read(tmp_path, "# text = x\tO\n#\tB-X\n")) == [
        ("# text = x #", [("#", "X")])
    ]
    text = "# a comment\n# # O\n1 CD O\n"
    assert found(read(tmp_path, text)) == [("# 1", [])]


@pytest.mark.parametrize(
    "text, message",
    [
        # tokens that lost a column
        ("#hashtag\nAnna O\n", "line 1: '#hashtag' stands alone"),
        ("#\nAnna O\n", "line 1: '#' stands alone"),
        ("# O\nAnna NNP O\n", "line 1: '# O' is not a token with a tag"),
        ("#MH17 O\nAnna NNP O\n", "line 1: 2 columns"),
        ("#hashtag PER\nAnna O\n", "line 1: The tag 'PER' has an unknown form"),
        # inside a sentence
        (
            "Anna O\n# sent_id = 1\n",
            "line 2: '# sent_id = 1' is not a token .* comments",
        ),
    ],
)
def test_what_may_be_a_token_is_no_comment(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        read(tmp_path, text)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
@pytest.mark.parametrize("tail", ["", "{end}", "{end}{end}"])
def test_line_ends(tmp_path: Path, end: str, tail: str) -> None:
    lines = ["Anna\tB-PER", "sleeps\tO", "", "Bo\u2028\x0b\x85n\tB-PER"]
    text = end.join(lines) + tail.format(end=end)
    assert found(read(tmp_path, text)) == [
        ("Anna sleeps", [("Anna", "PER")]),
        ("Bo\u2028\x0b\x85n", [("Bo\u2028\x0b\x85n", "PER")]),
    ]
    with pytest.raises(ValueError, match="line 5: 'x' stands alone"):
        read(tmp_path, end.join([*lines, "x"]))


def test_mixed_line_ends(tmp_path: Path) -> None:
    text = "Anna B-PER\rsleeps O\r\n\r\nBo B-PER\nwakes O\r\rHe O\n\rShe O"
    assert [sentence for sentence, _ in found(read(tmp_path, text))] == [
        "Anna sleeps",
        "Bo wakes",
        "He",
        "She",
    ]


def test_line_of_a_wrong_byte_after_cr(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"Anna O\rBo O\r\nM\xfcller O\r")
    with pytest.raises(ValueError, match="line 3: the byte 0xfc at offset 14"):
        read_conll(path)


@pytest.mark.parametrize(
    "text",
    [
        "Anna|NNP|I-PER lives|VBZ|O in|IN|O Bad|NNP|I-LOC Ems|NNP|I-LOC\n",
        "Anna|B-PER lives|O in|O Bad|B-LOC Ems|I-LOC",
        "\n\nAnna|NNP|I-PER lives|VBZ|O in|IN|O Bad|NNP|I-LOC  Ems|NNP|I-LOC \n\n",
        "Anna|NNP|I-PER\nlives|VBZ|O\nin|IN|O\nBad|NNP|I-LOC\nEms|NNP|I-LOC\n",
    ],
)
def test_tokens_joined_with_their_tags(tmp_path: Path, text: str) -> None:
    for options in {}, {"delimiter": "|"}:
        assert found(read(tmp_path, text, **options)) == ANNA


def test_joined_sentences(tmp_path: Path) -> None:
    text = "The|DT|O B-52|NN|I-MISC\n|||SYM|O A|b|NN|O\n#|#|O 1|CD|O\n"
    assert found(read(tmp_path, text)) == [
        ("The B-52", [("B-52", "MISC")]),
        ("|| A|b", []),
        ("# 1", []),
    ]
    # words and labels with bars in ordinary columns
    assert found(read(tmp_path, "a|O O\nb|O O\n")) == [("a|O b|O", [])]
    assert found(read(tmp_path, "a|O B-X|O\n")) == [("a|O", [("a|O", "X|O")])]


@pytest.mark.parametrize("scheme", ["biluo", "bioes", "bmes", "bmewo", "iob2", "io"])
@pytest.mark.parametrize("spelling", ["{0}-{1}", "{0}_{1}", "{1}-{0}", "{1}_{0}"])
@pytest.mark.parametrize("small", [False, True])
def test_spellings_of_tags(
    tmp_path: Path, scheme: str, spelling: str, small: bool
) -> None:
    letters = {
        "biluo": "BILU",
        "bioes": "BIES",
        "bmes": "BMES",
        "bmewo": "BMEW",
        "iob2": "BIIB",
        "io": "IIII",
    }[scheme]
    begin, inner, last, single = list(letters.lower() if small else letters)
    outside = "o" if small else "O"
    tags = [outside] + [
        spelling.format(letter, "Work-of_art") for letter in (begin, inner, last)
    ]
    tags += [outside, spelling.format(single, "per"), outside]
    words = ["a", "b", "c", "d", "e", "f", "g"]
    file = read(tmp_path, rows(words, tags))
    assert found(file) == [("a b c d e f g", [("b c d", "Work-of_art"), ("f", "per")])]
    assert file.scheme == scheme


@pytest.mark.parametrize(
    "text, message",
    [
        ("a B-PER\nb PER-B\n", "line 2: The tag 'PER-B' has an unknown form"),
        (
            "a PER-B\nb ORG-B\nc B-LOC\n",
            "line 3: The tag 'B-LOC' is spelled differently",
        ),
        ("a O\nb o\n", "line 2: The tag 'o' has an unknown form"),
        ("a B-PER\nb -\n", "line 2: The tag is '-', which says nothing. Write O for"),
        ("a\tB-PER\nb\t\n", "line 2: The tag is ''"),
        ("a _\n", "line 1: The tag is '_'"),
        ("Word Tag\na O\n", "line 1: The tag 'Tag' has .* heading, delete the line"),
        (
            "a b-per\nb e-per\nc I-per\n",
            "line 3: the tag I-per is where bioes requires S",
        ),
    ],
)
def test_tags_that_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(tmp_path, text)


@pytest.mark.parametrize(
    "delimiter, text",
    [
        ("tab", "Anna\tB-PER\nBad Ems\tB-LOC\n"),
        ("\t", "Anna\tB-PER\nBad Ems\tB-LOC\n"),
        (r"\t", "Anna\tB-PER\nBad Ems\tB-LOC\n"),
        (",", "Anna,B-PER\nBad Ems,B-LOC\n"),
        (",", '"Anna","B-PER"\n"Bad Ems",B-LOC\n,,\n'),
        (";", "Anna ; B-PER\nBad Ems ; B-LOC\n"),
        ("|", "Anna|B-PER\nBad Ems|B-LOC\n"),
        ("###", "Anna###B-PER\nBad Ems###B-LOC\n"),
    ],
)
def test_delimiters(tmp_path: Path, delimiter: str, text: str) -> None:
    assert found(read(tmp_path, text, delimiter=delimiter)) == [
        ("Anna Bad Ems", [("Anna", "PER"), ("Bad Ems", "LOC")])
    ]


def test_tabs_and_spaces(tmp_path: Path) -> None:
    spaces = "Anna NNP B-PER\n"
    tabs = spaces.replace(" ", "\t")
    for text, message in [
        (spaces + tabs, "line 2: tabs separate the columns, but spaces in the lines"),
        (tabs + spaces, "line 2: spaces separate the columns, but tabs in the lines"),
        (tabs + "\n" + spaces, "line 3: spaces separate the columns"),
        (spaces + "Bo NNP\tB-PER\n", "line 2: tabs separate the columns"),
    ]:
        with pytest.raises(ValueError, match=message + ".*--delimiter whitespace"):
            read(tmp_path, text)
        words = [
            w
            for s, _ in found(read(tmp_path, text, delimiter="whitespace"))
            for w in s.split()
        ]
        assert len(words) == 2
    # spaces and tabs at the end of a line separate nothing
    assert found(read(tmp_path, "Anna O\t\nBo O \n")) == [("Anna Bo", [])]
    with pytest.raises(
        ValueError, match="There is no delimiter 'comma'. Use auto, tab"
    ):
        read(tmp_path, spaces, delimiter="comma")
    with pytest.raises(ValueError, match="'Anna,O' stands alone.*--delimiter"):
        read(tmp_path, "Anna,O\n")


def test_a_mark_inside_the_file(tmp_path: Path) -> None:
    """Only the first byte order mark is one, though a header may have another."""
    text = "\ufeff-DOCSTART- O\n\n\ufeffAnna O\n\n\ufeff-DOCSTART- O\n\nBo O\n"
    file = read(tmp_path, text)
    assert [[s.words for s in d] for d in file.documents] == [
        [["\ufeffAnna"]],
        [["Bo"]],
    ]
    assert found(read(tmp_path, "\ufeff\ufeff O\n")) == [("\ufeff", [])]


@pytest.mark.parametrize(
    "data, message",
    [
        ("Anna O\n".encode("utf-16"), "is UTF-16. Convert it to UTF-8"),
        ("Anna O\n\nBo O\n".encode("utf-16-le"), "is UTF-16. Convert it to UTF-8"),
        ("Anna O\n\nBo O\n".encode("utf-16-be"), "is UTF-16. Convert it to UTF-8"),
        ("Anna O\n".encode("utf-32"), "is UTF-32. Convert it to UTF-8"),
        (b"\xff\xfe\x00\x00A\x00\x00\x00", "is UTF-32. Convert it to UTF-8"),
        ("Anna O\n\nBo O\n".encode("utf-32-le"), "is UTF-32. Convert it to UTF-8"),
        ("Anna O\n\nBo O\n".encode("utf-32-be"), "is UTF-32. Convert it to UTF-8"),
        (b"\x1f\x8b\x08\x00", "is compressed with gzip. Unpack it first"),
        (b"PK\x03\x04\x14\xff", "is a ZIP archive, as .xlsx"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "is a binary file. Name a text file"),
        (b"x\x9c\xcb", "is compressed, as .spacy files are"),
    ],
)
def test_files_that_are_no_text(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "some.conll"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=f"some.conll {message}"):
        read_conll(path)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is a folder. Name a file in it"):
        read_conll(tmp_path)


@pytest.mark.parametrize(
    "text, word",
    [
        ("doc/1\t0\t0\tIn\tIN\tO\ndoc/1\t0\t1\tRome\tNN\tB-GPE\n", 4),
        ("s1\tEU\tB-ORG\ns1\tx\tO\ns2\ty\tO\n", 2),
        ("a EU B-ORG\na x O\n\nb y O\n\na z O\na x O\n", 2),
        ("1 a EU B-ORG\n2 a x O\n\n1 b y O\n", 3),
    ],
)
def test_names_of_sentences_are_no_words(tmp_path: Path, text: str, word: int) -> None:
    with pytest.raises(
        ValueError, match=r"repeats values such as '.*' from token.*--word-column"
    ):
        read(tmp_path, text)
    wanted = [line.split()[word - 1] for line in text.split("\n") if line]
    sentences = found(read(tmp_path, text, word_column=word))
    assert " ".join(words for words, _ in sentences).split() == wanted


@pytest.mark.parametrize(
    "text",
    [
        "ha UH O\nha UH O\nha NN O\n\nAnna NNP B-PER\nsleeps VBZ O\n",
        "- : O\n- : O\n- : O\n",
        "- -X- -X- O\n- -X- -X- O\n",
        "ha B-X\nha I-X\n",
        "Rome NNP B-LOC\nRome NN O\nis VBZ O\nRome NNP B-LOC\n",
        "Bora NNP B-LOC\nBora NN I-LOC\nis VBZ O\n",
    ],
)
def test_words_may_repeat(tmp_path: Path, text: str) -> None:
    file = read(tmp_path, text)
    words = " ".join(words for words, _ in found(file)).split()
    assert words == [line.split()[0] for line in text.split("\n") if line]
    assert file.note == ""


def test_several_columns_of_tags_are_noted(tmp_path: Path) -> None:
    file = read(tmp_path, "EU B-ORG B-LOC\nx O O\n")
    assert found(file) == [("EU x", [("EU", "LOC")])]
    assert "the tags in column 3 of 3; --word-column and --tag-column" in file.note
    assert read(tmp_path, "EU B-ORG B-LOC\nx O O\n", tag_column=2).note == ""
    for chunk in "I-NP", "I-NC", "O", "-X-":
        assert read(tmp_path, f"EU NNP {chunk} B-ORG\nx NN O O\n").note == ""


@pytest.mark.parametrize(
    "text, message",
    [
        ("EU B-ORG|B-LOC\nx O\n", "line 1: The tag 'B-ORG|B-LOC' combines the tags"),
        (
            "x O\nEU B-ORG\nEU (ORG)\n",
            r"line 3: The tag '\(ORG\)' is in the bracket notation",
        ),
        (
            "TOKEN\tNE\tMISC\n# language = fr\nEU\tB-ORG\t_\nx\tO\tEOL\n",
            "line 1: a comment follows.* heading. Delete",
        ),
        ("The|DT|O Paris|I-LOC\n", r"line 1: in 'The\|DT\|O .* more parts"),
        ("Anna,O\n", "--delimiter ,"),
        ("Anna;O\n", "--delimiter ';'"),
    ],
)
def test_notations_that_are_not_read(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("G|B", r"G\|B")):
        read(tmp_path, text)


def test_commas_in_a_csv_file(tmp_path: Path) -> None:
    path = tmp_path / "some.csv"
    path.write_text("Bad Ems,B-LOC\nis nice,O\n")
    with pytest.raises(ValueError, match="some.csv: every line has ','.*--delimiter ,"):
        read_conll(path)
    assert found(read_conll(path, delimiter=",")) == [
        ("Bad Ems is nice", [("Bad Ems", "LOC")])
    ]
