"""Libraries of an extra, which need not be installed."""

from importlib import import_module


def check_extra(extra: str, *libraries: str) -> None:
    """Check that the libraries of an extra are installed.

    Raises:
        ImportError: If one is not. It says how to install it.
    """
    for library in libraries:
        try:
            import_module(library)
        except ImportError as error:
            raise ImportError(
                f"This command needs {library} ({error}); install it with: "
                f'pip install "spacy-elmo-ner[{extra}]"'
            ) from error
