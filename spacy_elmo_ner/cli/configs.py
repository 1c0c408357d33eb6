"""The config of a command, with the settings that override it."""

from difflib import get_close_matches
from pathlib import Path
from typing import List, Sequence

import typer
from click import NoSuchOption
from spacy.cli._util import parse_config_overrides
from spacy.schemas import ConfigSchemaInit, ConfigSchemaNlp, ConfigSchemaTraining
from spacy.util import load_config
from thinc.api import Config

from ..files.reading import reason, refuse_pointer
from .escapes import escaped
from .texts import check_file, check_unicode

SCHEMAS = {
    "nlp": ConfigSchemaNlp,
    "training": ConfigSchemaTraining,
    "initialize": ConfigSchemaInit,
}


def read_config(
    path: Path, overrides: List[str], *, sections: Sequence[str] = ()
) -> Config:
    """Read a config file with overrides; variables are not filled in yet.

    Args:
        path: The file.
        overrides: As spaCy takes them, "--training.seed", "1".
        sections: The sections that it must have.

    Raises:
        ValueError: If it is not a config, or lacks a section. It names the file.
    """
    check_file(path)
    for argument in overrides:
        check_unicode(argument, "setting")
    try:
        settings = parse_config_overrides(overrides)
    except NoSuchOption as error:
        # click's error; typer may bring its own copy of click
        raise typer.BadParameter(
            f"There is no option {error.option_name}. To override a setting of the "
            "config, give its section too, for instance --training.max_steps 3."
        ) from error
    name = escaped(str(path))
    refuse_pointer(path)
    try:
        config = load_config(path, overrides=settings, interpolate=False)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{name} is not a config: its byte {error.start} is not UTF-8."
        ) from error
    except Exception as error:
        # configparser, json and Thinc raise these, mostly without the file's name
        raise ValueError(
            f"{name} cannot be read as a config ({reason(error)}); correct it, or make a "
            "new one with `spacy init config`."
        ) from error
    for section in sections:
        if section not in config:
            raise ValueError(
                f"The config {name} has no section [{section}]. `python -m spacy init "
                "fill-config` adds all that is missing except [nlp] and [components]."
            )
    return config


def check_keys(config: Config, path: Path) -> None:
    """Check that spaCy knows the keys of a pipeline's config; it silently drops others.

    Raises:
        ValueError: If it does not know one.
    """
    for section, schema in SCHEMAS.items():
        # pydantic renamed the attribute in its second version
        known = list(getattr(schema, "model_fields", None) or schema.__fields__)
        for key in config.get(section, {}):
            if key not in known:
                near = get_close_matches(key, known, n=1)
                remedy = (
                    f"did you mean {near[0]}?"
                    if near
                    else f"use one of {', '.join(known)}."
                )
                raise ValueError(
                    f"[{section}] of {escaped(str(path))} has a key {key}, which spaCy "
                    f"does not know; {remedy}"
                )
