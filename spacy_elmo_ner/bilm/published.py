"""The published biLMs of bilm-tf's form, by name.

Addresses are those given by AllenNLP's documentation and Flair. Only the small model's
checksum is known; other downloads are checked against their options.
"""

from typing import Dict, NamedTuple, Optional

BASE = "https://allennlp.s3.amazonaws.com/models/elmo/"


class PublishedElmo(NamedTuple):
    """Where a biLM is published.

    Attributes:
        options: Address of its options.json.
        weights: Address of its HDF5 file.
        about: What it was trained on.
        sha256: Checksum of the HDF5 file, if known.
    """

    options: str
    weights: str
    about: str
    sha256: Optional[str] = None


def _model(
    options: str, weights: str, about: str, sha256: Optional[str] = None
) -> PublishedElmo:
    return PublishedElmo(BASE + options, BASE + weights, about, sha256)


def _of_sizes(sizes: str, about: str, sha256: Optional[str] = None) -> PublishedElmo:
    stem = f"{sizes}/elmo_{sizes}_"
    return _model(stem + "options.json", stem + "weights.hdf5", about, sha256)


PUBLISHED: Dict[str, PublishedElmo] = {
    "small": _of_sizes(
        "2x1024_128_2048cnn_1xhighway",
        "English, 1 Billion Word Benchmark",
        "747ba97abce8a5f446558369e10bb0f7931437a46867476fdd156f5d7f576229",
    ),
    "medium": _of_sizes(
        "2x2048_256_2048cnn_1xhighway", "English, 1 Billion Word Benchmark"
    ),
    "original": _of_sizes(
        "2x4096_512_2048cnn_2xhighway", "English, 1 Billion Word Benchmark"
    ),
    "original-5.5b": _of_sizes(
        "2x4096_512_2048cnn_2xhighway_5.5B", "English, Wikipedia and WMT news"
    ),
    "pubmed": _model(
        "contributed/pubmed/elmo_2x4096_512_2048cnn_2xhighway_options.json",
        "contributed/pubmed/elmo_2x4096_512_2048cnn_2xhighway_weights_PubMed_only.hdf5",
        "English, PubMed",
    ),
    "portuguese": _model(
        "contributed/pt/elmo_pt_options.json",
        "contributed/pt/elmo_pt_weights.hdf5",
        "Portuguese, Wikipedia",
    ),
}
