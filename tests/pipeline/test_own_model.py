"""A tagger of one's own that keeps the contract of `tagger/potentials.py`."""

from typing import Any, Callable, Dict, List, Tuple

import pytest
import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Model

from spacy_elmo_ner.tagger import sentence_rows
from spacy_elmo_ner.tagger.potentials import Potentials, Tagger
from spacy_elmo_ner.tagger.sentence_rows import DocRows
from spacy_elmo_ner.text.sentences import LINE_IS_SENTENCE, MAX_LENGTH

CITIES = ("Oslo", "Lima", "Cairo")


@spacy.registry.architectures("spacy_elmo_ner_tests.Cities.v1")  # type: ignore[untyped-decorator]
def build_cities(longest: int = 0) -> Tagger:
    """Scores words by what they are, and learns nothing. The tags are O, B- and I-CITY."""
    attrs: Dict[str, Any] = {"resize_output": _resize, LINE_IS_SENTENCE: False}
    if longest:
        attrs[MAX_LENGTH] = longest
    return Model("cities", _forward, dims={"nO": None}, attrs=attrs)


def _resize(model: Tagger, nO: int) -> Tagger:
    model.set_dim("nO", nO, force=True)
    return model


def _forward(
    model: Tagger, docs: List[Doc], is_train: bool
) -> Tuple[Potentials, Callable[[Potentials], List[Doc]]]:
    rows = DocRows(docs, line_is_sentence=model.attrs[LINE_IS_SENTENCE])
    tokens = [token.text for doc in docs for token in doc]
    n_tags = model.get_dim("nO")
    emissions = torch.zeros(len(rows.places), n_tags)
    for of_word, place in zip(emissions, rows.places, strict=True):
        if tokens[place] in CITIES:
            # a city goes on in the next one
            of_word[1:3] = torch.tensor([9.0, 9.5])
        else:
            of_word[0] = 9.0
    transitions, start, end = torch.zeros(n_tags, n_tags), *torch.zeros(2, n_tags)

    def backprop(gradients: Potentials) -> List[Doc]:
        assert gradients.emissions.shape == emissions.shape
        assert gradients.rows is rows
        return []

    return Potentials(emissions, transitions, start, end, rows), backprop


def pipeline(**config: Any) -> Language:
    nlp = spacy.blank("en")
    model = {"@architectures": "spacy_elmo_ner_tests.Cities.v1", **config}
    component = nlp.add_pipe("elmo_ner", config={"model": model, "tag_scheme": "BIO"})
    component.add_label("CITY")
    nlp.initialize()
    return nlp


def cities(doc: Doc) -> List[str]:
    assert {ent.label_ for ent in doc.ents} <= {"CITY"}
    return [ent.text for ent in doc.ents]


@pytest.mark.filterwarnings("ignore:.*was initialized without examples")
@pytest.mark.parametrize("longest", [0, 50])
def test_it_finds_learns_and_grows(longest: int) -> None:
    nlp = pipeline(longest=longest)
    text = "From Oslo to Lima . "
    docs = list(nlp.pipe([text, "", " \n", text.replace(".", " ") * 2_000]))
    assert [len(doc.ents) for doc in docs] == [2, 0, 0, 4_000]
    assert cities(docs[0]) == ["Oslo", "Lima"]
    example = Example.from_dict(nlp.make_doc(text), {"entities": [(5, 9, "CITY")]})
    assert nlp.update([example], sgd=nlp.create_optimizer())["elmo_ner"] > 1
    nlp.get_pipe("elmo_ner").add_label("RIVER")
    assert cities(nlp(text)) == ["Oslo", "Lima"]


def test_it_is_told_whether_a_line_is_a_sentence() -> None:
    nlp = pipeline()
    text = "We went by bus from Oslo\nLima is far away, they said."
    assert cities(nlp(text)) == ["Oslo\nLima"]
    nlp.get_pipe("elmo_ner").cfg["line_is_sentence"] = True
    assert cities(nlp(text)) == ["Oslo", "Lima"]


def test_sentences_are_found_once_for_each_doc(monkeypatch: pytest.MonkeyPatch) -> None:
    nlp = pipeline()
    seen: List[Doc] = []
    find = sentence_rows.doc_sentences

    def counted(doc: Doc, **settings: Any) -> Any:
        seen.append(doc)
        return find(doc, **settings)

    monkeypatch.setattr(sentence_rows, "doc_sentences", counted)
    docs = list(nlp.pipe(["From Oslo.", "To Lima.", "Cairo"]))
    assert seen == docs
    nlp.update([Example.from_dict(docs[0].copy(), {"entities": [(5, 9, "CITY")]})])
    assert len(seen) == len(docs) + 1
