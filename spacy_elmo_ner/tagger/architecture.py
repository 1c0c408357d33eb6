"""The Thinc model of the tagger: Docs → tag scores and CRF parameters."""

import functools
from typing import Any, Callable, List, Optional, Tuple, cast

import torch
from spacy.tokens import Doc
from thinc.api import ArgsKwargs, Model
from thinc.types import Floats2d, Ints1d
from thinc.util import torch2xp, xp2torch
from torch import Tensor

from ..kernels.packed_products import check_precision
from ..text.sentences import LINE_IS_SENTENCE, MAX_LENGTH
from ..torch_shim import LazyTorchShim, default_device
from .document_context import DocumentTokens
from .network import TaggerNetwork
from .potentials import Potentials, Tagger
from .sentence_rows import DocRows, SentenceRows
from .tag_schemes import TagMask

# the attribute of taggers whose new tags can start from existing ones
REPLACE_OUTPUT = "replace_output"

Tok2Vec = Model[List[Doc], List[Floats2d]]
# the words' features, the rows that a recurrent layer reads, and which Docs they are in
NetworkInput = Tuple[Floats2d, SentenceRows, Optional[DocumentTokens]]
# emissions, transitions, start and end, see Potentials
Tensors = Tuple[Tensor, Tensor, Tensor, Tensor]
Network = Model[NetworkInput, Tensors]


def build_crf_tagger_v1(
    tok2vec: Tok2Vec,
    *,
    hidden_width: int = 200,
    depth: int = 2,
    max_sentence_length: int = 512,
    nO: Optional[int] = None,
) -> Tagger:
    """CrfTagger.v2 without document_width: each sentence is tagged by itself."""
    return build_crf_tagger_v2(
        tok2vec,
        hidden_width=hidden_width,
        depth=depth,
        document_width=0,
        max_sentence_length=max_sentence_length,
        nO=nO,
    )


def build_crf_tagger_v2(
    tok2vec: Tok2Vec,
    *,
    hidden_width: int = 200,
    depth: int = 2,
    document_width: int = 128,
    max_sentence_length: int = 512,
    precision: str = "float32",
    nO: Optional[int] = None,
) -> Tagger:
    """Build a BiLSTM-CRF over the vectors of any tok2vec.

    `dropout` of the training config acts on the features and on every layer.

    Args:
        tok2vec: Its vectors are the tagger's features; JoinedTok2Vec.v1 makes one of
            several.
        hidden_width: Width of the BiLSTM, in each direction.
        depth: Layers of the BiLSTM; 0 leaves it out.
        document_width: Width of what a token learns from its whole Doc, see
            DocumentContext; with 0, each sentence is tagged by itself.
        max_sentence_length: The BiLSTM reads longer sentences in windows of this many
            tokens.
        precision: Of the BiLSTM's products, see Elmo.v1.
        nO: The number of tags, set by the component.

    Returns:
        Docs → Potentials.
    """
    check_precision(precision, "The tagger")
    network: Network = Model(
        "crf_network",
        _network_forward,
        shims=[
            LazyTorchShim(
                functools.partial(
                    TaggerNetwork,
                    hidden_width=hidden_width,
                    depth=depth,
                    document_width=document_width,
                    precision=precision,
                )
            )
        ],
        dims={"nI": None, "nO": nO},
        attrs={"dropout_rate": 0.0},
    )
    return Model(
        "crf_tagger",
        _forward,
        init=_init,
        layers=[tok2vec, network],
        refs={"tok2vec": tok2vec, "output_layer": network},
        dims={"nO": nO},
        attrs={
            "resize_output": resize_output,
            REPLACE_OUTPUT: replace_output,
            MAX_LENGTH: max_sentence_length,
            LINE_IS_SENTENCE: False,
            "has_document_context": document_width > 0,
        },
    )


def resize_output(model: Tagger, nO: int) -> Tagger:
    """Give the tagger `nO` tags. A trained one keeps its weights."""
    network = model.get_ref("output_layer")
    shim = cast(LazyTorchShim, network.shims[0])
    model.set_dim("nO", nO, force=True)
    network.set_dim("nO", nO, force=True)
    if shim.is_built and shim.cfg["nO"] != nO:
        smaller, was_untrained = shim.module, shim.is_untrained
        shim.build(nI=shim.cfg["nI"], nO=nO)
        shim.module.copy_from(smaller)  # type: ignore[operator]
        shim.is_untrained = was_untrained
    return model


def replace_output(model: Tagger, origins: TagMask, legal: TagMask) -> None:
    """Give the tagger other tags. In a trained tagger they start from its own.

    Args:
        model: The tagger.
        origins: See `TaggerNetwork.take_tags`.
        legal: See `TaggerNetwork.take_tags`.
    """
    network = model.get_ref("output_layer")
    shim = cast(LazyTorchShim, network.shims[0])
    for one in (model, network):
        one.set_dim("nO", len(origins), force=True)
    if shim.is_built:
        other, was_untrained = shim.module, shim.is_untrained
        shim.build(nI=shim.cfg["nI"], nO=len(origins))
        shim.module.take_tags(  # type: ignore[operator]
            other, torch.from_numpy(origins), torch.from_numpy(legal)
        )
        shim.is_untrained = was_untrained


def _init(model: Tagger, X: Optional[List[Doc]] = None, Y: Any = None) -> None:
    tok2vec, network = model.layers
    tok2vec.initialize(X=X)
    shim = cast(LazyTorchShim, network.shims[0])
    if not model.has_dim("nO"):
        return
    if X is not None:
        nI = tok2vec.predict(X)[0].shape[1]
    elif tok2vec.has_dim("nO"):
        nI = tok2vec.get_dim("nO")
    else:
        return
    network.set_dim("nI", nI, force=True)
    network.set_dim("nO", model.get_dim("nO"), force=True)
    shim.build(nI=nI, nO=model.get_dim("nO"))


def _forward(
    model: Tagger, docs: List[Doc], is_train: bool
) -> Tuple[Potentials, Callable[[Potentials], List[Doc]]]:
    tok2vec, network = model.layers
    rows = DocRows(docs, line_is_sentence=model.attrs[LINE_IS_SENTENCE])
    vectors, backprop_tok2vec = tok2vec(docs, is_train)
    of_tokens = model.ops.xp.vstack(vectors)
    # white space is not a word, and the tagger does not see it
    places = model.ops.asarray1i(cast(Ints1d, rows.places))
    document = None
    if model.attrs["has_document_context"]:
        document = DocumentTokens.from_docs(docs, rows.places)
    # the network reads long sentences in windows, but their tags are chosen together
    windows = rows.windows(model.attrs[MAX_LENGTH])
    (emissions, transitions, start, end), backprop_network = network(
        (of_tokens[places], windows, document), is_train
    )

    def backprop(gradients: Potentials) -> List[Doc]:
        d_tokens = model.ops.alloc2f(*of_tokens.shape)
        d_tokens[places] = backprop_network(cast(Tensors, tuple(gradients)))
        lengths = model.ops.asarray1i([len(doc) for doc in docs])
        return cast(List[Doc], backprop_tok2vec(model.ops.unflatten(d_tokens, lengths)))

    return Potentials(emissions, transitions, start, end, rows), backprop


def _network_forward(
    model: Network, X: NetworkInput, is_train: bool
) -> Tuple[Tensors, Callable[[Tensors], Floats2d]]:
    features, rows, document = X
    device = default_device()
    inputs = ArgsKwargs(
        args=(
            xp2torch(features, requires_grad=is_train).to(device),
            rows.packed.to(device),
            rows.unpacked.to(device),
            rows.reversed.to(device),
            rows.batch_sizes,
        ),
        kwargs={
            "dropout": model.attrs["dropout_rate"] if is_train else 0.0,
            "document": document,
        },
    )
    outputs, backprop_torch = model.shims[0](inputs, is_train)

    def backprop(gradients: Tensors) -> Floats2d:
        d_inputs = backprop_torch(
            ArgsKwargs(args=(outputs,), kwargs={"grad_tensors": gradients})
        )
        return cast(Floats2d, torch2xp(d_inputs.args[0]))

    return cast(Tensors, tuple(output.detach() for output in outputs)), backprop
