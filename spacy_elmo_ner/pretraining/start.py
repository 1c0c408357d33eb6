"""What pre-training starts from: a biLM's weights, or everything that another run
learned.
"""

from pathlib import Path
from typing import Sequence

import torch

from ..bilm.weight_files import read_weights
from ..bilm.weights import set_weights, to_weights
from .checkpoint import PretrainingCheckpoint
from .language_model import N_SPECIAL, LanguageModel
from .settings import read_settings
from .token_corpus import TokenCorpus


def load_start(model: LanguageModel, words: Sequence[str], start: Path) -> None:
    """Set the weights before the first update.

    Args:
        model: The model that is to be trained.
        words: The words of the text, the most frequent first, which the softmax
            predicts.
        start: A safetensors file of a biLM; the softmax then stays random. Or a folder
            written by pre-training; what its softmax learned about these words is used,
            too.

    Raises:
        ValueError: If there are no weights, or if their sizes differ.
    """
    if not start.is_dir():
        set_weights(model.encoder, read_weights(start), str(start))
        return
    checkpoint = PretrainingCheckpoint(start / "checkpoint")
    if not checkpoint.exists():
        raise ValueError(
            f"The folder {start} has no checkpoint of a pre-training to start from; "
            "name its weights, a .safetensors file, or its --output folder."
        )
    settings = read_settings(checkpoint.settings())
    their_words = TokenCorpus(Path(settings.text.tokens)).words
    theirs = LanguageModel(
        settings.model,
        min(settings.softmax.words, len(their_words)) + N_SPECIAL,
        start_state=settings.training.start_state,
    )
    checkpoint.load_model(theirs)
    set_weights(model.encoder, to_weights(theirs.encoder), str(start))
    _share_softmax(model, words, theirs, their_words)


def _share_softmax(
    model: LanguageModel,
    words: Sequence[str],
    theirs: LanguageModel,
    their_words: Sequence[str],
) -> None:
    n_theirs, n_ours = (
        len(one.softmax.bias.weight) - N_SPECIAL for one in (theirs, model)
    )
    known = {word: row for row, word in enumerate(their_words[:n_theirs])}
    pairs = [(i, i) for i in range(N_SPECIAL)]
    pairs += [
        (N_SPECIAL + row, N_SPECIAL + known[word])
        for row, word in enumerate(words[:n_ours])
        if word in known
    ]
    to, of = torch.tensor(pairs).t()
    with torch.no_grad():
        for mine, their in zip(
            model.softmax.parameters(), theirs.softmax.parameters(), strict=True
        ):
            mine[to] = their[of].to(mine.device)
