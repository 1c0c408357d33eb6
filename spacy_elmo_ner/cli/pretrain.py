"""`pretrain`: raw text → ELMo weights."""

import ctypes
import sys
from pathlib import Path
from typing import Any, Dict, Sequence

import torch
import typer
from tqdm import tqdm

from ..corpus.docbins import DOCBIN_SUFFIX
from ..corpus.raw_text import check_is_text, list_files
from ..files.atomic import recover
from ..files.replaceable import check_replaceable
from ..pretraining.loop import check_output
from ..pretraining.loop import pretrain as run
from ..pretraining.processes import Processes
from ..pretraining.settings import Settings, read_settings
from ..pretraining.text_origin import check_origin, describe_origin
from ..pretraining.token_corpus import has_corpus, write_corpus
from ..pretraining.tokenization import (
    available_processes,
    tokenize_files,
)
from .configs import read_config
from .escapes import echo

# glibc's malloc.h
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4


def pretrain(
    ctx: typer.Context,
    config_path: Path = typer.Argument(..., help="Config of the pre-training"),
    output: Path = typer.Option(..., "--output", "-o", help="Folder for the weights"),
    device: str = typer.Option(
        "cpu", help="Where to train: a torch device, such as cuda"
    ),
) -> None:
    """Pre-train an ELMo on text. If it is killed and started again, it resumes from the
    last evaluation. Settings of the config are overridden as in `spacy train`, for
    instance --training.epochs 2. Several processes started by torchrun train one model
    together.
    """
    settings = read_settings(
        read_config(config_path, ctx.args, sections=["text"]).interpolate()
    )
    where = _torch_device(device)
    _keep_freed_memory()
    processes = Processes(where)
    is_first = processes.rank == 0
    if is_first:
        _make_tokens(settings, output)
    processes.wait()
    with tqdm(
        unit="word", unit_scale=True, smoothing=0.02, disable=not is_first
    ) as bar:

        def report(entry: Dict[str, Any]) -> None:
            if not is_first:
                return
            if "perplexity_forward" in entry:
                bar.write(
                    f"update {entry['step']:,}, {entry['words']:,} words: held-out "
                    f"perplexity forward {entry['perplexity_forward']:.1f}, backward "
                    f"{entry['perplexity_backward']:.1f}"
                )
                return
            bar.total = round(entry["total_words"])
            bar.set_postfix(loss=f"{entry['loss']:.3f}", refresh=False)
            bar.update(entry["words"] - bar.n)

        run(settings, output, processes, report)
    if is_first and not bar.n:
        echo(
            f"The pre-training in {output} is finished. Raise training.epochs to continue, "
            "or choose another --output to start again."
        )


def _torch_device(name: str) -> torch.device:
    """The device of this name. Raises ValueError if torch does not know it, or has
    none.
    """
    try:
        device = torch.device(name)
        # an array on a GPU would take up memory there in each of several processes
        if device.type != "cuda":
            torch.zeros(1, device=device).tolist()
        elif not torch.cuda.is_available():
            raise RuntimeError("torch finds no GPU")
    except Exception as error:
        # torch raises a different error for each device
        reason = str(error).split("\n")[0].rstrip(".")
        raise ValueError(
            f"torch cannot train on {name!r} here ({reason}); leave out "
            "--device, or give cuda where there is a GPU."
        ) from error
    return device


def _keep_freed_memory() -> None:
    """Let glibc keep freed memory.

    Large arrays are made in every update. glibc would give each back to the system,
    which hands it out again page by page; that takes a fifth of the time.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(M_MMAP_MAX, 0)
            mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def _make_tokens(settings: Settings, output: Path) -> None:
    """Tokenize the text unless that is done; first check what can be checked."""
    text, tokens = settings.text, Path(settings.text.tokens)
    _check_not_in_text(output, text.paths, "--output")
    check_output(output)
    recover(tokens)
    if has_corpus(tokens):
        check_origin(tokens, text)
        return
    if not text.paths:
        raise ValueError(
            "[text] of the config names no paths; give files or folders, for instance "
            "--text.paths '[\"corpus/news.txt.xz\"]'."
        )
    check_replaceable(tokens)
    files = list_files(Path(path) for path in text.paths)
    for file in files:
        if file.suffix != DOCBIN_SUFFIX:
            check_is_text(file)
    _check_not_in_text(tokens, text.paths, "--paths.tokens")
    sentences = tokenize_files(
        tqdm(files, desc="tokenizing", unit="file"),
        lang=text.lang,
        held_out=text.held_out,
        processes=available_processes(),
    )
    write_corpus(sentences, tokens, origin=describe_origin(text))


def _check_not_in_text(folder: Path, paths: Sequence[str], option: str) -> None:
    """Check that the folder is not in the text: the next run would read what is
    written.
    """
    place = folder.resolve()
    for path in paths:
        if place == Path(path).resolve() or Path(path).resolve() in place.parents:
            raise ValueError(
                f"The folder {folder} is inside the text, {path}; choose another "
                f"{option}."
            )
