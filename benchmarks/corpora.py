"""Sentences → a corpus to pre-train on."""

from dataclasses import replace
from pathlib import Path

from spacy_elmo_ner.pretraining.settings import Settings
from spacy_elmo_ner.pretraining.token_corpus import write_corpus
from spacy_elmo_ner.pretraining.tokenization import tokenize_files

from .texts import Sentences


def made_corpus(folder: Path, settings: Settings, sentences: Sentences) -> Settings:
    """The settings, for one epoch over the sentences, none of them held out."""
    text, tokens = folder / "text.txt", folder / "tokens"
    text.write_text("\n\n".join(map(" ".join, sentences)), "utf8")
    lang = settings.text.lang
    write_corpus(tokenize_files([text], lang=lang, held_out=0.0, processes=1), tokens)
    return replace(
        settings,
        text=replace(settings.text, tokens=str(tokens)),
        training=replace(settings.training, epochs=1.0),
    )
