"""The sizes of a biLM, and the published options.json that states them."""

import json
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as short
from typing import Any, Dict, Optional, Tuple, Union

from ..files.reading import reading
from .numbers import is_count, is_number

# Ids in a word: begin, at most 48 bytes, end. The same in every published model.
MAX_CHARACTERS = 50
# 256 bytes, begin and end of sentence, begin and end of word, padding.
N_CHARACTER_VECTORS = 261
ACTIVATIONS = ("relu", "tanh")
# Far above every published model. Files must keep within these limits before anything
# is allocated in the sizes that they state.
MAX_WIDTH = 65_536
MAX_LAYERS = 100
MAX_CLIP = 1e30
# bytes of an options.json; the published ones have 500
MAX_FILE = 1_000_000
REMEDY = "get the file again from where the weights were published"


@dataclass(frozen=True, kw_only=True)
class ElmoOptions:
    """Everything about a biLM that is not a weight.

    Widths are at most MAX_WIDTH; layers, highways and convolutions at most MAX_LAYERS.

    Attributes:
        char_embedding_width: Width of a character's vector.
        filters: (width in characters, number of filters), one pair per convolution.
        n_highway: Highway layers after the convolutions.
        activation: "relu" or "tanh", of the convolutions; highways always use relu.
        lstm_width: Cells per direction and layer.
        projection_width: Width of a word vector and of each direction's output.
        n_layers: LSTM layers of each direction.
        cell_clip: Bound on the absolute value of cells. None or 0 turns it off.
        projection_clip: The same for projected outputs.
        skip_connections: Whether each LSTM layer after the first adds its input.
        n_characters: 262 includes the mask, as in published models; 261, written by
            bilm-tf during training, does not. The weights are the same either way.

    Raises:
        ValueError: If a value contradicts the format.
    """

    char_embedding_width: int = 16
    filters: Tuple[Tuple[int, int], ...]
    n_highway: int
    activation: str = "relu"
    lstm_width: int
    projection_width: int
    n_layers: int = 2
    cell_clip: Optional[float] = 3.0
    projection_clip: Optional[float] = 3.0
    skip_connections: bool = True
    n_characters: int = N_CHARACTER_VECTORS + 1

    def __post_init__(self) -> None:
        for name in ("char_embedding_width", "lstm_width", "projection_width"):
            _require_count(name, getattr(self, name), 1, MAX_WIDTH)
        _require_count("n_layers", self.n_layers, 1, MAX_LAYERS)
        _require_count("n_highway", self.n_highway, 0, MAX_LAYERS)
        for name in ("cell_clip", "projection_clip"):
            _require_clip(name, getattr(self, name))
        if not isinstance(self.skip_connections, bool):
            raise ValueError(
                f"ELMo's skip_connections is {short(self.skip_connections)}; "
                "set it to true or false."
            )
        if self.activation not in ACTIVATIONS:
            raise ValueError(
                f"ELMo's activation is {short(self.activation)}; "
                f"use one of {', '.join(ACTIVATIONS)}."
            )
        if self.n_characters not in (N_CHARACTER_VECTORS, N_CHARACTER_VECTORS + 1):
            raise ValueError(
                f"ELMo's n_characters is {short(self.n_characters)}, but the format has "
                f"{N_CHARACTER_VECTORS} character vectors; set it to "
                f"{N_CHARACTER_VECTORS}, or to {N_CHARACTER_VECTORS + 1} with the mask."
            )
        object.__setattr__(self, "filters", _checked_filters(self.filters))

    @property
    def n_filters(self) -> int:
        """Width of the concatenated convolutions and of the highway layers."""
        return sum(count for _, count in self.filters)

    @property
    def output_width(self) -> int:
        """Width of a layer's vectors: both directions."""
        return 2 * self.projection_width

    @classmethod
    def from_published(cls, published: Dict[str, Any]) -> "ElmoOptions":
        """Read the content of an options.json.

        As in bilm-tf, use_skip_connections, cell_clip and proj_clip are off if left
        out. Keys that only training needs are ignored.

        Raises:
            ValueError: If a key is missing or a value is contradictory. It names it.
        """
        cnn = _section(published, "char_cnn")
        lstm = _section(published, "lstm")
        longest = _value(cnn, "char_cnn", "max_characters_per_token")
        if longest != MAX_CHARACTERS:
            raise ValueError(
                f"ELMo's options have char_cnn.max_characters_per_token {short(longest)}, "
                f"but the format has {MAX_CHARACTERS}; use weights trained with that length."
            )
        embedding = _section(cnn, "embedding", within="char_cnn.")
        return cls(
            char_embedding_width=_value(embedding, "char_cnn.embedding", "dim"),
            filters=_value(cnn, "char_cnn", "filters"),
            n_highway=_value(cnn, "char_cnn", "n_highway"),
            activation=_value(cnn, "char_cnn", "activation"),
            n_characters=_value(cnn, "char_cnn", "n_characters"),
            lstm_width=_value(lstm, "lstm", "dim"),
            projection_width=_value(lstm, "lstm", "projection_dim"),
            n_layers=_value(lstm, "lstm", "n_layers"),
            cell_clip=lstm.get("cell_clip"),
            projection_clip=lstm.get("proj_clip"),
            skip_connections=lstm.get("use_skip_connections", False),
        )

    def to_published(self) -> Dict[str, Any]:
        """The content of an options.json for these sizes."""
        return {
            "lstm": {
                "use_skip_connections": self.skip_connections,
                "projection_dim": self.projection_width,
                "cell_clip": self.cell_clip,
                "proj_clip": self.projection_clip,
                "dim": self.lstm_width,
                "n_layers": self.n_layers,
            },
            "char_cnn": {
                "activation": self.activation,
                "filters": [list(pair) for pair in self.filters],
                "n_highway": self.n_highway,
                "embedding": {"dim": self.char_embedding_width},
                "n_characters": self.n_characters,
                "max_characters_per_token": MAX_CHARACTERS,
            },
        }


def read_options(path: Union[str, Path]) -> ElmoOptions:
    """Read an options.json.

    Raises:
        ValueError: If the file is missing, is not JSON, or contradicts the format.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(
            f"There is no ELMo options file at {path}; "
            "give the options.json that was published with the weights."
        )
    if path.stat().st_size > MAX_FILE:
        raise ValueError(
            f"The ELMo options file {path} has {path.stat().st_size:,} bytes, but such "
            "a file has fewer than a thousand; give the options.json that was "
            "published with the weights."
        )
    return parse_options(parse_json(path.read_bytes(), path), path)


def parse_json(text: Union[str, bytes], path: Path) -> Dict[str, Any]:
    """Parse the JSON object that `path` holds.

    Raises:
        ValueError: If it is not JSON, or not an object. It names the file.
    """
    with reading(path, REMEDY):
        published = json.loads(text)
    if not isinstance(published, dict):
        raise ValueError(
            f"The ELMo options in {path} are not a JSON object; give those that were "
            "published with the weights."
        )
    return published


def parse_options(published: Dict[str, Any], path: Path) -> ElmoOptions:
    """Call `ElmoOptions.from_published`, with errors that name the file."""
    try:
        return ElmoOptions.from_published(published)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _section(holder: Dict[str, Any], key: str, *, within: str = "") -> Dict[str, Any]:
    section = holder.get(key)
    if not isinstance(section, dict):
        raise ValueError(
            f"ELMo's options have no section {within}{key}; "
            "give the complete options.json that was published with the weights."
        )
    return section


def _value(section: Dict[str, Any], name: str, key: str) -> Any:
    if key not in section:
        raise ValueError(
            f"ELMo's options have no key {name}.{key}; "
            "give the complete options.json that was published with the weights."
        )
    return section[key]


def _require_count(name: str, value: object, at_least: int, at_most: int) -> None:
    if not is_count(value, at_least=at_least, at_most=at_most):
        raise ValueError(
            f"ELMo's {name} is {short(value)}; set it to a whole number between "
            f"{at_least} and {at_most}."
        )


def _require_clip(name: str, value: object) -> None:
    # written so that NaN fails the comparison, too
    if value is not None and not (is_number(value) and 0 <= value <= MAX_CLIP):
        raise ValueError(
            f"ELMo's {name} is {short(value)}; set it to a positive number, or leave it "
            "out or set it to 0 to switch it off."
        )


def _checked_filters(filters: Any) -> Tuple[Tuple[int, int], ...]:
    try:
        pairs = tuple((width, count) for width, count in filters)
    except (TypeError, ValueError):
        pairs = ()
    if not pairs:
        raise ValueError(
            f"ELMo's filters are {short(filters)}; give pairs of width and number of "
            "filters, such as [[1, 32], [2, 32]]."
        )
    if len(pairs) > MAX_LAYERS:
        raise ValueError(
            f"ELMo's filters are {len(pairs):,} pairs; give at most {MAX_LAYERS}."
        )
    for width, count in pairs:
        _require_count("filter width", width, 1, MAX_CHARACTERS)
        _require_count("number of filters", count, 1, MAX_WIDTH)
    return pairs
