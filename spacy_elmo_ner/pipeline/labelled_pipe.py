"""A component whose labels and settings fit the tags and the nodes of its model."""

from pathlib import Path
from typing import Any, Dict, Iterable, Tuple, TypeVar, Union

from spacy.vocab import Vocab

from ..features.adoption import adopt_tables
from ..tagger.architecture import REPLACE_OUTPUT
from ..tagger.potentials import Tagger, same_lengths
from ..tagger.tag_schemes import TagScheme, check_label
from ..text.sentences import LINE_IS_SENTENCE
from .checked_pipe import CheckedPipe
from .settings import check_cfg, settle

PipeT = TypeVar("PipeT", bound="LabelledPipe")


class LabelledPipe(CheckedPipe):
    """Has a tagger with a score for each tag of its labels.

    Attributes:
        cfg: Labels and settings, see `settings`.
    """

    def __init__(
        self, vocab: Vocab, model: Tagger, name: str, cfg: Dict[str, Any]
    ) -> None:
        self.vocab = vocab
        self.model = model
        self.name = name
        self.cfg = cfg
        self._scheme = TagScheme(cfg["tag_scheme"], ())
        check_cfg(name, cfg)
        self._hand_on_settings()

    @property
    def labels(self) -> Tuple[str, ...]:
        """The entity labels, in the order in which they were added."""
        return tuple(self.cfg["labels"])

    @property
    def label_data(self) -> Tuple[str, ...]:
        """What `initialize` takes as `labels`; written by `spacy init labels`."""
        return self.labels

    @property
    def scheme(self) -> TagScheme:
        """The tags of the labels."""
        # cfg is the source of truth: spaCy replaces it when it loads a component or
        # searches for a threshold
        wanted = (self.cfg["tag_scheme"], self.labels)
        if (self._scheme.name, self._scheme.labels) != wanted:
            self._scheme = TagScheme(*wanted)
        return self._scheme

    def add_label(self, label: str) -> int:
        """Add a label; return 1 if it is new. A trained model grows and stays trained:
        the new label starts from the mean of the others, and does not beat them.

        Raises ValueError for a label that is empty or has a tag's prefix.
        """
        before = self.scheme
        is_new = self.know_label(label)
        if is_new and self.model.has_dim("nO"):
            replace_output = self.model.attrs.get(REPLACE_OUTPUT)
            if before.labels and replace_output is not None:
                origins = self.scheme.origins(before)
                replace_output(self.model, origins, before.legal_transitions)
            else:
                self.set_output(len(self.scheme.tags))
        return int(is_new)

    def know_label(self, label: str) -> bool:
        """Add a label, but no tags to the model; return whether it is new."""
        check_label(label)
        if label in self.cfg["labels"]:
            return False
        self.cfg["labels"].append(label)
        self.vocab.strings.add(label)
        return True

    def from_disk(
        self: PipeT, path: Union[str, Path], *, exclude: Iterable[str] = tuple()
    ) -> PipeT:
        with same_lengths(self.model):
            return super().from_disk(path, exclude=exclude)

    def from_bytes(
        self: PipeT, bytes_data: bytes, *, exclude: Iterable[str] = tuple()
    ) -> PipeT:
        with same_lengths(self.model):
            return super().from_bytes(bytes_data, exclude=exclude)

    def settle(self, before: Dict[str, Any]) -> None:
        settle(self.name, self.cfg, before)
        self._hand_on_settings()
        adopt_tables(self.model, self.vocab)

    def check_loaded(self) -> None:
        super().check_loaded()
        self._check_tags()

    def _check_tags(self) -> None:
        n_tags = len(self.scheme.tags)
        if self.model.has_dim("nO") and self.model.get_dim("nO") != n_tags:
            raise ValueError(
                f"In the cfg of '{self.name}', {len(self.labels)} labels make {n_tags} "
                f"tags ({self.scheme.name}), but its weights are for "
                f"{self.model.get_dim('nO')}. Let training and add_label() set "
                "tag_scheme and labels."
            )

    def _hand_on_settings(self) -> None:
        """Pass the settings on to the nodes of the model that need them."""
        is_line = self.cfg["line_is_sentence"]
        for node in self.model.walk():
            # written only if it changes: other threads may read it
            if node.attrs.get(LINE_IS_SENTENCE, is_line) != is_line:
                node.attrs[LINE_IS_SENTENCE] = is_line

    def use_settings(self) -> None:
        """Check the settings, which tools may change at any time, and apply them."""
        check_cfg(self.name, self.cfg)
        self._check_tags()
        self._hand_on_settings()
