"""What benchmarks.peers compares: each turns plain text into entities.

Their weights are random, in published sizes, as speed does not depend on them; only ours
are those that ship. A system is built and saved once, then loaded and called in the way
of its users. Each part imports its own library alone, and only when it runs: a process
holds no other, and any of them may be missing.
"""

from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Protocol, Tuple

from spacy_elmo_ner.kernels.cpu_features import cpu_has_bfloat16

from .flair_peers import build_flair, load_flair
from .reader import AUTO, BFLOAT16, FLOAT32, INT8, Reader
from .transformer_peers import build_bert, build_gliner, load_bert, load_gliner

# the types of OntoNotes
LABELS = (
    "CARDINAL DATE EVENT FAC GPE LANGUAGE LAW LOC MONEY NORP ORDINAL ORG PERCENT PERSON "
    "PRODUCT QUANTITY TIME WORK_OF_ART"
).split()


# emulated it is slower than anything
PRECISIONS = (FLOAT32, *[BFLOAT16] * cpu_has_bfloat16(), INT8)


class Load(Protocol):
    def __call__(self, folder: Path, precision: str) -> Reader: ...


class Peer(NamedTuple):
    # whose sizes it has
    published: str
    # writes what is read into the folder
    build: Callable[[Path], None]
    load: Load
    precisions: Tuple[str, ...] = PRECISIONS


def build_ours(folder: Path) -> None:
    from .pipelines import Default

    Default().nlp.to_disk(folder)


def load_ours(folder: Path, precision: str) -> Reader:
    import spacy

    from .pipelines import bilm_of

    model = "components.elmo_ner.model"
    names = (f"{model}.precision", f"{model}.tok2vec.precision")
    nlp = spacy.load(folder, config={name: precision for name in names})
    return Reader(pipe_of(nlp), bilm_of(nlp)._words.forget)


def build_spacy(folder: Path) -> None:
    import spacy

    nlp = spacy.blank("en")
    tok2vec = {
        "@architectures": "spacy.Tok2Vec.v2",
        "embed": {
            "@architectures": "spacy.MultiHashEmbed.v2",
            "width": 96,
            "attrs": ["NORM", "PREFIX", "SUFFIX", "SHAPE"],
            "rows": [5000, 1000, 2500, 2500],
            "include_static_vectors": False,
        },
        "encode": {
            "@architectures": "spacy.MaxoutWindowEncoder.v2",
            "width": 96,
            "depth": 4,
            "window_size": 1,
            "maxout_pieces": 3,
        },
    }
    ner = nlp.add_pipe("ner", config={"model": {"tok2vec": tok2vec}})
    for label in LABELS:
        ner.add_label(label)  # type: ignore[attr-defined]
    nlp.initialize()
    nlp.to_disk(folder)


def load_spacy(folder: Path, precision: str) -> Reader:
    import spacy

    return Reader(pipe_of(spacy.load(folder)))


def pipe_of(nlp: Any) -> Callable[[List[str]], Any]:
    return lambda texts: [doc.ents for doc in nlp.pipe(texts, batch_size=len(texts))]


PEERS: Dict[str, Peer] = {
    "elmo_ner": Peer("en_elmo_ner_sm", build_ours, load_ours, (FLOAT32, AUTO)),
    "ner": Peer("en_core_web_sm", build_spacy, load_spacy, (FLOAT32,)),
    "flair": Peer(
        "flair/ner-english", partial(build_flair, hidden_size=2048), load_flair
    ),
    "flair-fast": Peer(
        "flair/ner-english-fast", partial(build_flair, hidden_size=1024), load_flair
    ),
    "distilbert": Peer(
        "distilbert-base-cased",
        partial(build_bert, config="DistilBertConfig"),
        load_bert,
    ),
    "bert": Peer(
        "bert-base-cased", partial(build_bert, config="BertConfig"), load_bert
    ),
    "gliner": Peer("urchade/gliner_small-v2.1", build_gliner, load_gliner),
}
# for benchmarks.worker, in a precision each
SYSTEMS: Dict[str, Callable[[Path], Reader]] = {
    f"{name}, {precision}": partial(load, precision=precision)
    for name, (_, _, load, precisions) in PEERS.items()
    for precision in precisions
}
