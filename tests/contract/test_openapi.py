"""The OpenAPI documents say what the services answer: names, problems, raw bodies, examples."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from aquila.protocol.problems import MEDIA_TYPE
from aquila.sentences import quoted
from services.kit.errors import PROBLEMS, problem_of
from tests import generate

SERVICES = ("matcher", "node")
_WITH_BODY = frozenset({"post", "put"})


def document(service: str) -> dict[str, Any]:
    found: dict[str, Any] = generate.generated()[f"openapi/{service}.json"]
    return found


def operations(service: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield path, method and description of each operation."""
    for path, methods in document(service)["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


@pytest.mark.parametrize("service", SERVICES)
def test_operations_have_names_of_their_own(service: str) -> None:
    """A generated client has one method for each, named as a program would."""
    names = [operation["operationId"] for _, _, operation in operations(service)]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and name.islower() for name in names)


@pytest.mark.parametrize("service", SERVICES)
def test_every_refusal_is_a_problem(service: str) -> None:
    """Each operation says that its 4xx and 5xx are problem documents, and nothing else of them."""
    for path, method, operation in operations(service):
        refusals = {status: answer for status, answer in operation["responses"].items() if status[0] in "45"}
        assert set(refusals) == {"4XX", "5XX"}, (method, path)
        for answer in refusals.values():
            assert answer["content"] == {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


@pytest.mark.parametrize("kind", PROBLEMS, ids=lambda kind: kind.__name__)
def test_every_problem_is_of_the_schema(kind: type[Any]) -> None:
    """What an error becomes on the wire is what the document says."""
    schema = document("node")["components"]["schemas"]["Problem"]
    shown = problem_of(kind(quoted("a sentence", "what to do"), expected=1, party="SI"), "urn:aquila:incident:1")
    jsonschema_rs.validate(schema, shown)
    assert not jsonschema_rs.is_valid(schema, shown | {"trace": "x"})


@pytest.mark.parametrize("service", SERVICES)
def test_every_signed_call_with_content_says_what_it_carries(service: str) -> None:
    """Handlers of signed calls read bytes: the document says of which kind, wherever a call has a body."""
    signed = [one for one in operations(service) if {"MessageSignature": []} in one[2].get("security", ())]
    assert bool(signed) == (service == "matcher")
    for path, method, operation in signed:
        if method in _WITH_BODY:
            assert operation["requestBody"]["required"], path
            assert operation["requestBody"]["description"].endswith(".")


@pytest.mark.parametrize("service", SERVICES)
def test_every_json_body_of_a_person_has_an_example(service: str) -> None:
    """And the example is one that the service's own schema accepts."""
    whole = document(service)
    seen = 0
    for path, _, operation in operations(service):
        for media_type, body in operation.get("requestBody", {}).get("content", {}).items():
            reference = body["schema"].get("$ref")
            if media_type == "application/json" and reference:
                named = whole["components"]["schemas"][reference.rpartition("/")[2]]
                schema = {"$ref": reference, "components": whole["components"]}
                jsonschema_rs.validate(json.loads(json.dumps(schema)), *named["examples"])
                seen += 1
            else:
                assert body["schema"].get("type") in {"string", "object"}, path
    assert seen >= 8


@pytest.mark.parametrize("service", SERVICES)
def test_identifiers_in_paths_have_an_example(service: str) -> None:
    """So that a reader sees what stands there."""
    shown = [
        parameter
        for _, _, operation in operations(service)
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "path" and parameter["schema"].get("pattern") == "^[0-9a-f]{32}$"
    ]
    assert all(len(parameter["example"]) == 32 for parameter in shown)


STATES = {
    *("state", "phase", "stage", "decision", "outcome", "kind", "certainty", "level", "exchange", "known", "wishes"),
    *("role", "roles", "severity", "channel", "urgency", "ground", "method", "action", "actions", "grade", "what"),
}
"""Names of what can be one of a few things."""
FREE = {("ProviderReturn", "state"), ("LongPollAnswer", "state"), ("Entry", "role"), ("RoundEntry", "phase")}
"""Texts of these names: an OpenID provider's state, a digest, a role that a log once had, a phase as nodes read it."""


@pytest.mark.parametrize("service", SERVICES)
def test_states_are_enumerations(service: str) -> None:
    """A generated client knows what a state can be; no two schemas have a name in common, which generators refuse."""
    schemas = document(service)["components"]["schemas"]
    assert [name for name in schemas if not name.isidentifier() or "__" in name] == []
    seen, free = 0, set()
    for name, schema in schemas.items():
        for member in STATES & schema.get("properties", {}).keys():
            whole = schema["properties"][member]
            parts = [whole, *whole.get("anyOf", ()), whole.get("items", {})]
            seen += 1
            if any(part.get("type") == "string" and not {"enum", "const"} & part.keys() for part in parts):
                free.add((name, member))
    assert seen > 15
    assert free <= FREE


def test_names_of_schemas_differ_in_letters() -> None:
    """Generators make a file of each name, in small letters."""
    for service in SERVICES:
        names = [name.lower() for name in document(service)["components"]["schemas"]]
        assert len(names) == len(set(names))
