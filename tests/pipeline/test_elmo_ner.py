"""The promises of spaCy's own NER component, kept by ours."""

from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy
import pytest
import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_elmo_ner.pipeline import elmo_ner
from spacy_elmo_ner.pipeline.loss import rehearsal_loss
from tests.pipeline.small_model import SMALL_MODEL, TEXTS, examples_of, train

TEXT = "I like London."


def entities(doc: Doc) -> List[Tuple[str, str]]:
    return [(ent.text, ent.label_) for ent in doc.ents]


def iobs(doc: Doc) -> List[str]:
    return [token.ent_iob_ for token in doc]


def types(doc: Doc) -> List[str]:
    return [token.ent_type_ for token in doc]


def test_learns_and_survives_saving(trained: Language, tmp_path: Path) -> None:
    assert entities(trained(TEXT)) == [("London", "LOC")]
    trained.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    from_bytes = spacy.blank("en")
    from_bytes.add_pipe("elmo_ner", config={"model": SMALL_MODEL})
    from_bytes.from_bytes(trained.to_bytes())
    docs = [trained.make_doc(text) for text, _ in TEXTS]
    expected = trained.get_pipe("elmo_ner").model.predict(docs)
    for nlp in (loaded, from_bytes):
        assert nlp.get_pipe("elmo_ner").labels == ("LOC", "PERSON")
        potentials = nlp.get_pipe("elmo_ner").model.predict(docs)
        for ours, theirs in zip(expected, potentials, strict=True):
            assert numpy.array_equal(ours.numpy(), theirs.numpy())
        assert entities(nlp(TEXT)) == [("London", "LOC")]


def test_call_pipe_and_processes_agree(trained: Language) -> None:
    texts = ["Just a sentence.", "Then one about London.", "", TEXT, "Shaka Khan? No!"]
    one_by_one = [entities(trained(text)) for text in texts]
    assert any(one_by_one)
    every: List[Dict[str, int]] = [
        {},
        {"batch_size": 2},
        {"n_process": 2, "batch_size": 2},
    ]
    for options in every:
        docs = trained.pipe(texts, **options)  # type: ignore[call-overload]
        assert [entities(doc) for doc in docs] == one_by_one


def test_processes_after_torch_has_used_threads(trained: Language) -> None:
    """A forked process must not wait for threads that only its parent has."""
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        torch.randn(512, 512) @ torch.randn(512, 512)
        trained(TEXT * 50)
        docs = list(trained.pipe([TEXT, TEXT], n_process=2))
    finally:
        torch.set_num_threads(threads)
    assert [entities(doc) for doc in docs] == [[("London", "LOC")]] * 2


def test_label_added_after_training_changes_no_prediction(trained: Language) -> None:
    texts = [text for text, _ in TEXTS] + [TEXT]
    before = [entities(doc) for doc in trained.pipe(texts)]
    assert trained.get_pipe("elmo_ner").add_label("NEW") == 1
    assert trained.get_pipe("elmo_ner").add_label("NEW") == 0
    assert [entities(doc) for doc in trained.pipe(texts)] == before


def test_new_label_is_learnt_by_a_sourced_component(trained: Language) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("elmo_ner", source=trained)
    nlp.get_pipe("elmo_ner").add_label("FRUIT")
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.01
    new = [("He eats a mango.", {"entities": [(10, 15, "FRUIT")]})]
    for _ in range(60):
        nlp.update(examples_of(nlp, TEXTS + new), sgd=optimizer)
    assert entities(nlp("He eats a mango.")) == [("mango", "FRUIT")]
    assert entities(nlp(TEXT)) == [("London", "LOC")]


def test_an_entity_on_white_space_beside_a_name_changes_nothing(
    trained: Language,
) -> None:
    text = "Who is  Shaka Khan  ?"
    doc = trained.make_doc(text)
    doc.ents = [Span(doc, i, i + 1, label="X") for i in (2, 5)]
    doc = trained.get_pipe("elmo_ner")(doc)
    assert entities(doc)[1] == ("Shaka Khan", "PERSON")
    assert len(doc.ents) == 3


def test_knowledge_base_ids_are_kept(trained: Language) -> None:
    doc = trained.make_doc("I like London and London.")
    doc.ents = [Span(doc, 2, 3, label="LOC", kb_id=1234)]
    doc = trained.get_pipe("elmo_ner")(doc)
    assert entities(doc) == [("London", "LOC"), ("London", "LOC")]
    assert [ent.kb_id for ent in doc.ents] == [1234, 0]


def test_untrained_says_outside(nlp: Language) -> None:
    nlp.get_pipe("elmo_ner").add_label("MY_LABEL")
    nlp.initialize(lambda: examples_of(nlp))
    doc = nlp("John is watching the news about Croatia's elections")
    assert iobs(doc) == ["O"] * 9
    assert doc.has_annotation("ENT_IOB")


def test_no_labels(nlp: Language) -> None:
    examples = examples_of(nlp, [("Nothing here.", {"entities": []})])
    optimizer = nlp.initialize(lambda: examples)
    nlp.update(examples, sgd=optimizer)
    assert nlp.get_pipe("elmo_ner").labels == ()
    assert iobs(nlp("Nothing here.")) == ["O", "O", "O"]


def test_prediction_before_initialization_says_what_to_do(nlp: Language) -> None:
    with pytest.raises(ValueError, match=r"nlp\.initialize\(\)"):
        nlp("London")


@pytest.mark.parametrize("text", ["", " ", "\n\n", "Nothing"])
def test_short_docs(trained: Language, text: str) -> None:
    doc = trained(text)
    assert iobs(doc) == ["O"] * len(doc)
    losses = trained.update([Example.from_dict(doc, {"entities": []})])
    assert losses["elmo_ner"] >= 0


def test_one_token_entity(trained: Language) -> None:
    assert entities(trained("London")) == [("London", "LOC")]


def test_empty_texts_in_training(nlp: Language) -> None:
    examples = examples_of(nlp, TEXTS + [("", {"entities": []})])
    optimizer = nlp.initialize(lambda: examples)
    assert nlp.update(examples, sgd=optimizer)["elmo_ner"] > 0
    assert nlp.update(examples[-1:], sgd=optimizer)["elmo_ner"] == 0


def test_ruler_before(nlp: Language) -> None:
    ruler = nlp.add_pipe("entity_ruler", before="elmo_ner")
    nlp.get_pipe("elmo_ner").add_label("MY_LABEL")
    nlp.initialize(lambda: examples_of(nlp))
    ruler.add_patterns([{"label": "THING", "pattern": "This"}])
    doc = nlp("This is Antti Korhonen speaking in Finland")
    assert iobs(doc) == ["B", "O", "O", "O", "O", "O", "O"]
    assert types(doc) == ["THING", "", "", "", "", "", ""]


def test_ruler_after(nlp: Language) -> None:
    nlp.get_pipe("elmo_ner").add_label("MY_LABEL")
    nlp.initialize(lambda: examples_of(nlp))
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "THING", "pattern": "This"}])
    doc = nlp("This is Antti Korhonen speaking in Finland")
    assert iobs(doc) == ["B", "O", "O", "O", "O", "O", "O"]
    assert types(doc) == ["THING", "", "", "", "", "", ""]


def test_preset_entity_wins_over_the_model(trained: Language) -> None:
    doc = trained.make_doc("I like London and Berlin.")
    doc.ents = [Span(doc, 1, 3, label="LOC")]
    trained.get_pipe("elmo_ner")(doc)
    assert entities(doc) == [("like London", "LOC"), ("Berlin", "LOC")]


def test_preset_entity_across_sentences_stays(trained: Language) -> None:
    doc = trained.make_doc("I like London. Berlin is nice.")
    doc.ents = [Span(doc, 2, 5, label="LOC")]
    trained.get_pipe("elmo_ner")(doc)
    assert entities(doc) == [("London. Berlin", "LOC")]


def test_blocked_tokens_stay_blocked(trained: Language) -> None:
    doc = trained.make_doc("I like London and Berlin.")
    doc.set_ents([], blocked=[doc[2:3]], default="unmodified")
    trained.get_pipe("elmo_ner")(doc)
    assert entities(doc) == [("Berlin", "LOC")]
    assert iobs(doc) == ["O", "O", "B", "O", "B", "O"]


def test_white_space_neither_begins_nor_ends_an_entity(trained: Language) -> None:
    for scheme in ("BILUO", "BIO"):
        nlp = spacy.blank("en")
        nlp.add_pipe("elmo_ner", config={"model": SMALL_MODEL, "tag_scheme": scheme})
        train(nlp, examples_of(nlp), 40)
        # every tag scores the same, so only what is forbidden keeps space outside
        for doc in nlp.pipe(["  London  \n Khan", " \n ", "Who is  Shaka  Khan ?"]):
            for ent in doc.ents:
                assert not ent[0].is_space and not ent[-1].is_space


def test_missing_gold_teaches_nothing(nlp: Language) -> None:
    nlp.initialize(lambda: examples_of(nlp))
    pipe = nlp.get_pipe("elmo_ner")
    unknown = [Example(nlp.make_doc(text), nlp.make_doc(text)) for text, _ in TEXTS]
    potentials = pipe.model.predict([eg.predicted for eg in unknown])
    loss, gradients = pipe.get_loss(unknown, potentials)
    assert loss == pytest.approx(0, abs=1e-6)
    assert all(gradient.abs().max() < 1e-6 for gradient in gradients)


def test_partly_annotated_gold_is_learnt_where_it_is_known(nlp: Language) -> None:
    """Tokens without gold must not be taught as outside."""
    doc = nlp.make_doc("I like London and Berlin.")
    reference = nlp.make_doc("I like London and Berlin.")
    reference.set_ents(
        [Span(reference, 2, 3, label="LOC")],
        outside=[reference[0:2]],
        default="missing",
    )
    examples = [Example(doc, reference)]
    train(nlp, examples, 80)
    assert entities(nlp("I like London and Berlin."))[0] == ("London", "LOC")
    assert "Berlin" in dict(entities(nlp("I like London and Berlin.")))


def test_misaligned_gold_is_unknown(nlp: Language) -> None:
    predicted = Doc(nlp.vocab, words=["I", "like", "Lon", "don", "now"])
    reference = Doc(nlp.vocab, words=["I", "like", "London", "now"])
    reference.ents = [Span(reference, 2, 3, label="LOC")]
    aligned = Example(predicted, reference)
    assert aligned.get_aligned_ner()[2:4] == ["B-LOC", "L-LOC"]
    spaces = [True, True, False, False]
    halves = Doc(nlp.vocab, words=["I", "like", "Londonn", "ow"], spaces=spaces)
    misaligned = Example(halves, reference)
    assert None in misaligned.get_aligned_ner()
    optimizer = nlp.initialize(lambda: [aligned, misaligned])
    losses = nlp.update([aligned, misaligned], sgd=optimizer)
    assert 0 < losses["elmo_ner"] < 100


def test_gold_outside_the_labels_is_refused(trained: Language) -> None:
    example = examples_of(trained, [("Apple rises.", {"entities": [(0, 5, "ORG")]})])
    with pytest.raises(ValueError, match="'ORG'.*'LOC', 'PERSON'"):
        trained.update(example)


@pytest.mark.parametrize("label", ["B-PER", "U-LOC", ""])
def test_labels_with_a_scheme_prefix_are_refused(
    nlp: Language, label: Optional[str]
) -> None:
    with pytest.raises(ValueError, match="prefix|not empty"):
        nlp.get_pipe("elmo_ner").add_label(label)


def test_labels_with_hyphens(nlp: Language) -> None:
    examples = examples_of(nlp, [("A cat!", {"entities": [(2, 5, "LARGE-ANIMAL")]})])
    train(nlp, examples, 60)
    assert nlp.get_pipe("elmo_ner").labels == ("LARGE-ANIMAL",)
    assert entities(nlp("A cat!")) == [("cat", "LARGE-ANIMAL")]


def test_many_labels(nlp: Language) -> None:
    for number in range(300):
        nlp.get_pipe("elmo_ner").add_label(str(number))
    examples = examples_of(nlp, [("One sentence", {"entities": []})])
    optimizer = nlp.initialize(lambda: examples)
    nlp.update(examples, sgd=optimizer, drop=0.5)
    assert iobs(nlp("One sentence")) == ["O", "O"]


def negative_pipeline() -> Language:
    nlp = spacy.blank("en")
    config = {"model": SMALL_MODEL, "incorrect_spans_key": "wrong"}
    nlp.add_pipe("elmo_ner", config=config)
    return nlp


def test_negative_examples_unlearn_an_entity() -> None:
    nlp = negative_pipeline()
    train(nlp, examples_of(nlp))
    assert entities(nlp(TEXT)) == [("London", "LOC")]
    doc = nlp.make_doc(TEXT)
    example = Example(doc, nlp.make_doc(TEXT))
    example.reference.spans["wrong"] = [Span(example.reference, 2, 3, "LOC")]
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.01
    for _ in range(40):
        nlp.update([example], sgd=optimizer)
    assert ("London", "LOC") not in entities(nlp(TEXT))


def test_negative_examples_beside_gold() -> None:
    nlp = negative_pipeline()
    nlp.get_pipe("elmo_ner").add_label("ORG")
    examples = examples_of(nlp, TEXTS[:1])
    reference = examples[0].reference
    reference.spans["wrong"] = [
        Span(reference, 2, 4, "ORG"),
        Span(reference, 2, 3, "PERSON"),
        Span(reference, 1, 4, "PERSON"),
    ]
    train(nlp, examples, 60)
    assert entities(nlp(TEXTS[0][0])) == [("Shaka Khan", "PERSON")]


def test_outside_may_be_what_is_wrong() -> None:
    # of these words it is known that they are in some entity, but not in which
    nlp = negative_pipeline()
    train(nlp, examples_of(nlp, TEXTS[:2]))
    text = "It is Oslo"
    assert entities(nlp(text)) == []
    example = Example(nlp.make_doc(text), nlp.make_doc(text))
    example.reference.spans["wrong"] = [Span(example.reference, 2, 3, "O")]
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.01
    for _ in range(40):
        nlp.update([example], sgd=optimizer)
    assert "Oslo" in " ".join(name for name, _ in entities(nlp(text)))


def test_a_doc_too_long_to_be_read_at_once(
    trained: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elmo_ner, "PREDICT_TOKENS", 20)
    trained.get_pipe("elmo_ner").cfg["scores_key"] = "found"
    text = " ".join([TEXTS[1][0], TEXTS[0][0], TEXTS[2][0]] * 6)
    (whole,) = trained.pipe([text])
    expected = [("London", "LOC"), ("Berlin", "LOC"), ("Shaka Khan", "PERSON")] * 6
    assert entities(whole) == expected
    assert len(whole.spans["found"].attrs["scores"]) == len(expected)
    # with an entity that is set at each place where a part could end
    for start in range(len(whole) - 5):
        doc = trained.make_doc(text)
        doc.ents = [Span(doc, start, start + 5, "PRESET")]
        preset = trained.get_pipe("elmo_ner")(doc).ents
        assert [ent for ent in preset if ent.label_ == "PRESET"][0].start == start


def test_an_entity_longer_than_what_two_parts_share_stays(
    trained: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elmo_ner, "PREDICT_TOKENS", 20)
    text = " ".join(["I like London and Berlin"] * 12)
    for start in range(0, 48, 7):
        doc = trained.make_doc(text)
        doc.ents = [Span(doc, start, start + 12, "PRESET")]
        found = trained.get_pipe("elmo_ner")(doc).ents
        assert [(e.start, e.end) for e in found if e.label_ == "PRESET"] == [
            (start, start + 12)
        ]
        assert len(found) > 10


def test_negative_example_that_is_gold_is_refused() -> None:
    nlp = negative_pipeline()
    examples = examples_of(nlp, TEXTS[:1])
    reference = examples[0].reference
    reference.spans["wrong"] = [Span(reference, 2, 4, "PERSON")]
    nlp.initialize(lambda: examples)
    with pytest.raises(ValueError, match="Shaka Khan.*Remove it"):
        nlp.update(examples)


def test_rehearsal_keeps_what_was_known(trained: Language) -> None:
    """New text pulls the model away from London; rehearsal holds it back."""
    drift: List[Tuple[str, Dict[str, Any]]] = [
        ("I like mangos.", {"entities": []}),
        ("I like it.", {"entities": []}),
    ]

    def after_drift(rehearse: bool) -> float:
        nlp = spacy.blank("en")
        nlp.add_pipe("elmo_ner", source=trained)
        optimizer = nlp.resume_training()
        optimizer.learn_rate = 0.003
        old = [Example(nlp.make_doc(text), nlp.make_doc(text)) for text, _ in TEXTS]
        for _ in range(15):
            nlp.update(examples_of(nlp, drift), sgd=optimizer)
            if rehearse:
                nlp.rehearse(old, sgd=optimizer)
        pipe = nlp.get_pipe("elmo_ner")
        examples = examples_of(nlp)
        potentials = pipe.model.predict([eg.predicted for eg in examples])
        return float(pipe.get_loss(examples, potentials)[0])

    assert after_drift(rehearse=True) < after_drift(rehearse=False)


def test_rehearsal_alone_goes_back_to_what_was_known(trained: Language) -> None:
    """`nlp.rehearse` collects the gradients and hands them to the optimizer later."""
    optimizer = trained.resume_training()
    pipe = trained.get_pipe("elmo_ner")
    old = [Example(trained.make_doc(text), trained.make_doc(text)) for text, _ in TEXTS]
    shim = pipe.model.get_ref("output_layer").shims[0]
    with torch.no_grad():
        shim.module.output.bias += torch.linspace(-1, 1, len(shim.module.output.bias))
    losses: List[float] = []
    for _ in range(3):
        of_step: Dict[str, float] = {}
        trained.rehearse(old, sgd=optimizer, losses=of_step)
        losses.append(of_step[pipe.name])
    assert losses[2] < losses[1] < losses[0]


def test_rehearsal_leaves_a_model_at_its_teacher_alone(trained: Language) -> None:
    optimizer = trained.resume_training()
    pipe = trained.get_pipe("elmo_ner")
    optimizer.learn_rate = 1e-4
    old = [Example(trained.make_doc(text), trained.make_doc(text)) for text, _ in TEXTS]
    docs = [eg.predicted for eg in old]
    before = pipe.model.predict(docs).emissions.clone()
    trained.rehearse(old, sgd=optimizer)
    assert numpy.allclose(pipe.model.predict(docs).emissions, before, atol=0.05)


def test_rehearsal_keeps_a_new_label_out_of_old_entities(trained: Language) -> None:
    """Elsewhere it is free, whatever its scores are."""
    pipe = trained.get_pipe("elmo_ner")
    trained.resume_training()
    docs = [trained.make_doc(text) for text, _ in TEXTS]
    teacher = pipe.model.predict(docs)
    found = [token.ent_type_ for text, _ in TEXTS for token in trained(text)]
    pipe.add_label("NEW")
    _, gradients = rehearsal_loss(pipe.model.predict(docs), teacher, pipe.scheme)
    of_new_label = gradients.emissions[:, len(teacher.start) :]
    in_entity = torch.tensor([label != "" for label in found])
    assert in_entity.any() and not in_entity.all()
    assert (of_new_label[~in_entity] == 0).all()
    # gradient descent takes such scores down
    assert (of_new_label[in_entity].sum(1) > 0).all()


def test_probabilities_of_entities(trained: Language) -> None:
    pipe = trained.get_pipe("elmo_ner")
    pipe.cfg["scores_key"] = "found"
    doc = trained("I like London and Berlin.")
    group = doc.spans["found"]
    assert [span.text for span in group] == ["London", "Berlin"]
    assert len(group.attrs["scores"]) == 2
    assert all(0.5 < score <= 1 for score in group.attrs["scores"])
    loaded = Doc(trained.vocab).from_bytes(doc.to_bytes())
    assert list(loaded.spans["found"].attrs["scores"]) == group.attrs["scores"]


def test_threshold_drops_what_is_improbable(trained: Language) -> None:
    pipe = trained.get_pipe("elmo_ner")
    pipe.cfg["scores_key"] = "found"
    scores = trained("I like London and Berlin.").spans["found"].attrs["scores"]
    pipe.cfg["threshold"] = (min(scores) + max(scores)) / 2
    assert len(trained("I like London and Berlin.").ents) == 1
    pipe.cfg["threshold"] = (1 + max(scores)) / 2
    assert trained("I like London and Berlin.").ents == ()


def test_select_pipes_and_frozen(trained: Language) -> None:
    with trained.select_pipes(disable=["elmo_ner"]):
        assert trained(TEXT).ents == ()
    before = trained.get_pipe("elmo_ner").model.to_bytes()
    trained.update(examples_of(trained), exclude=["elmo_ner"])
    assert trained.get_pipe("elmo_ner").model.to_bytes() == before


def test_averaged_weights_are_used_and_put_back(nlp: Language) -> None:
    """Thinc's own torch wrapper ignores the optimizer's averages."""
    from thinc.api import Adam

    examples = examples_of(nlp)
    nlp.initialize(lambda: examples)
    optimizer = Adam(0.05, use_averages=True)
    docs = [eg.predicted for eg in examples]
    for _ in range(5):
        nlp.update(examples, sgd=optimizer)
    model = nlp.get_pipe("elmo_ner").model
    raw = model.predict(docs).emissions.clone()
    with nlp.use_params(optimizer.averages):
        assert not numpy.allclose(model.predict(docs).emissions, raw)
    assert numpy.array_equal(model.predict(docs).emissions, raw)


def test_scores_as_spacys_own_ner(trained: Language) -> None:
    assert trained.get_pipe_meta("elmo_ner").default_score_weights == (
        spacy.blank("en").get_factory_meta("ner").default_score_weights
    )
    scores = trained.evaluate(examples_of(trained))
    assert scores["ents_f"] == 1.0
    assert set(scores["ents_per_type"]) == {"LOC", "PERSON"}


def test_pipeline_analysis(nlp: Language) -> None:
    analysis = nlp.analyze_pipes()
    assert analysis is not None
    assert analysis["summary"]["elmo_ner"]["assigns"] == [
        "doc.ents",
        "token.ent_iob",
        "token.ent_type",
    ]
    assert not analysis["problems"]["elmo_ner"]


def test_component_pickles_and_copies(trained: Language) -> None:
    import copy
    import pickle

    clones: List[Callable[[Any], Any]]
    clones = [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
    for clone in clones:
        model = clone(trained.get_pipe("elmo_ner").model)
        docs = [trained.make_doc(TEXT)]
        expected = trained.get_pipe("elmo_ner").model.predict(docs).emissions
        assert numpy.array_equal(model.predict(docs).emissions, expected)


@Language.factory("test_blocker")
def make_blocker(nlp: Language, name: str) -> Callable[[Doc], Doc]:
    def block(doc: Doc) -> Doc:
        doc.set_ents([], blocked=[doc[2:5]], default="unmodified")
        return doc

    return block


def test_blocking_component_before(nlp: Language) -> None:
    nlp.add_pipe("test_blocker", first=True)
    nlp.get_pipe("elmo_ner").add_label("MY_LABEL")
    nlp.initialize(lambda: examples_of(nlp))
    doc = nlp("This is Antti L Korhonen speaking in Finland")
    assert iobs(doc) == ["O", "O", "B", "B", "B", "O", "O", "O"]
    assert types(doc) == [""] * 8
