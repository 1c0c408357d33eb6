"""Libraries of an extra, which need not be installed."""

from importlib.util import find_spec


def check_extra(extra: str, *libraries: str) -> None:
    """Check that the libraries of an extra are installed, without importing them.

    Raises:
        ImportError: If one is not. It says how to install it.
    """
    missing = [library for library in libraries if find_spec(library) is None]
    if missing:
        raise ImportError(
            f"This command needs {' and '.join(missing)}; install it with: "
            f'pip install "spacy-elmo-ner[{extra}]"'
        )
