"""From a command's options to the client of a node or of the matcher."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aquila.errors import InputError
from clients.cli.acting import LOGIN
from clients.sdk import (
    Access,
    ApprovalClient,
    Connection,
    HitsClient,
    LogClient,
    MatcherClient,
    NodeClient,
    PeopleClient,
    RecordsClient,
    find_home,
)
from clients.sdk.sessions import SessionFiles

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from clients.sdk import Home

LATEST = "latest"
_LEAST_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Reached:
    """A home, and the client of the service that lives there."""

    home: Home
    client: NodeClient | MatcherClient
    people: PeopleClient
    approvals: ApprovalClient
    log: LogClient
    connection: Connection

    def hits(self) -> HitsClient:
        """Return the client of a node's hits.

        Raises:
            InputError: This is the matcher's home.
        """
        self.node()
        return HitsClient(self.connection)

    def records(self) -> RecordsClient:
        """Return the client of a node's own records.

        Raises:
            InputError: This is the matcher's home.
        """
        self.node()
        return RecordsClient(self.connection)

    def node(self) -> NodeClient:
        """Return the node's client.

        Raises:
            InputError: This is the matcher's home.
        """
        if isinstance(self.client, NodeClient):
            return self.client
        raise InputError("this is for a party's node", hint="name the home of a node with --home")

    def matcher(self) -> MatcherClient:
        """Return the matcher's client.

        Raises:
            InputError: This is a node's home.
        """
        if isinstance(self.client, MatcherClient):
            return self.client
        raise InputError("this is for the secretariat's matcher", hint="name the home of the matcher with --home")

    def round_id(self, text: str) -> str:
        """Return the id of the one round that a text means: an id, its beginning, or `latest`.

        Raises:
            InputError: It means none, or several.
        """
        return chosen("round", text, [entry.round_id for entry in self.client.rounds().rounds])


@contextmanager
def reach(
    path: Path, url: str | None = None, token_file: Path | None = None, ca: Path | None = None
) -> Iterator[Reached]:
    """Open the client of the service whose home a folder is, for the block.

    Raises:
        InputError: The folder is no home, or its settings do not say where the service is.
        InputError: Several are signed in here, and none is named.
        KeyMaterialError: The session or the home's key cannot be read.
    """
    home = find_home(path)
    with Connection(_access(home, url, token_file, ca)) as connection:
        client = NodeClient(connection) if home.service == "node" else MatcherClient(connection)
        people, approvals, log = PeopleClient(connection), ApprovalClient(connection), LogClient(connection)
        yield Reached(home, client, people, approvals, log, connection)


@contextmanager
def open_door(
    path: Path, url: str | None = None, ca: Path | None = None
) -> Iterator[tuple[SessionFiles, PeopleClient]]:
    """Open the client of a service to which nobody has signed in yet, and the files where the session will lie.

    Raises:
        InputError: The folder is no home, or its settings do not say where the service is.
    """
    home = find_home(path)
    with Connection(Access(home.service, url or home.url(), "", ca)) as connection:
        yield SessionFiles(home), PeopleClient(connection)


def _access(home: Home, url: str | None, token_file: Path | None, ca: Path | None) -> Access:
    """Return where a service is, with the session of whom the command acts for, or with the home's key."""
    files = SessionFiles(home)
    login = None if token_file else files.chosen(LOGIN.get())
    if login is None:
        return home.access(url, token_file, ca)
    return Access(home.service, url or home.url(), files.read(login), ca)


def chosen(what: str, text: str, ids: Sequence[str]) -> str:
    """Return the one id that a text means, of ids that stand newest first.

    Raises:
        InputError: It means none, or several.
    """
    if text == LATEST and ids:
        return ids[0]
    found = [one for one in ids if one.startswith(text.lower())] if len(text) >= _LEAST_DIGITS else []
    if len(found) == 1:
        return found[0]
    if not ids:
        raise InputError(f"there is no {what} yet")
    raise InputError(
        f"{text} means {'several' if found else 'no'} {what}{'s' if found else ''} of {len(ids)}",
        hint=f"give the id or at least its first {_LEAST_DIGITS} digits, or `{LATEST}`",
    )
