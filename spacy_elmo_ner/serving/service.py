"""The HTTP service: `POST /entities` and `GET /health`.

Errors are JSON with a sentence under "detail". Nothing is fetched from elsewhere:
FastAPI's documentation pages, which would be, are left out.
"""

import asyncio
from typing import Any, Dict, List, NamedTuple, Union

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, ValidationError
from spacy.language import Language
from starlette.requests import ClientDisconnect

from .batches import Batches

USAGE = 'Send {"text": "…"}, or {"text": ["…", "…"]} for several.'


class Limits(NamedTuple):
    """What a request may cost.

    Attributes:
        max_bytes: Size of its body.
        max_texts: How many texts it has.
        timeout: Seconds in which it has to arrive, and then to be answered.
    """

    max_bytes: int
    max_texts: int
    timeout: float


class Body(BaseModel):
    """The body of a request."""

    model_config = ConfigDict(extra="forbid")

    text: Union[str, List[str]]


def create_app(nlp: Language, limits: Limits) -> FastAPI:
    """Make the service.

    Args:
        nlp: The pipeline; nothing else may use it from now on.
        limits: What a request may cost.

    Returns:
        An ASGI application.
    """
    name, version = f"{nlp.meta['lang']}_{nlp.meta['name']}", nlp.meta["version"]
    app = FastAPI(title=name, version=version, docs_url=None, redoc_url=None)
    batches = Batches(nlp)

    # some load balancers send HEAD requests
    @app.head("/health", include_in_schema=False)
    @app.get("/health")
    async def health() -> Dict[str, str]:
        """Say that the pipeline is loaded, and which it is."""
        return {"status": "ok", "pipeline": f"{name} {version}"}

    @app.post("/entities", openapi_extra=_openapi())
    async def entities(request: Request) -> JSONResponse:
        """Find the entities of one text, or of each text of a list."""
        try:
            body = await asyncio.wait_for(
                _read(request, limits.max_bytes), limits.timeout
            )
        except asyncio.TimeoutError as error:
            raise HTTPException(
                408, f"The request did not arrive within {limits.timeout:g} seconds."
            ) from error
        text = _parse(body).text
        texts = [text] if isinstance(text, str) else text
        _check(texts, limits.max_texts, nlp.max_length)
        try:
            found = await asyncio.wait_for(
                asyncio.wrap_future(batches.put(texts)), limits.timeout
            )
        except asyncio.TimeoutError as error:
            raise HTTPException(
                503,
                f"There was no answer within {limits.timeout:g} seconds. Send fewer or "
                "shorter texts, or try again when the service is less busy.",
                headers={"Retry-After": "1"},
            ) from error
        return JSONResponse({"entities": found[0] if isinstance(text, str) else found})

    return app


async def _read(request: Request, most: int) -> bytes:
    body, size = bytearray(), 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            # a body that is too large is read to the end, and dropped: a client would
            # not see the answer before it has sent everything
            if size <= most:
                body += chunk
            else:
                body.clear()
    except ClientDisconnect as error:
        raise HTTPException(400, "The connection ended during the request.") from error
    if size > most:
        raise HTTPException(
            413,
            f"The request has more than {most:,} bytes. Send its texts in several "
            "requests.",
        )
    return bytes(body)


def _parse(body: bytes) -> Body:
    try:
        return Body.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            reason = first["ctx"]["error"]
            raise HTTPException(
                400, f"The request is not valid JSON ({reason}). {USAGE}"
            ) from error
        raise HTTPException(
            422, f"The request is JSON, but not of the right form. {USAGE}"
        ) from error


def _check(texts: List[str], most: int, longest: int) -> None:
    if len(texts) > most:
        raise HTTPException(
            413,
            f"The request has {len(texts):,} texts, but at most {most:,} are allowed. "
            "Send them in several requests.",
        )
    for number, text in enumerate(texts, start=1):
        if len(text) > longest:
            raise HTTPException(
                413,
                f"Text {number} has {len(text):,} characters, but at most {longest:,} "
                "are allowed. Send it in parts.",
            )


def _openapi() -> Dict[str, Any]:
    content = {"application/json": {"schema": Body.model_json_schema()}}
    return {"requestBody": {"required": True, "content": content}}
