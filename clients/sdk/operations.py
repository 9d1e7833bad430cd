"""One general way to call an operation of a node or of the matcher: by its OpenAPI operation id and named texts.

Which operations there are, and what each takes, is generated from the services' own routes (`make schemas`) and lies
beside this module: no service and no network is needed to look one up. The service alone checks the values.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from aquila.errors import InputError
from aquila.protocol.messages import Message
from clients.sdk.connection import Connection
from clients.sdk.homes import Service

_INDEX = Path(__file__).with_name("operations.json")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value that an operation takes."""

    name: str
    """As it is given; `outer.inner` is a field of an object in the body."""
    place: str
    """Where it goes: path, query, body (a field of the JSON body), or content (the body itself)."""
    kind: str
    """string, integer, number, boolean, texts (several strings), json, or file (bytes)."""
    required: bool
    values: tuple[str, ...] = ()
    """The texts that it can be, if they are few."""
    private: bool = False
    """Whether it holds a secret or a person; then it never stands in a command line."""

    def value_of(self, texts: Sequence[str]) -> object:
        """Return the value that texts mean; texts that are not several values come one at a time.

        Raises:
            InputError: A text is not of the parameter's kind, or there are several.
        """
        if self.kind == "texts" and not texts[0].startswith("["):
            return list(texts)
        if len(texts) > 1:
            raise InputError("parameter_given_twice", name=self.name)
        if self.values and self.kind != "texts" and texts[0] not in self.values:
            raise InputError("parameter_not_one_of", name=self.name, listed=", ".join(self.values))
        if self.kind in {"string", "file"}:
            return texts[0]
        try:
            value: object = json.loads(texts[0])
        except (ValueError, RecursionError):
            value = None
        expected = _TYPES.get(self.kind, list | dict)
        if not isinstance(value, expected) or (isinstance(value, bool) and self.kind != "boolean"):
            raise InputError("parameter_of_another_kind", name=self.name, kind=_KINDS[self.kind])
        return value


_TYPES = {"integer": int, "number": int | float, "boolean": bool, "texts": list}
_KINDS = {
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "texts": "a text, or a JSON list of texts",
    "json": "a JSON list or object",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation for people."""

    name: str
    method: str
    path: str
    """With `{name}` for each parameter of the path."""
    action: str
    """The action of the role table that it is."""
    summary: str
    answer: str
    """The media type of the answer; empty if there is none."""
    parameters: tuple[Parameter, ...]

    def parameter(self, name: str) -> Parameter:
        """Return a parameter.

        Raises:
            InputError: The operation has none of this name; the hint has those that are like it.
        """
        for one in self.parameters:
            if one.name == name:
                return one
        known = [one.name for one in self.parameters]
        raise InputError("parameter_unknown", operation=self.name, name=name, near=_near(name, known))

    def request(self, values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Return the path of a call and the other arguments of `Connection.call`.

        Args:
            values: By the names of parameters; bytes for content, and under `body` all fields of a JSON body at once.

        Raises:
            InputError: A parameter is missing or unknown.
        """
        given = values.keys() | {one.name for one in self.parameters if "body" in values and one.place == "body"}
        missing = [one.name for one in self.parameters if one.required and one.name not in given]
        if missing:
            raise InputError("parameters_missing", operation=self.name, listed=", ".join(missing))
        path, query, options = self.path, dict[str, str](), dict[str, Any]()
        if any(one.place == "body" for one in self.parameters):
            options["json"] = dict(values.get("body", {}))
        for name, value in values.items():
            if name == "body" and "json" in options:
                continue
            match self.parameter(name).place:
                case "path":
                    path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
                case "query":
                    query[name] = value if isinstance(value, str) else json.dumps(value)
                case "content":
                    options["content"] = value
                case _:
                    _put(options["json"], name.split("."), value)
        return path, options | {"params": query}


def _put(body: dict[str, Any], names: list[str], value: object) -> None:
    for name in names[:-1]:
        body = body.setdefault(name, {})
    body[names[-1]] = value


@cache
def operations(service: Service) -> dict[str, Operation]:
    """Return the operations of a service by their ids, in alphabetical order."""
    index = json.loads(_INDEX.read_text(encoding="utf-8"))[service]
    return {name: _operation(name, entry) for name, entry in index.items()}


def operation(service: Service, name: str) -> Operation:
    """Return an operation of a service.

    Raises:
        InputError: It has none of this id; the hint has those that are like it.
    """
    known = operations(service)
    if name not in known:
        raise InputError("operation_unknown", service=service, name=name, near=_near(name, known))
    return known[name]


def _operation(name: str, entry: dict[str, Any]) -> Operation:
    parameters = tuple(
        Parameter(one["name"], one["in"], one["kind"], one["required"], tuple(one.get("values", ())), "private" in one)
        for one in entry.pop("parameters")
    )
    return Operation(name, parameters=parameters, **entry)


def _near(name: str, known: Iterable[str]) -> str:
    known = list(known)
    words = [one for one in known if name and name in one]
    return ", ".join(get_close_matches(name, known, 5) or words[:5] or known[:10]) or "none"


M = TypeVar("M", bound=Message)


class ServiceClient:
    """The operations of a service. Every method raises the error in the service's problem document.

        class HitsClient(ServiceClient):
            show = answers("get_hit", HitView)
            decide = acts("decide", DecisionRequest)

        HitsClient(connection).decide(round_id, hit_id, Decision.SAME, remark="by telephone")

    A method takes what its operation takes, in that order: the parameters of the path; then the request, as its model
    or as the model's fields; without one, the parameters of the query. The latter can always be named. Nothing is sent
    of a query that is None, empty, zero or false, which is the service's default.
    """

    service: Service = "node"
    """Whose operations they are; a node's, where both services have the same."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def call(self, name: str, takes: type[Message] | None, *given: object, **named: object) -> bytes:
        """Call an operation and return the body of its answer; see the class for the arguments.

        Raises:
            TypeError: There are more arguments than the operation takes, or one that it does not know.
            ValidationError: They are no request.
        """
        found = operation(self.service, name)
        places = [one.name for one in found.parameters if one.place == "path"]
        queries = [one.name for one in found.parameters if one.place == "query"]
        values, rest = dict(zip(places, given, strict=False)), given[len(places) :]
        query = {one: named.pop(one) for one in queries if one in named}
        if len(rest) > len(queries if takes is None else takes.model_fields) or (takes is None and named):
            raise TypeError(f"{name} does not take these arguments")
        if takes is None:
            query |= dict(zip(queries, rest, strict=False))
        else:
            fields: dict[str, Any] = dict(zip(takes.model_fields, rest, strict=False))
            wanted = rest[0] if rest and isinstance(rest[0], takes) else takes(**fields, **named)
            if found.method == "GET":
                query |= wanted.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
            else:
                values["body"] = wanted.model_dump(mode="json")
        sent = {one: value.value if isinstance(value, Enum) else value for one, value in query.items() if value}
        path, options = found.request(values | sent)
        return self.connection.call(found.method, path, **options)


def answers(name: str, answer: type[M], takes: type[Message] | None = None) -> Callable[..., M]:
    """Return a method that calls an operation and returns its answer as a model."""

    def method(client: ServiceClient, *given: object, **named: object) -> M:
        return client.connection.read(answer, client.call(name, takes, *given, **named))

    return method


def reads(name: str) -> Callable[..., bytes]:
    """Return a method that calls an operation and returns its answer as bytes."""

    def method(client: ServiceClient, *given: object, **named: object) -> bytes:
        return client.call(name, None, *given, **named)

    return method


def acts(name: str, takes: type[Message] | None = None) -> Callable[..., None]:
    """Return a method that calls an operation whose answer says nothing more."""

    def method(client: ServiceClient, *given: object, **named: object) -> None:
        client.call(name, takes, *given, **named)

    return method
