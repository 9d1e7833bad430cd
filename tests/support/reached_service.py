"""Commands that reach a function of the test instead of a service."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from clients.cli.connect import ConnectedService, connect
from clients.sdk import Connection, LogClient, MatcherClient, NodeClient, PeopleClient
from clients.sdk.connection import Access
from clients.sdk.homes import ClientHome, Service
from tests.support.commands import loaded_command


def answer_commands(patch: pytest.MonkeyPatch, answer: Callable[[httpx.Request], httpx.Response]) -> None:
    """Let a function answer what commands ask for: as the matcher for its own home, else as a node.

    Commands find their service by `clients.cli.connect.connect` alone; it is replaced in every module that names it.
    """

    @contextmanager
    def reached(path: Any, *_: object) -> Iterator[ConnectedService]:
        name: Service = "matcher" if "matcher" in str(path) else "node"
        with Connection(Access(name, "http://127.0.0.1:8700", "t" * 43), httpx.MockTransport(answer)) as connection:
            client = MatcherClient(connection) if name == "matcher" else NodeClient(connection)
            home = ClientHome(name, path, connection.url, ca=None)
            yield ConnectedService(home, client, PeopleClient(connection), LogClient(connection), connection)

    loaded_command()
    for module in [module for name, module in sys.modules.items() if name.startswith("clients.cli.")]:
        if vars(module).get("connect") is connect:
            patch.setattr(module, "connect", reached)
