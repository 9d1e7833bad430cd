"""Homes with many rounds, on either database, and the services that run on them as processes.

Homes are made on SQLite. Those on PostgreSQL are copies, with the rows in databases of a server of this process.
"""

import contextlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine, NullPool, create_engine, make_url, text

from services.kit.administration.backup.archive import Row, RowWriter, head_of, rows_of, tables_of
from services.kit.settings import DatabaseSettings, load
from services.kit.storage.migrate import head_revision, lay
from services.kit.storage.store import Store, database_url, schema_change
from services.matcher.main import BACKED as MATCHER
from services.matcher.settings import MatcherSettings
from services.node.main import BACKED as NODE
from services.node.settings import NodeSettings
from tests.support.postgres_databases import PostgresDatabases, running_postgres
from tests.support.process_world import Service, free_port

DATABASES = ("sqlite", "postgresql")
CODES = ("AL", "RS", "SI")
_NANOSECONDS = 1e9


@dataclass(frozen=True)
class Homes:
    folder: Path
    database: str
    urls: dict[str, str] = field(default_factory=dict)
    server: Engine | None = None

    def database_seconds(self, name: str) -> float:
        """Return the seconds of processor of the server's processes that are connected for a service."""
        if self.server is None:
            return 0.0
        query = text("SELECT pid FROM pg_stat_activity WHERE datname = :name AND backend_type = 'client backend'")
        with self.server.connect() as connection:
            found = connection.execute(query, {"name": make_url(self.urls[name]).database}).scalars().all()
        return sum(_seconds(pid) for pid in found)

    def spent(self, service: Service) -> float:
        """Return the seconds of processor that a service, its children and its database have cost since its start."""
        times = [one.cpu_times() for one in service.family()]
        return sum(one.user + one.system for one in times) + self.database_seconds(service.name)

    @contextlib.contextmanager
    def services(self) -> Iterator[list[Service]]:
        """Lend the services, the matcher first, with new ports; at the end those that run are stopped."""
        matcher = free_port()
        services = []
        for name in ("matcher", *CODES):
            kind = "matcher" if name == "matcher" else "node"
            file = self.folder / name / f"{kind}.toml"
            written = re.sub(r"http://127\.0\.0\.1:\d+", f"http://127.0.0.1:{matcher}", file.read_text("utf-8"))
            own = matcher if name == "matcher" else free_port()
            file.write_text(re.sub(r"(?m)^port = \d+$", f"port = {own}", written), "utf-8")
            services.append(Service(name, kind, self.folder / name, own))
        try:
            yield services
        finally:
            for one in services:
                if one.process is not None:
                    one.stop()


@contextlib.contextmanager
def homes_on(database: str, folder: Path) -> Iterator[Homes]:
    """Lend the homes of a folder, or for PostgreSQL a copy of them, which goes with the block."""
    if database == "sqlite":
        yield Homes(folder, database)
        return
    copied = folder / database
    with running_postgres() as server, PostgresDatabases(server) as databases:
        try:
            urls = {}
            for name in ("matcher", *CODES):
                urls[name] = databases.make()
                shutil.copytree(folder / name, copied / name)
                _copy_rows(copied / name, urls[name])
            asking = create_engine(server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
            yield Homes(copied, database, urls, asking)
        finally:
            shutil.rmtree(copied, ignore_errors=True)


def _copy_rows(home: Path, url: str) -> None:
    """Put the rows of a home's SQLite database into an empty one on PostgreSQL, and let its settings name that."""
    kind = MATCHER if home.name == "matcher" else NODE
    file = home / kind.settings_file
    settings = load(file, MatcherSettings if kind is MATCHER else NodeSettings)
    with (
        contextlib.closing(kind.open_store(settings)) as made,
        contextlib.closing(Store(database_url(DatabaseSettings(url=url), file))) as store,
    ):
        with made.reading("years.copy") as rows, schema_change(store) as connection:
            lay(connection, kind.package, head_revision(kind.package))
            writer = RowWriter(connection)
            for table in tables_of(kind.metadata, frozenset()):
                writer.begin(head_of(table))
                for row in rows_of(rows, table):
                    writer.put(Row(table.name, dict(row._mapping)))
            writer.finish()
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))  # as the server does by itself after some time
    with file.open("a", encoding="utf-8") as written:
        written.write(f'\n[database]\nurl = "{url}"\n')


def _seconds(pid: int) -> float:
    """Return the seconds of processor of a process with one thread, to the nanosecond; none where it has ended."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return int(Path(f"/proc/{pid}/schedstat").read_text("ascii").split()[0]) / _NANOSECONDS
    return 0.0
