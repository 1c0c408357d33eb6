"""The sizes of a biLM, and the published options.json that states them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Optional, Tuple, Union

# Ids in a word: begin, at most 48 bytes, end. Fixed by every published model.
MAX_CHARACTERS = 50
# 256 bytes, begin and end of sentence, begin and end of word, padding.
N_CHARACTER_VECTORS = 261
ACTIVATIONS = ("relu", "tanh")


@dataclass(frozen=True, kw_only=True)
class ElmoOptions:
    """Everything about a biLM that is not a weight.

    filters: (width in characters, number of filters), one pair per convolution.
    n_highway: highway layers after the convolutions.
    activation: "relu" or "tanh", of the convolutions; highways always use relu.
    lstm_width: cells per direction and layer.
    projection_width: width of a word vector and of each direction's output.
    cell_clip, projection_clip: bound on the absolute value of cells and of projected
        outputs. None or 0 is off.
    skip_connections: whether each LSTM layer after the first adds its input.
    n_characters: 262 counts the mask, as published models do; 261, written by
        bilm-tf while training, does not. The weights are the same either way.

    Raises ValueError when a value contradicts the format.
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
        for name in (
            "char_embedding_width",
            "lstm_width",
            "projection_width",
            "n_layers",
        ):
            _require_count(name, getattr(self, name), at_least=1)
        _require_count("n_highway", self.n_highway, at_least=0)
        for name in ("cell_clip", "projection_clip"):
            _require_clip(name, getattr(self, name))
        if not isinstance(self.skip_connections, bool):
            raise ValueError(
                f"ELMo's skip_connections is {self.skip_connections!r}; "
                "set it to true or false."
            )
        if self.activation not in ACTIVATIONS:
            raise ValueError(
                f"ELMo's activation is {self.activation!r}; "
                f"use one of {', '.join(ACTIVATIONS)}."
            )
        if self.n_characters not in (N_CHARACTER_VECTORS, N_CHARACTER_VECTORS + 1):
            raise ValueError(
                f"ELMo's n_characters is {self.n_characters!r}, but the format has "
                f"{N_CHARACTER_VECTORS} character vectors; set it to "
                f"{N_CHARACTER_VECTORS}, or to {N_CHARACTER_VECTORS + 1} with the mask."
            )
        object.__setattr__(self, "filters", _checked_filters(self.filters))

    @property
    def n_filters(self) -> int:
        """Width of the joined convolutions and of the highway layers."""
        return sum(count for _, count in self.filters)

    @property
    def output_width(self) -> int:
        """Width of a layer's vectors: both directions."""
        return 2 * self.projection_width

    @classmethod
    def from_published(cls, published: Dict[str, Any]) -> "ElmoOptions":
        """Options from the content of an options.json.

        As in bilm-tf, use_skip_connections, cell_clip and proj_clip may be left out
        and are then off. Keys that only training needs are ignored.

        Raises ValueError that names a missing key or a contradictory value.
        """
        cnn = _section(published, "char_cnn")
        lstm = _section(published, "lstm")
        longest = _value(cnn, "char_cnn", "max_characters_per_token")
        if longest != MAX_CHARACTERS:
            raise ValueError(
                f"ELMo's options have char_cnn.max_characters_per_token {longest!r}, but "
                f"the format has {MAX_CHARACTERS}; use weights trained with that length."
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
    """Options from an options.json.

    Raises ValueError when the file is missing, is not JSON, or contradicts the format.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(
            f"There is no ELMo options file at {path}; "
            "give the options.json that was published with the weights."
        )
    try:
        published = json.loads(path.read_text(encoding="utf8"))
    except ValueError as error:
        raise ValueError(
            f"The ELMo options file {path} is not JSON ({error}); "
            "get the file again from where the weights were published."
        ) from error
    if not isinstance(published, dict):
        raise ValueError(
            f"The ELMo options file {path} holds no JSON object; "
            "give the options.json that was published with the weights."
        )
    return ElmoOptions.from_published(published)


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


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _require_count(name: str, value: object, *, at_least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < at_least:
        raise ValueError(
            f"ELMo's {name} is {value!r}; set it to a whole number, {at_least} or more."
        )


def _require_clip(name: str, value: object) -> None:
    # the comparison is written so that NaN fails it too
    if value is not None and not (_is_number(value) and value >= 0):  # type: ignore[operator]
        raise ValueError(
            f"ELMo's {name} is {value!r}; set it to a positive number, or leave it out "
            "or set it to 0 to switch it off."
        )


def _checked_filters(filters: Any) -> Tuple[Tuple[int, int], ...]:
    try:
        pairs = tuple((width, count) for width, count in filters)
    except (TypeError, ValueError):
        pairs = ()
    if not pairs:
        raise ValueError(
            f"ELMo's filters are {filters!r}; give pairs of width and number of "
            "filters, such as [[1, 32], [2, 32]]."
        )
    for width, count in pairs:
        _require_count("filter width", width, at_least=1)
        _require_count("number of filters", count, at_least=1)
        if width > MAX_CHARACTERS:
            raise ValueError(
                f"ELMo's filter width is {width}, but a word has {MAX_CHARACTERS} "
                "characters; use narrower filters."
            )
    return pairs
