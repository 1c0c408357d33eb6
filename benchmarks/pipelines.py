"""The pipelines that are measured, and the biLM inside them."""

from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Union, cast

import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from thinc.api import fix_random_seed

from spacy_elmo_ner.elmo.loader import elmo_nodes
from spacy_elmo_ner.elmo.network import ElmoNetwork
from spacy_elmo_ner.pipeline.default_pipeline import load_default_pipeline
from spacy_elmo_ner.torch_shim import LazyTorchShim

from .bilm_speed import FILTERS, SIZES
from .systems import Ours
from .texts import Sentences

# A light tagger: it is the biLM that is measured.
TAGGER = {
    "@architectures": "spacy_elmo_ner.CrfTagger.v1",
    "hidden_width": 64,
    "depth": 1,
}
# The published sizes, and that of configs/sample.cfg
SAMPLE = "sample"
TOK2VECS: Dict[str, Dict[str, Any]] = {
    **{
        size: {**widths, "filters": [list(pair) for pair in FILTERS]}
        for size, widths in SIZES.items()
    },
    SAMPLE: {
        "lstm_width": 128,
        "projection_width": 64,
        "filters": [[1, 16], [2, 32], [3, 64], [4, 64]],
    },
}
# What it takes to find entities: from random vectors the tagger learns slowly
BATCH, UPDATES, RATE = 32, 120, 0.01


class BiLMAlone(Ours):
    """A pipeline's biLM, words to mixed vectors, without the rest of the pipeline."""

    def __init__(self, nlp: Language) -> None:
        self.network = bilm_of(nlp)

    def forget(self) -> None:
        forget_words(self.network)


class Default:
    """The default pipeline, words to entities."""

    def __init__(self) -> None:
        self.nlp = load_default_pipeline()
        self.network = bilm_of(self.nlp)

    def forget(self) -> None:
        """Let all words be new again."""
        forget_all_words(self.nlp)

    def __call__(self, sentences: Sentences) -> List[Doc]:
        return list(self.nlp.pipe(map(self._doc, sentences), batch_size=len(sentences)))

    def stream(self, sentences: Sentences, batch_size: int) -> Iterator[Doc]:
        """Read them again and again, their words new each time."""

        def docs() -> Iterator[Doc]:
            while True:
                self.forget()
                yield from map(self._doc, sentences)

        yield from self.nlp.pipe(docs(), batch_size=batch_size)

    def _doc(self, words: List[str]) -> Doc:
        starts: List[Union[bool, int, None]] = [i == 0 for i in range(len(words))]
        return Doc(self.nlp.vocab, words=words, sent_starts=starts)


def forget_all_words(nlp: Language) -> None:
    """Let all words be new again to each ELMo and char-CNN of a pipeline."""
    for _, pipe in nlp.pipeline:
        for node in cast(Any, pipe).model.walk():
            if node.name == "elmo":
                node.shims[0].module._words.forget()
            elif node.name == "char_cnn":
                node.shims[0].module._known.forget()


def bilm_of(nlp: Language) -> ElmoNetwork:
    (node,) = elmo_nodes(nlp)
    return cast(ElmoNetwork, cast(LazyTorchShim, node.shims[0]).module)


def forget_words(network: ElmoNetwork) -> None:
    """Let all words be new again, as after any change of the char-CNN's weights."""
    with torch.no_grad():
        network.encoder.char_cnn.char_embed.mul_(1)


def elmo_pipeline(size: str, **settings: Any) -> Language:
    """A blank pipeline with elmo_ner: a light tagger on a frozen biLM of that size.

    settings: other arguments of Elmo.v1.
    """
    tok2vec = {"@architectures": "spacy_elmo_ner.Elmo.v1", "frozen": True}
    nlp = spacy.blank("en")
    nlp.add_pipe(
        "elmo_ner",
        config={
            "model": {**TAGGER, "tok2vec": {**tok2vec, **TOK2VECS[size], **settings}}
        },
    )
    return nlp


def made_examples(nlp: Language, sentences: Sentences) -> List[Example]:
    """A Doc for each sentence; its first word is an entity."""
    examples = []
    for words in sentences:
        gold = Doc(nlp.vocab, words=words)
        gold.set_ents([Span(gold, 0, 1, label="MADE")])
        examples.append(Example(Doc(nlp.vocab, words=words), gold))
    return examples


def initialize(nlp: Language, examples: Iterable[Example]) -> Any:
    """Give the pipeline the same random weights each time; returns its optimizer."""
    examples = list(examples)
    fix_random_seed(0)
    return nlp.initialize(lambda: examples)


def teach(nlp: Language, examples: List[Example]) -> None:
    """Let it learn enough to find entities, so that it has all its work to do."""
    optimizer = initialize(nlp, examples)
    optimizer.learn_rate = RATE
    n_batches = -(-len(examples) // BATCH)
    for i in range(UPDATES):
        start = i % n_batches * BATCH
        nlp.update(examples[start : start + BATCH], sgd=optimizer)


# for benchmarks.worker; it has weights of its own
SYSTEMS: Dict[str, Callable[[Path], Default]] = {"default": lambda folder: Default()}
