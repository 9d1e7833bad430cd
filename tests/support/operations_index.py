"""The index of the operations for people, which `aquila call` reads: `clients/sdk/operations.json`, from the routes.

It is what OpenAPI says of each operation, with two things that only the code knows: the action of the role table that
the operation is, and which fields hold persons or secrets (`repr=False` in the models).
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel

from services.kit.http.routing import caller_checks
from services.kit.people.permissions import Permission

DOCUMENT = Path(__file__).parents[2] / "clients" / "sdk" / "operations.json"


def text(applications: Iterable[tuple[str, FastAPI]]) -> str:
    services = [f"{json.dumps(name)}: {{\n{_lines(app)}\n}}" for name, app in applications]
    return "{" + ",\n".join(services) + "}\n"


def _lines(app: FastAPI) -> str:
    operations = {route.name: entry for route, entry in _entries(app)}
    return ",\n".join(
        f"{json.dumps(name)}: {json.dumps(operations[name], ensure_ascii=False)}" for name in sorted(operations)
    )


def _entries(app: FastAPI) -> Iterator[tuple[APIRoute, dict[str, Any]]]:
    document = app.openapi()
    for route in app.routes:
        if not isinstance(route, APIRoute):
            continue
        actions = [one.action for one in caller_checks(route.dependant) if isinstance(one, Permission)]
        for method in route.methods if actions else ():
            described = document["paths"][route.path][method.lower()]
            yield (
                route,
                {
                    "method": method,
                    "path": route.path,
                    "action": actions[0].value,
                    "summary": described["summary"],
                    "answer": _answer(described),
                    "parameters": list(_parameters(route, described, document["components"]["schemas"])),
                },
            )


def _answer(described: Mapping[str, Any]) -> str:
    """Return the media type of an operation's answer, empty without one."""
    answers = (answer for status, answer in described["responses"].items() if status.startswith("2"))
    return next((kind for answer in answers for kind in answer.get("content", {})), "")


def _parameters(route: APIRoute, described: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for one in described.get("parameters", ()):
        yield _parameter(schemas, one["name"], one["in"], one["schema"], required=one["required"], private=False)
    for kind, content in described.get("requestBody", {}).get("content", {}).items():
        if kind != "application/json" or content["schema"].get("format") == "binary":
            yield {"name": "body", "in": "content", "kind": "file", "required": described["requestBody"]["required"]}
            return
        model = route.body_field.field_info.annotation if route.body_field else None
        yield from _fields(schemas, _resolved(schemas, content["schema"]), model, "", required=True)


def _fields(
    schemas: Mapping[str, Any], schema: Mapping[str, Any], model: object, inside: str, *, required: bool
) -> Iterator[dict[str, Any]]:
    """Yield the fields of a body, those of a field that is one object under `outer.inner`."""
    known = _model_fields(model)
    for name, field in schema["properties"].items():
        needed, inner = required and name in schema.get("required", ()), _resolved(schemas, field)
        annotation = known[name].annotation if name in known else None
        private = name in known and not known[name].repr
        if "properties" in inner:
            yield from _fields(schemas, inner, annotation, f"{inside}{name}.", required=needed)
        else:
            private = private or any(_hides(one) for one in _models_in(annotation))
            yield _parameter(schemas, inside + name, "body", field, required=needed, private=private)


def _parameter(
    schemas: Mapping[str, Any], name: str, place: str, schema: Mapping[str, Any], *, required: bool, private: bool
) -> dict[str, Any]:
    resolved = _resolved(schemas, schema)
    kind = resolved.get("type", "json")
    if kind == "array":
        items = _resolved(schemas, resolved.get("items", {}))
        kind, resolved = ("texts", items) if items.get("type") == "string" else ("json", {})
    if kind == "object":
        kind = "json"
    made: dict[str, Any] = {"name": name, "in": place, "kind": kind, "required": required}
    values = resolved.get("enum", [resolved["const"]] if "const" in resolved else [])
    return made | ({"values": values} if values else {}) | ({"private": True} if private else {})


def _resolved(schemas: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in schema:
        return _resolved(schemas, schemas[schema["$ref"].rpartition("/")[2]])
    choices = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    return _resolved(schemas, choices[0]) if len(choices) == 1 else schema


def _model_fields(model: object) -> Mapping[str, Any]:
    return next((one.model_fields for one in _models_in(model)), {})


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _hides(model: type[BaseModel]) -> bool:
    return any(not one.repr or any(map(_hides, _models_in(one.annotation))) for one in model.model_fields.values())
