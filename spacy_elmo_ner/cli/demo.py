"""`demo`: a page in the browser to try pipelines on."""

from pathlib import Path
from typing import List

import typer
from spacy.util import get_installed_models

from ..pipeline.default_pipeline import NAME
from .extras import check_extra
from .loading import load_pipeline
from .ports import HOST, check_free

SCRIPT = Path(__file__).with_name("demo_script.py")
# Streamlit asks for e-mail addresses, counts visits and looks up its own address at other
# hosts, unless it is told not to
SETTINGS = {
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "viewer",
    "server.fileWatcherType": "none",
    "server.headless": "true",
    "server.maxUploadSize": "1",  # MB
}


def demo(
    models: List[str] = typer.Argument(
        None,
        help="Pipelines to offer (folders or packages) before those that are installed",
    ),
    host: str = HOST,
    port: int = typer.Option(8501, "--port", "-p", min=1, max=65535, help="Port"),
) -> None:
    """Serve a page to try pipelines on, until it is interrupted: it shows the
    entities of a text with their probabilities.
    """
    check_extra("demo", "streamlit", "spacy_streamlit")
    check_free(host, port)
    named = list(models or [])
    for name in named:
        load_pipeline(name)
    installed = sorted(get_installed_models(), key=NAME.__ne__)
    pipelines = list(dict.fromkeys([*named, *installed]))
    if not pipelines:
        load_pipeline(None)  # says how to install one
    from streamlit.web.cli import main

    settings = {
        **SETTINGS,
        "server.address": host,
        "browser.serverAddress": "localhost" if host in ("0.0.0.0", "::") else host,
        "server.port": str(port),
    }
    options = [f"--{name}={value}" for name, value in settings.items()]
    main(["run", str(SCRIPT), *options, "--", *pipelines])
