"""A component that notices when what it loads is not what was saved.

Its files include `sha256sums`, which `sha256sum -c` can also read. In bytes, it is one
more entry. What version 0.1.0 saved has none, and loads without it.
"""

from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, TypeVar, Union

import srsly
from spacy.pipeline.trainable_pipe import TrainablePipe
from spacy.util import ensure_path

from ..files.reading import reading, reason, refuse_pointer

CFG, MODEL, CHECKSUMS = "cfg", "model", "sha256sums"
REMEDY = "get the pipeline again, or load it with the versions that its meta.json names"

PipeT = TypeVar("PipeT", bound="CheckedPipe")


class CheckedPipe(TrainablePipe):  # type: ignore[misc]
    """Saves checksums with its settings and its model, and loads nothing damaged."""

    def to_disk(
        self, path: Union[str, Path], *, exclude: Iterable[str] = tuple()
    ) -> None:
        super().to_disk(path, exclude=exclude)
        folder = ensure_path(path)
        (folder / CHECKSUMS).write_bytes(_checksums(_read_files(folder)))

    def from_disk(
        self: PipeT, path: Union[str, Path], *, exclude: Iterable[str] = tuple()
    ) -> PipeT:
        """Raises ValueError, which names the file, if one is damaged or does not fit
        the others, and OSError if one is missing."""
        folder = ensure_path(path)
        files = _read_files(folder)
        _check(files, str(folder))
        if CFG in files:
            with reading(folder / CFG, REMEDY):
                dict(srsly.json_loads(files[CFG].decode("utf8")))
        before = dict(self.cfg)
        with _loading(str(folder)):
            super().from_disk(folder, exclude=exclude)
            self._check_unless(exclude)
        self.settle(before)
        return self

    def to_bytes(self, *, exclude: Iterable[str] = tuple()) -> bytes:
        parts = srsly.msgpack_loads(super().to_bytes(exclude=exclude))
        data: bytes = srsly.msgpack_dumps({**parts, CHECKSUMS: _checksums(parts)})
        return data

    def from_bytes(
        self: PipeT, bytes_data: bytes, *, exclude: Iterable[str] = tuple()
    ) -> PipeT:
        """Raises ValueError if the bytes are damaged or the parts do not fit."""
        source = f"the bytes of {self.name}"
        before = dict(self.cfg)
        with _loading(source):
            parts = srsly.msgpack_loads(bytes_data)
            _check(parts, source)
            _check_complete(parts, exclude)
            super().from_bytes(bytes_data, exclude=exclude)
            self._check_unless(exclude)
        self.settle(before)
        return self

    def settle(self, before: Dict[str, Any]) -> None:
        """Reconcile what was loaded with `before`, the cfg that the config made."""

    def check_loaded(self) -> None:
        """Raise ValueError if the model holds values that no training produces. A class
        that knows which settings fit a model checks that, too."""
        for node in self.model.walk():
            for name in node.param_names:
                is_finite = node.ops.xp.isfinite
                if node.has_param(name) and not is_finite(node.get_param(name)).all():
                    raise ValueError(
                        f"{name} of its {node.name} has NaN or infinite values"
                    )

    def _check_unless(self, exclude: Iterable[str]) -> None:
        if not {CFG, MODEL} & set(exclude):
            self.check_loaded()


def _read_files(folder: Path) -> Dict[str, bytes]:
    files = {}
    for name in (CFG, MODEL, CHECKSUMS):
        refuse_pointer(folder / name)
        if (folder / name).is_file():
            files[name] = (folder / name).read_bytes()
    return files


def _checksums(parts: Dict[str, Any]) -> bytes:
    return b"".join(_line(name, parts) for name in (CFG, MODEL) if name in parts)


def _line(name: str, parts: Dict[str, Any]) -> bytes:
    content = parts[name]
    if name == CFG:
        # JSON, which is a str in bytes; git may change its line ends
        content = content.encode() if isinstance(content, str) else content
        content = content.replace(b"\r\n", b"\n")
    return f"{sha256(content).hexdigest()}  {name}\n".encode()


def _check(parts: Dict[str, Any], source: str) -> None:
    """Raise ValueError if a part does not match its checksum."""
    if CHECKSUMS not in parts:
        return
    saved = parts[CHECKSUMS].replace(b"\r\n", b"\n")
    for name in (CFG, MODEL):
        if name in parts and _line(name, parts) not in saved:
            raise ValueError(
                f"{source}/{name} is damaged: it is not what was saved, as "
                f"{source}/{CHECKSUMS} says. Get the pipeline again; or, if it was "
                f"changed on purpose, delete that file."
            )


def _check_complete(parts: Dict[str, Any], exclude: Iterable[str]) -> None:
    """Raise ValueError if a part that was saved is missing."""
    saved = parts.get(CHECKSUMS, b"").decode().split()
    for name in {CFG, MODEL}.intersection(saved).difference(parts, exclude):
        raise ValueError(f"its part {name} is missing")


@contextmanager
def _loading(source: str) -> Iterator[None]:
    """Make an error in what is loaded name its source."""
    try:
        yield
    except Exception as error:
        # msgpack, Thinc and spaCy raise a dozen kinds of error for foreign bytes
        if isinstance(error, OSError) or str(error).startswith(source):
            raise
        raise ValueError(
            f"{source}/{MODEL} is damaged, or does not fit its cfg and the pipeline's "
            f"config ({reason(error)}); {REMEDY}."
        ) from error
