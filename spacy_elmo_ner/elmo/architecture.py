"""ELMo as a Thinc model: Docs → one vector per token."""

from functools import partial
from typing import Optional, Sequence

from ..bilm.encoder import START_STATES
from ..bilm.options import ElmoOptions
from ..kernels.packed_products import check_precision
from .network import ElmoNetwork
from .thinc_node import Elmo, elmo_node

SMALL_FILTERS = ((1, 32), (2, 32), (3, 64), (4, 128), (5, 256), (6, 512), (7, 1024))


def build_elmo_v1(
    *,
    lstm_width: int = 1024,
    projection_width: int = 128,
    n_layers: int = 2,
    n_highway: int = 1,
    filters: Sequence[Sequence[int]] = SMALL_FILTERS,
    char_embedding_width: int = 16,
    activation: str = "relu",
    cell_clip: Optional[float] = 3.0,
    projection_clip: Optional[float] = 3.0,
    skip_connections: bool = True,
    layer: str = "elmo",
    frozen: bool = True,
    dropout: float = 0.0,
    batch_tokens: int = 2048,
    max_sentence_length: int = 512,
    cached_words: int = 50_000,
    precision: str = "float32",
    start_state: str = "zeros",
) -> Elmo:
    """Build ELMo vectors for the tokens of Docs (Peters et al. 2018, section 3).

    A Doc without sentence boundaries is cut as `sentences.sentence_spans` describes.
    The biLM does not see white space: its tokens have zero vectors, and those around
    them the vectors they have without it. A text has the same vectors in any batch.

    The weights come from `spacy_elmo_ner.ElmoWeights.v1` and are saved with the
    pipeline. Without it they are random, drawn from torch's generator.

    The sizes default to those of the published small model.

    Args:
        lstm_width: See `options.ElmoOptions`, as for all sizes.
        projection_width: Width of a word vector and of each direction's output.
        n_layers: LSTM layers of each direction.
        n_highway: Highway layers after the convolutions.
        filters: (width in characters, number of filters), one pair per convolution.
        char_embedding_width: Width of a character's vector.
        activation: "relu" or "tanh", of the convolutions.
        cell_clip: Bound on the absolute value of cells; None or 0 turns it off.
        projection_clip: The same for projected outputs.
        skip_connections: Whether each LSTM layer after the first adds its input.
        layer: "elmo" for a mix of all layers learnt on the task, or "word_emb",
            "lstm_outputs1", "lstm_outputs2" for one of them.
        frozen: Keep the biLM's weights as loaded. The mix is learnt either way.
        dropout: Rate at which values of the vectors are dropped in training. It stays
            as set here; `training.dropout` acts in the layers that read the vectors.
        batch_tokens: How many tokens, padding included, are encoded at a time. It
            limits memory and changes no vector.
        max_sentence_length: A sentence with more tokens is encoded in windows of this
            many.
        cached_words: How many words' char-CNN vectors to keep from call to call,
            4 · projection_width bytes each. It changes no vector.
        precision: Of the LSTMs' products when nothing is learnt and the CPU is fast in
            it: "float32"; "bfloat16", faster on a CPU with AMX, with vectors that are
            not exact; "int8", less exact and faster still, on a CPU with VNNI or AVX2;
            or "auto": int8 where this torch and CPU have it, else float32;
            `usable_precision` tells which. With each of them, a text has the same
            vectors alone and in any batch, within 1e-6.
        start_state: What the LSTMs know when a sentence starts: "zeros", nothing;
            "warm", that a sentence has ended before; or "trained", what `pretrain` has
            learnt, and what training refines if the biLM is not frozen. Published
            weights have learnt from running text, in which a sentence hardly ever
            starts from nothing; those of `pretrain` start from zeros unless it was told
            otherwise.

    Returns:
        A model from Docs to vectors, (tokens, nO) each; nO is 2 · projection_width.

    Raises:
        ValueError: For sizes that contradict each other, and for unknown names.
    """
    options = ElmoOptions(
        char_embedding_width=char_embedding_width,
        filters=filters,  # type: ignore[arg-type]
        n_highway=n_highway,
        activation=activation,
        lstm_width=lstm_width,
        projection_width=projection_width,
        n_layers=n_layers,
        cell_clip=cell_clip,
        projection_clip=projection_clip,
        skip_connections=skip_connections,
    )
    check_precision(precision, "ELMo")
    if start_state not in START_STATES:
        raise ValueError(
            f"ELMo has no start state {start_state!r}; use one of "
            f"{', '.join(START_STATES)}."
        )
    if cached_words < 0:
        raise ValueError(
            f"ELMo's cached_words is {cached_words}; set it to 0 to keep none."
        )
    return elmo_node(
        partial(
            ElmoNetwork,
            cached_words=cached_words,
            precision=precision,
            start_state=start_state,
        ),
        options=options,
        layer=layer,
        frozen=frozen,
        dropout=dropout,
        batch_tokens=batch_tokens,
        max_sentence_length=max_sentence_length,
    )
