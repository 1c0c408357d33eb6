"""Flair's taggers for benchmarks.peers."""

from pathlib import Path
from typing import Any, List

from .reader import BFLOAT16, INT8, LABELS, Reader


def build_flair(folder: Path, *, hidden_size: int) -> None:
    """flair/ner-english: GloVe of 400,000 words, a character LM in each direction over
    275 characters, all reprojected, a BiLSTM of 256 and a CRF."""
    from flair.data import Dictionary
    from flair.embeddings import FlairEmbeddings, StackedEmbeddings, WordEmbeddings
    from flair.models import LanguageModel, SequenceTagger

    characters = Dictionary()
    for code in range(32, 32 + 274):
        characters.add_item(chr(code))
    tags = Dictionary(add_unk=False)
    for label in LABELS:
        tags.add_item(label)
    tags.span_labels = True
    vocabulary = {f"word{i}": i for i in range(400_000)}
    words = WordEmbeddings(None, vocab=vocabulary, embedding_length=100, name="glove")
    language_models = [
        FlairEmbeddings(LanguageModel(characters, forward, hidden_size, 1))
        for forward in (True, False)
    ]
    SequenceTagger(
        StackedEmbeddings([words, *language_models]), tags, "ner", hidden_size=256
    ).save(folder / "model.pt")


def load_flair(folder: Path, precision: str) -> Reader:
    import torch
    from flair.data import Sentence
    from flair.models import SequenceTagger

    tagger = SequenceTagger.load(folder / "model.pt")
    if precision == INT8:
        tagger = torch.ao.quantization.quantize_dynamic(tagger, {torch.nn.LSTM})

    def predict(texts: List[str]) -> Any:
        sentences = [Sentence(text) for text in texts]
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == BFLOAT16):
            tagger.predict(sentences, mini_batch_size=len(sentences))
        return [sentence.get_spans("ner") for sentence in sentences]

    return Reader(predict)
