"""BERT's and DeBERTa's taggers for benchmarks.peers."""

from pathlib import Path
from typing import Any, Dict

from .reader import BFLOAT16, INT8, LABELS, Reader

# pieces of the cased BERT models
VOCABULARY = 28_996


def build_bert(folder: Path, *, config: str) -> None:
    """BERT-base or DistilBERT-base, whose sizes are the defaults of their configs, cased,
    and a classifier of CoNLL's nine tags."""
    import transformers

    tokenizer = bert_tokenizer(folder)
    tags = ["O", *(f"{prefix}-{label}" for label in LABELS for prefix in "BI")]
    sizes = getattr(transformers, config)(
        vocab_size=VOCABULARY, id2label=dict(enumerate(tags))
    )
    transformers.AutoModelForTokenClassification.from_config(sizes).save_pretrained(
        folder
    )
    tokenizer.save_pretrained(folder)


def bert_tokenizer(folder: Path, size: int = VOCABULARY) -> Any:
    """With the published vocabulary of the cased models, which comes with blingfire."""
    import blingfire
    import numpy as np
    from transformers import BertTokenizerFast

    models = Path(blingfire.__file__).parent
    to_ids, to_text = (
        blingfire.load_model(str(models / f"bert_base_cased_tok.{kind}"))
        for kind in ("bin", "i2w")
    )
    pieces: Dict[str, int] = {}
    for i in range(VOCABULARY):
        ids = np.array([i], np.int32)
        piece = blingfire.ids_to_text(to_text, ids, skip_special_tokens=False)
        # it leaves out the sign of a piece that goes on with a word
        alone = list(blingfire.text_to_ids(to_ids, piece, 8, no_padding=True))
        begins = alone == [i] or piece.startswith("[")
        piece = piece if begins else f"##{piece}"
        # some come up twice when they are normalized
        pieces[f"[unused-{i}]" if piece in pieces else piece] = i
    pieces.update((f"[unused-{i}]", i) for i in range(VOCABULARY, size))
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(pieces), encoding="utf8")
    return BertTokenizerFast(
        str(vocabulary),
        do_lower_case=False,
        model_max_length=512,
        # DistilBERT takes no others
        model_input_names=["input_ids", "attention_mask"],
    )


def load_bert(folder: Path, precision: str) -> Reader:
    import torch
    from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

    dtype = torch.bfloat16 if precision == BFLOAT16 else None
    model = AutoModelForTokenClassification.from_pretrained(folder, torch_dtype=dtype)
    if precision == INT8:
        model = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear})
    tagger = pipeline(
        "token-classification",
        model=model,
        tokenizer=AutoTokenizer.from_pretrained(folder),
        aggregation_strategy="simple",
    )
    return Reader(lambda texts: tagger(texts, batch_size=len(texts)))


def build_gliner(folder: Path) -> None:
    """urchade/gliner_small-v2.1: DeBERTa-v3-small, a BiLSTM, and pairs of span ends."""
    from gliner.config import UniEncoderSpanConfig
    from gliner.model import UniEncoderSpanGLiNER
    from transformers import DebertaV2Config

    # its own pieces are not at hand: BERT's, and others that never come up
    tokenizer = bert_tokenizer(folder, 128_001)
    tokenizer.add_tokens(["[FLERT]", "<<ENT>>", "<<SEP>>"], special_tokens=True)
    encoder = DebertaV2Config(
        vocab_size=len(tokenizer),
        num_hidden_layers=6,
        hidden_size=768,
        num_attention_heads=12,
        intermediate_size=3072,
        relative_attention=True,
        position_buckets=256,
        norm_rel_ebd="layer_norm",
        share_att_key=True,
        pos_att_type=["p2c", "c2p"],
        position_biased_input=False,
        type_vocab_size=0,
    )
    config = UniEncoderSpanConfig(
        hidden_size=512,
        max_width=12,
        span_mode="markerV0",
        num_rnn_layers=1,
        vocab_size=len(tokenizer),
        class_token_index=len(tokenizer) - 2,
        encoder_config=encoder.to_dict(),
    )
    UniEncoderSpanGLiNER(config, tokenizer=tokenizer).save_pretrained(folder)


def load_gliner(folder: Path, precision: str) -> Reader:
    from gliner import GLiNER

    model = GLiNER.from_pretrained(
        str(folder),
        local_files_only=True,
        dtype=precision if precision == BFLOAT16 else None,
        quantize=precision if precision == INT8 else None,
    )
    # random scores: a lower threshold would let through thousands of spans
    return Reader(
        lambda texts: model.inference(
            texts, list(LABELS), threshold=1.0, batch_size=len(texts)
        )
    )
