"""What stands under `/v1` keeps the promise of docs/INTEGRATING.md: nothing goes, changes type, or becomes required.

The documents are compared with those of the newest release that is tagged. Until there is one, what compares is tested.
"""

import copy
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = ("matcher", "node")
GIT = shutil.which("git") or "git"
Document = dict[str, Any]


def broken(old: Document, new: Document) -> Iterator[str]:
    """Yield what a program that was written against the old document relies on, and the new one does not have."""
    for path, methods in old["paths"].items():
        for method, operation in methods.items():
            now = new["paths"].get(path, {}).get(method)
            if now is None:
                yield f"{method} {path} is gone"
                continue
            before, after = _parameters(operation), _parameters(now)
            yield from (f"{method} {path}: {name} is gone" for name in before.keys() - after.keys())
            yield from (f"{method} {path}: {name} is required" for name in _required(after) - _required(before))
            if set(operation["responses"]) - set(now["responses"]):
                yield f"{method} {path} answers with another status"
    for name, schema in old["components"]["schemas"].items():
        now = new["components"]["schemas"].get(name)
        if now is None:
            yield f"{name} is gone"
            continue
        yield from (f"{name}: {value} is gone" for value in set(schema.get("enum", ())) - set(now.get("enum", ())))
        before, after = schema.get("properties", {}), now.get("properties", {})
        yield from (f"{name}.{member} is gone" for member in before.keys() - after.keys())
        required = set(now.get("required", ())) - set(schema.get("required", ()))
        yield from (f"{name}.{member} is required" for member in required & (before.keys() | _asked(new, name)))
        for member in before.keys() & after.keys():
            if _types(before[member]) != _types(after[member]):
                yield f"{name}.{member} has another type"


def _parameters(operation: Document) -> dict[str, bool]:
    return {f"{one['in']} {one['name']}": one.get("required", False) for one in operation.get("parameters", ())}


def _required(parameters: dict[str, bool]) -> set[str]:
    return {name for name, required in parameters.items() if required}


def _asked(document: Document, name: str) -> set[str]:
    """Return the members of a schema, if it is what a call sends."""
    bodies = [operation.get("requestBody") for methods in document["paths"].values() for operation in methods.values()]
    is_sent = f'"#/components/schemas/{name}"' in json.dumps(bodies)
    return set(document["components"]["schemas"][name].get("properties", ())) if is_sent else set()


def _types(schema: Document) -> frozenset[str]:
    """Return what a member can be: its types, and the names of the schemas that it refers to."""
    parts = [schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())]
    own = {str(part.get("$ref", part.get("type", ""))) for part in parts}
    inner = {f"of {one}" for part in parts if "items" in part for one in _types(part["items"])}
    return frozenset(own | inner)


def released(service: str) -> Document | None:
    """Return the document of the newest release, or None where none is tagged."""
    tags = _git("tag", "--list", "[0-9]*", "--sort=-version:refname").split()
    return json.loads(_git("show", f"{tags[0]}:schemas/openapi/{service}.json")) if tags else None


def _git(*words: str) -> str:
    return subprocess.run([GIT, *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout


def present(service: str) -> Document:
    found: Document = json.loads((ROOT / "schemas" / "openapi" / f"{service}.json").read_text("utf-8"))
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_what_was_released_stays(service: str) -> None:
    document = present(service)
    assert list(broken(released(service) or document, document)) == []


def _schema(document: Document, name: str) -> Document:
    found: Document = document["components"]["schemas"][name]
    return found


CHANGES: dict[str, Callable[[Document], object]] = {
    "get /v1/changes is gone": lambda new: new["paths"].pop("/v1/changes"),
    "get /v1/changes: query cursor is gone": lambda new: new["paths"]["/v1/changes"]["get"]["parameters"].pop(0),
    "get /v1/changes: query limit is required": lambda new: new["paths"]["/v1/changes"]["get"]["parameters"][1].update(
        required=True
    ),
    "get /v1/changes answers with another status": lambda new: new["paths"]["/v1/changes"]["get"]["responses"].pop(
        "200"
    ),
    "Changes is gone": lambda new: new["components"]["schemas"].pop("Changes"),
    "Stage: known is gone": lambda new: _schema(new, "Stage")["enum"].remove("known"),
    "Change.stage is gone": lambda new: _schema(new, "Change")["properties"].pop("stage"),
    "Change.erased has another type": lambda new: _schema(new, "Change")["properties"]["erased"].update(type="string"),
    "DecisionRequest.remark is required": lambda new: _schema(new, "DecisionRequest")["required"].append("remark"),
    "DecisionRequest.unit is required": lambda new: (
        _schema(new, "DecisionRequest")["required"].append("unit"),
        _schema(new, "DecisionRequest")["properties"].update(unit={"type": "string"}),
    ),
}


@pytest.mark.parametrize("told", CHANGES)
def test_a_broken_promise_is_told(told: str) -> None:
    old, new = present("node"), copy.deepcopy(present("node"))
    CHANGES[told](new)
    assert list(broken(old, new)) == [told]


def test_what_may_come_is_none() -> None:
    """Members of answers, optional parameters and members of requests, values, and paths."""
    old, new = present("node"), copy.deepcopy(present("node"))
    new["paths"]["/v1/more"] = {"get": {"responses": {}}}
    new["paths"]["/v1/changes"]["get"]["parameters"].append({"in": "query", "name": "kind"})
    _schema(new, "Stage")["enum"].append("asleep")
    _schema(new, "Change")["properties"]["more"] = {"type": "string"}
    _schema(new, "Change")["required"].append("more")
    _schema(new, "DecisionRequest")["properties"]["unit"] = {"type": "string"}
    assert list(broken(old, new)) == []
