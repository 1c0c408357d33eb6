import copy
import itertools
import pickle
from itertools import pairwise
from typing import Any, Callable, List, Optional, Sequence, Tuple

import numpy as np
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, Span
from spacy.training import Example, biluo_tags_to_spans

from spacy_elmo_ner.tagger.gold_tags import read_gold_tags, tags_of_words
from spacy_elmo_ner.tagger.tag_schemes import TagScheme, check_label
from tests.tagger.paths import path_of

LABELS = ("PER", "WORK-OF-ART", "O")
NLP = spacy.blank("en")

schemes = st.builds(
    TagScheme,
    st.sampled_from(["BIO", "BILUO"]),
    st.integers(0, 3).map(lambda n: LABELS[:n]),
)


@st.composite
def scheme_and_spans(
    draw: Any, max_length: int = 9
) -> Tuple[TagScheme, List[Tuple[int, int, str]], int]:
    scheme = draw(schemes)
    length = draw(st.integers(0, max_length))
    edges = sorted(draw(st.sets(st.integers(0, length))))
    spans = [
        (start, end, draw(st.sampled_from(scheme.labels)))
        for start, end in pairwise(edges)
        if scheme.labels and draw(st.booleans())
    ]
    return scheme, spans, length


def is_legal(scheme: TagScheme, tags: Sequence[int]) -> bool:
    return (
        len(tags) == 0
        or bool(scheme.legal_start[tags[0]] and scheme.legal_end[tags[-1]])
        and all(scheme.legal_transitions[a, b] for a, b in pairwise(tags))
    )


def legal_paths(scheme: TagScheme, mask: np.ndarray) -> List[Tuple[int, ...]]:
    options = [np.flatnonzero(row).tolist() for row in mask]
    return [path for path in itertools.product(*options) if is_legal(scheme, path)]


def doc_with(spans: Sequence[Tuple[int, int, str]], length: int) -> Doc:
    doc = Doc(NLP.vocab, words=["word"] * length)
    doc.set_ents([Span(doc, start, end, label) for start, end, label in spans])
    return doc


def gold_strings(
    spans: Sequence[Tuple[int, int, str]], length: int
) -> List[Optional[str]]:
    """spaCy's own BILUO for these entities."""
    gold = doc_with(spans, length)
    return [*Example(Doc(NLP.vocab, words=["word"] * length), gold).get_aligned_ner()]


def test_tags_are_in_order_and_only_appended() -> None:
    bio = TagScheme("BIO", ("PER", "LOC"))
    assert bio.tags == ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
    biluo = TagScheme("BILUO", ("PER",))
    assert biluo.tags == ("O", "B-PER", "I-PER", "L-PER", "U-PER")
    for name in ("BIO", "BILUO"):
        few, more = TagScheme(name, ("A", "B")), TagScheme(name, ("A", "B", "C"))
        n = len(few.tags)
        assert more.before_growth(n) == few
        assert more.tags[:n] == few.tags
        assert [more.tags.index(tag) for tag in few.tags] == list(range(n))
        assert (more.legal_transitions[:n, :n] == few.legal_transitions).all()
        assert (more.legal_start[:n] == few.legal_start).all()
        assert (more.legal_end[:n] == few.legal_end).all()


@settings(deadline=None)
@given(scheme_and_spans())
def test_tags_of_entities_are_legal_and_decode_to_the_same(case: Any) -> None:
    scheme, spans, length = case
    tags = path_of(scheme, spans, length)
    assert tags.shape == (length,) and tags.dtype == np.int64
    assert is_legal(scheme, tags.tolist())
    assert scheme.decode(tags.tolist()) == spans
    assert scheme.decode([*tags, -1, -1]) == spans


@settings(deadline=None)
@given(schemes, st.integers(0, 4))
def test_every_legal_path_is_that_of_its_entities(
    scheme: TagScheme, length: int
) -> None:
    scheme = TagScheme(scheme.name, scheme.labels[:2])
    paths = legal_paths(scheme, scheme.unrestricted(length))
    decoded = [tuple(scheme.decode(path)) for path in paths]
    assert len(set(decoded)) == len(paths)
    for path, spans in zip(paths, decoded, strict=True):
        assert tuple(path_of(scheme, spans, length)) == path


@settings(deadline=None)
@given(scheme_and_spans())
def test_spacy_reads_the_tags_as_we_do(case: Any) -> None:
    scheme, spans, length = case
    scheme = TagScheme("BILUO", scheme.labels)
    tags = [scheme.tags[i] for i in path_of(scheme, spans, length)]
    assert tags == gold_strings(spans, length)
    found = biluo_tags_to_spans(doc_with([], length), tags)
    assert [(span.start, span.end, span.label_) for span in found] == spans


@settings(deadline=None)
@given(scheme_and_spans())
def test_bio_is_what_spacy_stores_in_a_doc(case: Any) -> None:
    scheme, spans, length = case
    scheme = TagScheme("BIO", scheme.labels)
    stored = [
        f"{token.ent_iob_}-{token.ent_type_}" if token.ent_type_ else token.ent_iob_
        for token in doc_with(spans, length)
    ]
    tags = [scheme.tags[i] for i in path_of(scheme, spans, length)]
    assert tags == (stored if spans else ["O"] * length)


@settings(deadline=None)
@given(scheme_and_spans())
def test_complete_gold_allows_one_legal_path(case: Any) -> None:
    scheme, spans, length = case
    mask = scheme.allowed(gold_strings(spans, length))
    assert mask.shape == (length, len(scheme.tags)) and mask.dtype == bool
    assert (mask.sum(1) == 1).all()
    assert legal_paths(scheme, mask) == [tuple(path_of(scheme, spans, length))]


@settings(deadline=None)
@given(st.data(), scheme_and_spans(max_length=4))
def test_gold_with_gaps_allows_the_paths_that_agree(data: Any, case: Any) -> None:
    scheme, spans, length = case
    scheme = TagScheme(scheme.name, scheme.labels[:2])
    spans = [(start, end, scheme.labels[0]) for start, end, _ in spans]
    gold: List[Optional[str]] = gold_strings(spans, length)
    kept = [span for span in spans if data.draw(st.booleans())]
    known = [data.draw(st.booleans()) for _ in range(length)]
    for start, end, _ in spans:
        known[start:end] = [(start, end, _) in kept] * (end - start)
    gold = [tag if k else None for tag, k in zip(gold, known, strict=True)]

    def agrees(path: Tuple[int, ...]) -> bool:
        found = scheme.decode(path)
        inside = {i for start, end, _ in found for i in range(start, end)}
        outside = {i for i in range(length) if gold[i] == "O"}
        return set(kept) <= set(found) and not inside & outside

    every = legal_paths(scheme, scheme.unrestricted(length))
    assert legal_paths(scheme, scheme.allowed(gold)) == list(filter(agrees, every))


def test_aligned_gold_of_spacy_is_understood() -> None:
    words = ["He", "saw", "New", "York", "City", "today"]
    gold = Doc(NLP.vocab, words=words, spaces=[True, True, False, True, True, False])
    gold.set_ents([Span(gold, 2, 5, "LOC")], missing=[gold[5:6]], default="outside")
    predicted = Doc(NLP.vocab, words=["He", "saw", "NewYork", "City", "today"])
    aligned = Example(predicted, gold).get_aligned_ner()
    scheme = TagScheme("BILUO", ("LOC",))
    mask = scheme.allowed(aligned)
    assert mask[:2, 1:].sum() == 0
    assert mask[4].all()
    assert tuple(path_of(scheme, [(2, 4, "LOC")], 5)[:4]) in {
        path[:4] for path in legal_paths(scheme, mask)
    }


@pytest.mark.parametrize("name", ["BIO", "BILUO"])
def test_entities_cut_by_the_edges_are_unknown(name: str) -> None:
    scheme = TagScheme(name, ("A", "B"))
    gold = ["I-A", "L-A", "O", "U-B", "B-A", "I-A"]
    mask = scheme.allowed(gold)
    assert mask[[0, 1, 4, 5], 0].all() and mask[[0, 1]].all() and mask[5].all()
    assert np.flatnonzero(mask[2]).tolist() == [0]
    assert mask[3].sum() == 1
    # The entity before is complete, so the cut one does not make it longer.
    assert not (mask[4] & scheme.continuation("B")).any()
    assert all(not part[0] for part in read_gold_tags(["I-A", "I-A"]))
    assert all(not part[0] for part in read_gold_tags(["L-A"]))
    assert all(not part[0] for part in read_gold_tags(["B-A"]))
    # Another label's entity does not belong to the piece before it.
    assert read_gold_tags(["I-A", "L-B", "L-B"])[1] == ("L", "B")


@settings(deadline=None)
@given(st.data(), scheme_and_spans(max_length=4))
def test_entity_mask_admits_exactly_the_paths_with_the_entity(
    data: Any, case: Any
) -> None:
    scheme, spans, length = case
    scheme = TagScheme(scheme.name, scheme.labels[:2])
    if not spans:
        return
    start, end, _ = data.draw(st.sampled_from(spans))
    label = data.draw(st.sampled_from(scheme.labels))
    everything = scheme.unrestricted(length)
    mask = scheme.entity_mask(everything, start, end, label)
    assert everything.all()
    assert legal_paths(scheme, mask) == [
        path
        for path in legal_paths(scheme, everything)
        if (start, end, label) in scheme.decode(path)
    ]


TAGS_OF_WORDS = [
    # tags of tokens, which are words, and the words' tags
    ("B-A L-A O", "101", "U-A O"),
    ("B-A I-A L-A", "011", "B-A L-A"),
    ("B-A I-A L-A", "110", "B-A L-A"),
    ("B-A I-A L-A", "101", "B-A L-A"),
    ("B-A I-A L-A U-B", "0011", "U-A U-B"),
    ("O U-A O", "101", "O O"),
    ("- B-A L-A", "110", "- U-A"),
    # an entity of which a part lies elsewhere stays one
    ("I-A L-A O", "101", "I-A O"),
    ("O B-A I-A", "011", "B-A I-A"),
]


@pytest.mark.parametrize("tags, words, expected", TAGS_OF_WORDS)
def test_entities_end_with_their_words(tags: str, words: str, expected: str) -> None:
    places = [i for i, is_word in enumerate(words) if is_word == "1"]
    assert tags_of_words(tags.split(), places) == expected.split()


def test_sequences_that_break_the_scheme_are_read_as_conlleval_does() -> None:
    scheme = TagScheme("BILUO", ("A", "B"))
    tags = [
        scheme.tags.index(t) for t in ["I-A", "L-B", "O", "B-A", "B-A", "L-A", "L-A"]
    ]
    assert scheme.decode(tags) == [
        (0, 1, "A"),
        (1, 2, "B"),
        (3, 4, "A"),
        (4, 6, "A"),
        (6, 7, "A"),
    ]


def test_equal_schemes_are_interchangeable() -> None:
    scheme = TagScheme("BIO", ("A",))
    assert scheme.tags and scheme.legal_transitions.shape == (3, 3)
    for twin in (pickle.loads(pickle.dumps(scheme)), copy.deepcopy(scheme)):
        assert twin == scheme and hash(twin) == hash(scheme)
        assert (twin.legal_transitions == scheme.legal_transitions).all()


@pytest.mark.parametrize("prefixed", ["B-PER", "I-PER", "L-PER", "U-PER"])
def test_prefixed_labels_are_refused(prefixed: str) -> None:
    with pytest.raises(ValueError, match=f"{prefixed}.*pass 'PER' instead"):
        TagScheme("BILUO", ("LOC", prefixed))


def test_bad_schemes_and_labels_are_refused() -> None:
    assert check_label("WORK-OF-ART") == "WORK-OF-ART"
    with pytest.raises(ValueError, match="pass a label without it"):
        check_label("I-")
    for wrong in ("", " "):
        with pytest.raises(ValueError, match="not empty"):
            check_label(wrong)
    for wrong in ("A\nB", "A\tB", "\0"):
        with pytest.raises(ValueError, match="control character"):
            check_label(wrong)
    with pytest.raises(ValueError, match="no tag scheme 'IOB1'.*BIO"):
        TagScheme("IOB1", ("A",))
    with pytest.raises(ValueError, match="'A' is given more than once"):
        TagScheme("BIO", ("A", "B", "A"))


def test_bad_spans_and_tags_are_refused() -> None:
    scheme = TagScheme("BILUO", ("PER", "LOC"))
    for span in [(-1, 1, "PER"), (2, 5, "PER"), (1, 1, "PER"), (3, 2, "PER")]:
        with pytest.raises(ValueError, match="is not inside a sequence of 4 tokens"):
            scheme.entity_mask(scheme.unrestricted(4), *span)
    calls: List[Callable[[], object]] = [
        lambda: scheme.allowed(["O", "U-ORG"]),
        lambda: scheme.span_tags(1, "ORG"),
        lambda: scheme.continuation("ORG"),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="'ORG' is not among.*'PER', 'LOC'"):
            call()
    with pytest.raises(ValueError, match="0 tokens"):
        scheme.span_tags(0, "PER")
    for tag in ["PER", "B-", "X-PER", "B"]:
        with pytest.raises(ValueError, match=f"gold tag '{tag}' is not BILUO"):
            scheme.allowed(["O", tag])
