"""The description of every operation in a service's OpenAPI document: name, problems, raw bodies, examples.

The framework describes success. This adds what it cannot know: that everything else is an RFC 9457 problem
(PROTOCOL.md 9.2), and what the bodies hold that handlers read as bytes.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from aquila.protocol.problems import MEDIA_TYPE
from aquila.sentences.sentence import MOST_FIELDS
from services.kit.errors import PROBLEMS

OCTETS = "application/octet-stream"
TEXT = "text/plain"
TAR = "application/x-tar"
JSON = "application/json"
CSV = "text/csv"
LINES = "application/jsonl"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ODS = "application/vnd.oasis.opendocument.spreadsheet"

ENVELOPE = {
    "type": "object",
    "title": "Envelope",
    "description": "DSSE version 1 with exactly one Ed25519 signature, in RFC 8785 encoding (PROTOCOL.md 2.1).",
    "required": ["payload", "payloadType", "signatures"],
    "additionalProperties": False,
    "properties": {
        "payload": {"type": "string", "contentEncoding": "base64"},
        "payloadType": {"type": "string", "pattern": "^application/vnd\\.aquila\\.[a-z]+\\+json$"},
        "signatures": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["keyid", "sig"],
                "additionalProperties": False,
                "properties": {
                    "keyid": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                    "sig": {"type": "string", "contentEncoding": "base64"},
                },
            },
        },
    },
}
"""A statement as it is sent."""

_UNKNOWN_CALL = "about:blank"
_BINARY = {"type": "string", "format": "binary"}
_PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457. `about:blank` is an address, or a method of one, that the service does not have.",
    "required": ["type", "title", "status"],
    "additionalProperties": False,
    "properties": {
        "type": {"type": "string", "enum": sorted({row.uri for row in PROBLEMS.values()} | {_UNKNOWN_CALL})},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "What was wrong, in a sentence."},
        "instance": {"type": "string", "description": "`urn:aquila:incident:...`, by which the log has a failure."},
        "hint": {"type": "string", "description": "What to do."},
        "code": {"type": "string", "description": "The id of the sentence."},
        "fields": {
            "type": "object",
            "maxProperties": MOST_FIELDS,
            "additionalProperties": {"type": ["string", "integer", "object"]},
            "description": "Round, party, chunk, expected, got: what the sentence is about; an object is a sentence.",
        },
    },
    "examples": [
        {
            "type": "urn:aquila:problem:not-found",
            "title": "There is nothing of this name",
            "status": 404,
            "detail": "the node knows no such round",
            "hint": "see them with `aquila call get_rounds`",
        }
    ],
}
_PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
_RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds after which the same call is worth another try, where it is.",
        "schema": {"type": "integer", "minimum": 0},
    }
}
_PROBLEM_RESPONSES = {
    "4XX": {"description": "The call is refused, and will be until the caller changes something.", "content": _PROBLEM},
    "5XX": {
        "description": "The service cannot do it now; the same call may be tried again.",
        "content": _PROBLEM,
        "headers": _RETRY_AFTER,
    },
}
_EXAMPLES = {"^[0-9a-f]{32}$": "5f1d7a84c2e9406bb1d80e6f3a9c2b57", "^[A-Z]{2}$": "SI"}
"""What stands for an identifier or a party in the path of an example, by the pattern of the parameter."""


def raw_body(
    content: str, *media_types: str, schema: dict[str, Any] | None = None, required: bool = True
) -> dict[str, Any]:
    """Return the part of an operation's description for a body that its handler reads as bytes."""
    described = {media_type: {"schema": schema or _BINARY} for media_type in media_types}
    return {"requestBody": {"required": required, "description": content, "content": described}}


def raw_answer(content: str, media_type: str, schema: dict[str, Any] | None = None) -> dict[int | str, dict[str, Any]]:
    """Return the response of an operation whose handler answers with bytes; in JSON with a schema, else any."""
    return {200: {"description": content, "content": {media_type: {"schema": schema or _BINARY}}}}


def stored(content: str) -> dict[int | str, dict[str, Any]]:
    """Return the responses of an operation that stores its body: 201 for new content, 200 for a repetition."""
    return {201: {"description": f"{content} is stored."}, 200: {"description": f"{content} was stored before."}}


def operation_id(route: APIRoute) -> str:
    """Name an operation for generated clients: by its handler, whose name is unique in a service."""
    return route.name


def describe(app: FastAPI) -> None:
    """Let an application's `openapi()` return the whole description."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(title=app.title, version=app.version, routes=app.routes)
            app.openapi_schema = _completed(document)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # how the framework wants it


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    """Add problems and examples to a document of the framework."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = _PROBLEM_SCHEMA
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
            operation["responses"] |= _PROBLEM_RESPONSES
            for parameter in operation.get("parameters", ()):
                if example := _EXAMPLES.get(parameter["schema"].get("pattern", "")):
                    parameter["example"] = example
    return document
