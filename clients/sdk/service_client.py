"""Clients whose methods are operations by their OpenAPI ids: one line states the method, the answer and the body.

    class HitsClient(ServiceClient):
        show = answers("get_hit", HitView)
        decide = acts("decide", DecisionRequest)

    HitsClient(connection).decide(round_id, hit_id, Decision.SAME, remark="by telephone")

A method takes what its operation takes, in that order: the parameters of the path; then the request, as its model or as
the model's fields; without one, the parameters of the query. The latter can always be named. Nothing is sent of a query
that is None, empty, zero or false, which is the service's default.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

from aquila.protocol.messages import Message
from clients.sdk.connection import Connection
from clients.sdk.homes import Service
from clients.sdk.operations import operation

M = TypeVar("M", bound=Message)


class ServiceClient:
    """The operations of a service. Every method raises the error in the service's problem document.

    Attributes:
        service: Whose operations they are; a node's, where both services have the same.
    """

    service: Service = "node"

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def call(self, name: str, takes: type[Message] | None, *given: object, **named: object) -> bytes:
        """Call an operation and return the body of its answer; see the module for the arguments.

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
            wanted = rest[0] if rest and isinstance(rest[0], takes) else takes(**_fields(takes, rest), **named)
            if found.method == "GET":
                query |= wanted.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
            else:
                values["body"] = wanted.model_dump(mode="json")
        path, options = found.request(values | {one: _sent(value) for one, value in query.items() if value})
        return self._connection.call(found.method, path, **options)


def _fields(takes: type[Message], given: tuple[object, ...]) -> dict[str, Any]:
    return dict(zip(takes.model_fields, given, strict=False))


def _sent(value: object) -> object:
    return value.value if isinstance(value, Enum) else value


def answers(name: str, answer: type[M], takes: type[Message] | None = None) -> Callable[..., M]:
    """Return a method that calls an operation and returns its answer as a model."""

    def method(client: ServiceClient, *given: object, **named: object) -> M:
        return client._connection.read(answer, client.call(name, takes, *given, **named))  # noqa: SLF001 - of our own

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
