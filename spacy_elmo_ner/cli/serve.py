"""`serve`: a pipeline as an HTTP service."""

import json
import os
from typing import Any, Optional

import typer

from ..kernels.cpu_features import usable_cpus
from ..kernels.threads import SETTING as THREADS
from .extras import check_extra
from .loading import load_pipeline
from .ports import HOST, check_free

# how the processes of several workers learn what to serve
SETTINGS = "SPACY_ELMO_NER_SERVICE"
# per worker at a time; further ones are told to try again
CONNECTIONS = 500


def serve(
    model: Optional[str] = typer.Argument(
        None, help="Pipeline (folder or package); en_elmo_ner_sm if left out"
    ),
    host: str = HOST,
    port: int = typer.Option(8000, "--port", "-p", min=0, max=65535, help="Port"),
    workers: int = typer.Option(
        1, "--workers", "-w", min=1, help="Processes, each with its own pipeline"
    ),
    max_bytes: int = typer.Option(
        1_000_000, "--max-bytes", min=1, help="Largest request body"
    ),
    max_texts: int = typer.Option(
        1_000, "--max-texts", min=1, help="Most texts in a request"
    ),
    timeout: float = typer.Option(
        30.0,
        "--timeout",
        min=0.001,
        max=86_400,
        help="Seconds for a request to arrive, and for its answer",
    ),
) -> None:
    """Serve the entities of texts over HTTP, until it is interrupted. POST /entities
    takes {"text": "…"} or {"text": ["…", "…"]}, GET /health says that it is ready, and
    GET /openapi.json describes both.
    """
    check_extra("serve", "fastapi", "uvicorn")
    import uvicorn

    check_free(host, port)
    limits = dict(max_bytes=max_bytes, max_texts=max_texts, timeout=timeout)
    settings = json.dumps({"model": model, "limits": limits})
    options: Any = dict(
        host=host,
        port=port,
        access_log=False,
        server_header=False,
        limit_concurrency=CONNECTIONS,
        timeout_graceful_shutdown=max(1, round(timeout)),
    )
    if workers == 1:
        uvicorn.run(make_app(settings), **options)
        return
    # only to see that it loads: each worker loads its own
    load_pipeline(model)
    os.environ[SETTINGS] = settings
    os.environ.setdefault(THREADS, str(max(1, usable_cpus() // workers)))
    factory = f"{__name__}:{worker_app.__name__}"
    uvicorn.run(factory, factory=True, workers=workers, **options)


def worker_app() -> Any:
    """The application of one of several workers."""
    return make_app(os.environ[SETTINGS])


def make_app(settings: str) -> Any:
    """The application that settings in JSON describe."""
    from ..serving.service import Limits, create_app

    known = json.loads(settings)
    return create_app(load_pipeline(known["model"]), Limits(**known["limits"]))
