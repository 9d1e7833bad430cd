"""From a command's options to the client of a node or of the matcher."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from aquila.errors import InputError
from aquila.interface.people import SessionGrant
from clients.cli.identity import CERTIFICATE, LOGIN
from clients.sdk import Access, Connection, Home, LogClient, MatcherClient, NodeClient, PeopleClient
from clients.sdk.homes import ClientHome, SessionFiles, is_home, make_client_home, open_home

LATEST = "latest"
_LEAST_DIGITS = 4


@dataclass(frozen=True, slots=True)
class ConnectedService:
    """A home, and the client of the service that lives there."""

    home: Home | ClientHome
    client: NodeClient | MatcherClient
    people: PeopleClient
    log: LogClient
    connection: Connection

    def node(self) -> NodeClient:
        """Return the node's client; raises InputError if this is the matcher's home."""
        if isinstance(self.client, NodeClient):
            return self.client
        raise InputError("home_not_of_node")

    def matcher(self) -> MatcherClient:
        """Return the matcher's client; raises InputError if this is a node's home."""
        if isinstance(self.client, MatcherClient):
            return self.client
        raise InputError("home_not_of_matcher")


@dataclass(frozen=True, slots=True)
class SignInAttempt:
    """A service to which nobody has signed in yet from a home, or from a person who has no home for it yet."""

    people: PeopleClient
    _path: Path
    _connection: Connection
    _access: Access
    _home: Home | ClientHome | None

    def keep(self, grant: SessionGrant) -> None:
        """Keep the session that was granted.

        The first one makes the person's own home for the service; one at another address, or with another CA or
        certificate, makes it anew, so that the next command goes the same way.

        Raises:
            StoreError: The disk is full or failed.
        """
        home, way = self._home, self._access
        leads = self._connection.url, way.ca, way.certificate
        if home is None or (isinstance(home, ClientHome) and (home.address, home.ca, home.certificate) != leads):
            me = PeopleClient(self._connection.as_bearer(grant.token)).me()
            service = cast("Literal['node', 'matcher']", me.service)
            home = make_client_home(self._path, service, self._connection.url, way.ca, way.certificate)
        SessionFiles(home).write(grant)


@contextmanager
def connect(
    path: Path, url: str | None = None, token_file: Path | None = None, ca: Path | None = None
) -> Iterator[ConnectedService]:
    """Open the client of the service whose home a folder is, for the block.

    Raises:
        InputError: The folder is no home, or its settings do not say where the service is.
        InputError: Several are signed in here, and none is named.
        KeyMaterialError: The session or the home's key cannot be read.
    """
    home = open_home(path)
    with Connection(_access(home, url, token_file, ca)) as connection:
        client = NodeClient(connection) if home.service == "node" else MatcherClient(connection)
        yield ConnectedService(home, client, PeopleClient(connection), LogClient(connection), connection)


@contextmanager
def begin_sign_in(path: Path, url: str | None = None, ca: Path | None = None) -> Iterator[SignInAttempt]:
    """Open the client of a service to which nobody has signed in yet, for the block.

    Args:
        path: The home of the service or of the person; with an address it may be one that is still to be made.

    Raises:
        InputError: The folder is no home and no address is given, or its settings do not say where the service is.
    """
    home, shown = None, CERTIFICATE.get()
    if url is not None and not is_home(path):
        access = Access("service", url, "", ca, shown)
    else:
        home = open_home(path)
        access = Access(home.service, url or home.url(), "", ca or home.ca, shown or home.certificate)
    with Connection(access) as connection:
        yield SignInAttempt(PeopleClient(connection), path, connection, access, home)


def _access(home: Home | ClientHome, url: str | None, token_file: Path | None, ca: Path | None) -> Access:
    """Return where a service is, with the session of whom the command acts for, or with the home's key."""
    files = SessionFiles(home)
    login = None if token_file else files.chosen(LOGIN.get())
    if login is None:
        if isinstance(home, ClientHome):
            raise InputError("nobody_signed_in", folder=str(home.path))
        return home.access(url, token_file, ca, CERTIFICATE.get())
    shown = CERTIFICATE.get() or home.certificate
    return Access(home.service, url or home.url(), files.read(login), ca or home.ca, shown)


def resolve_id(what: str, text: str, ids: Sequence[str]) -> str:
    """Return the one id that a text means, of ids in order from the newest.

    Raises:
        InputError: It means none, or several.
    """
    if text == LATEST and ids:
        return ids[0]
    found = [one for one in ids if one.startswith(text.lower())] if len(text) >= _LEAST_DIGITS else []
    if len(found) == 1:
        return found[0]
    if not ids:
        raise InputError("nothing_there_yet", what=what)
    raise InputError(
        "id_without_single_match",
        text=text,
        how_many="several" if found else "no",
        what=what,
        plural_ending="s" if found else "",
        count=len(ids),
        least_digits=_LEAST_DIGITS,
        latest=LATEST,
    )
