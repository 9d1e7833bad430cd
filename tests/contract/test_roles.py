"""Every route of both services against the role table: each is one action, which somebody there may do."""

import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from aquila.audit.roles import Action, Service, role_table
from services.kit.people.permissions import Permission
from tests.generate import applications
from tests.support.signed_calls import is_signed_call

OPEN = {
    ("GET", "/health"),
    ("GET", "/live"),
    ("GET", "/ready"),
    ("POST", "/v1/people/sign-in"),
    ("POST", "/v1/people/enrolment"),
    ("POST", "/v1/people/enrolment/confirm"),
    ("GET", "/v1/people/ways"),
    ("POST", "/v1/people/provider/start"),
    ("POST", "/v1/people/provider/finish"),
}
"""What anyone may call: whether the service lives, and how a person gets in."""


@cache
def routes() -> dict[tuple[Service, str, str], tuple[list[Action], bool]]:
    """Return every call of both services with its actions, and whether a party signs it."""
    with tempfile.TemporaryDirectory() as folder:
        return {
            (Service(name), method, route.path): (actions_of(route.dependant), is_signed_call(route.dependant))
            for name, app in applications(Path(folder))
            for route in every_route(app)
            for method in route.methods
        }


def every_route(app: FastAPI) -> Iterator[Any]:
    """Yield the application's routes; one of another kind would escape this test."""
    for route in iter_route_contexts(app.routes):
        assert route.dependant is not None, route.path
        yield route


def actions_of(dependant: Dependant) -> list[Action]:
    """Return the actions that a handler declares, wherever it does."""
    own = [dependant.call.action] if isinstance(dependant.call, Permission) else []
    return own + [action for part in dependant.dependencies for action in actions_of(part)]


def test_every_call_is_one_action_or_signed_by_a_party() -> None:
    """No call is without a check of who calls, but the one that tells that the service lives."""
    for (_, method, path), (actions, signed) in routes().items():
        if (method, path) not in OPEN:
            assert len(actions) + signed == 1, f"{method} {path} is {actions}"


@pytest.mark.parametrize("service", Service)
def test_every_action_of_a_call_is_somebodys(service: Service) -> None:
    table = role_table()
    for (where, method, path), (actions, _) in routes().items():
        if where is service:
            assert all(table.holders(service, action) for action in actions), f"{method} {path}"
