from typing import Any, List, cast

import pytest
import spacy
import torch
from thinc.api import Adam, Model, fix_random_seed

from spacy_elmo_ner.features.char_cnn import build_char_cnn_v1
from spacy_elmo_ner.tagger.architecture import (
    build_crf_tagger_v2,
    replace_output,
    resize_output,
)
from spacy_elmo_ner.tagger.network import TaggerNetwork
from spacy_elmo_ner.tagger.tag_schemes import TagScheme

NLP = spacy.blank("en")
DOCS = [NLP("One sentence. And two!"), NLP(""), NLP("Three")]


def tagger(n_tags: int = 5, depth: int = 1, document_width: int = 0) -> Model[Any, Any]:
    fix_random_seed(0)
    chars = build_char_cnn_v1(char_width=6, filters=[[3, 8]])
    model = build_crf_tagger_v2(
        chars, hidden_width=4, depth=depth, document_width=document_width, nO=n_tags
    )
    model.initialize(X=DOCS)
    with torch.no_grad():  # zeros at the start would hide the layers below
        model.get_ref("output_layer").shims[0].module.output.weight.normal_()
    return model


@pytest.mark.parametrize("document_width", [0, 3])
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_shapes(depth: int, document_width: int) -> None:
    potentials = tagger(depth=depth, document_width=document_width).predict(DOCS)
    n_tokens = sum(len(doc) for doc in DOCS)
    assert [tuple(score.shape) for score in potentials] == [
        (n_tokens, 5),
        (5, 5),
        (5,),
        (5,),
    ]


@pytest.mark.parametrize("document_width", [0, 3])
def test_every_parameter_learns_through_thincs_optimizer(document_width: int) -> None:
    """The transitions too: one step moves each along its own gradient."""
    model = tagger(document_width=document_width)
    module = model.get_ref("output_layer").shims[0].module
    before = {name: p.detach().clone() for name, p in module.named_parameters()}
    potentials, backprop = model.begin_update(DOCS)
    backprop(potentials.map(torch.ones_like))
    model.finish_update(Adam(0.01))
    for name, parameter in module.named_parameters():
        assert not torch.equal(parameter, before[name]), name
    for name in ("transitions", "start", "end"):
        moved = before[name] - getattr(module, name)
        assert torch.allclose(moved, torch.full_like(moved, 0.01), atol=1e-4)


@pytest.mark.parametrize("document_width", [0, 3])
def test_a_doc_has_the_same_scores_in_any_batch(document_width: int) -> None:
    model = tagger(depth=2, document_width=document_width)
    together = model.predict(DOCS * 3).emissions
    alone = torch.cat([model.predict([doc]).emissions for doc in DOCS if len(doc)])
    assert torch.allclose(together[: len(alone)], alone, atol=1e-6)


def test_document_width_alone_lets_sentences_of_a_doc_see_each_other() -> None:
    """Of the same sentence, with another one behind it."""
    docs = [NLP("Leeds won. Leeds lost."), NLP("Leeds won. They lost.")]
    for document_width in (0, 3):
        model = tagger(document_width=document_width)
        first, second = (model.predict([doc]).emissions[:3] for doc in docs)
        assert torch.allclose(first, second, atol=1e-6) == (document_width == 0)


@pytest.mark.parametrize("document_width", [0, 3])
def test_resizing_keeps_old_scores_and_puts_new_tags_low(document_width: int) -> None:
    model = tagger(document_width=document_width)
    before = model.predict(DOCS)
    resize_output(model, 9)
    after = model.predict(DOCS)
    assert torch.allclose(after.emissions[:, :5], before.emissions)
    assert (after.emissions[:, 5:] == -10).all()
    assert torch.equal(after.transitions[:5, :5], before.transitions)


def test_training_goes_on_after_resizing() -> None:
    """An optimizer that knows the old sizes must not meet the new ones."""
    model = tagger()
    optimizer = Adam(0.01)
    for n_tags in (5, 9):
        resize_output(model, n_tags)
        before = model.predict(DOCS).emissions
        potentials, backprop = model.begin_update(DOCS)
        backprop(potentials.map(torch.ones_like))
        model.finish_update(optimizer)
        after = model.predict(DOCS).emissions
        # the gradient says that every score is to fall
        assert after.shape == before.shape and before.shape[1] == n_tags
        assert after.mean() < before.mean()


@pytest.mark.parametrize("name", ["BIO", "BILUO"])
def test_other_tags_start_from_those_that_mean_the_same(name: str) -> None:
    """Each transition from the mean of the legal ones between the tags that it comes from,
    here counted one by one."""
    before, after = TagScheme(name, ("A", "B", "C")), TagScheme(name, ("X", "C"))
    model = tagger(n_tags=len(before.tags))
    network = cast(TaggerNetwork, model.get_ref("output_layer").shims[0].module)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.uniform_(-1, 1)
    old = model.predict(DOCS)
    replace_output(
        model,
        after.origins(before),
        before.legal_transitions,
    )
    new = model.predict(DOCS)

    def origins(tag: str) -> List[int]:
        if not tag.endswith("X"):
            return [before.tags.index(tag)]
        return [before.tags.index(tag[:2] + label) for label in "ABC"]

    for i, tag in enumerate(after.tags):
        expected = old.emissions[:, origins(tag)].mean(1)
        assert torch.allclose(new.emissions[:, i], expected, atol=1e-6)
        for k, to in enumerate(after.tags):
            pairs = [
                old.transitions[one, other]
                for one in origins(tag)
                for other in origins(to)
                if before.legal_transitions[one, other]
            ]
            if after.legal_transitions[i, k]:
                assert new.transitions[i, k].item() == pytest.approx(
                    float(sum(pairs)) / len(pairs), abs=1e-6
                )
