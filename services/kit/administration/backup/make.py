"""Making a backup: while the service runs, from one snapshot of its database."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import aquila
from aquila.audit.entries import Entry, EntryKind
from aquila.audit.roles import Role
from aquila.crypto.keys import VerifyKey
from aquila.crypto.sealing import recipient_name
from aquila.errors import InputError
from aquila.protocol.registry import MATCHER, read_registry
from services.kit.actor import LOCAL_KEY
from services.kit.administration.backup.archive import Head, head_of, rows_of, tables_of, writing
from services.kit.administration.backup.home import BackedService, collect
from services.kit.errors import StoreError
from services.kit.log.entries import append, frontier
from services.kit.settings import KeyedSettings
from services.kit.storage.files import replacing
from services.kit.storage.migrate import head_revision, revision_of
from services.kit.storage.own_identity import read_key
from services.kit.storage.store import Store


@dataclass(frozen=True, slots=True)
class BackupSummary:
    """A backup that was made: its head, the rows of each table, its files, and its size in bytes."""

    head: Head
    rows: dict[str, int]
    files: tuple[str, ...]
    size: int


def back_up(
    service: BackedService,
    home: Path,
    party: str,
    public: bytes,
    out: Path,
    clock: Callable[[], int],
    person: str = LOCAL_KEY,
) -> BackupSummary:
    """Write a backup of a service, which may be running, into a new file; the log gets an entry of it.

    Args:
        person: The pseudonymous id of the administrator who makes it; who can read the home acts as one.

    Raises:
        KeyMaterialError: The identity key cannot be read, or the home is open to others.
        Pkcs11Error: The token with the identity key cannot be used.
        StoreError: The database or the disk failed, or the database is of another release.
    """
    if out.exists():
        raise InputError("backup_already_there", file=str(out))
    settings = service.load(home)
    files, needed = collect(service, settings, home)
    with read_key(settings.identity) as identity, contextlib.closing(service.open_store(settings)) as store:
        # The entry is committed first, so that the backup holds it too.
        _check_revision(store, service)
        with store.transaction("backup.log") as session:
            digests = {"recipient": recipient_name(public)}
            actor = {"person": person, "role": Role.ADMINISTRATOR.value}
            append(session, Entry.of(EntryKind.BACKUP, clock(), party, digests=digests, **actor))
        with replacing(out) as into, writing(into, public) as archive, store.reading("backup.read") as session:
            edge = frontier(session)  # the first statement: the snapshot begins here
            head = Head(
                service=service.name,
                party=party,
                release=aquila.__version__,
                revision=head_revision(service.package),
                database=store.engine.dialect.name,
                created_at=clock(),
                identity=identity.public.hex,
                log_keys=_log_keys(settings, party, identity.public),
                log_size=edge.size,
                log_root=edge.root.hex() if edge.size else "",
                needed=tuple(needed),
            )
            archive.put(head)
            for file in files:
                archive.put(file)
            for table in tables_of(service.metadata, service.left_out):
                archive.put_rows(head_of(table), rows_of(session, table))
            archive.sign(identity)
    return BackupSummary(head, dict(archive.rows), tuple(file.file for file in files), out.stat().st_size)


def _log_keys(settings: KeyedSettings, party: str, own: VerifyKey) -> tuple[str, ...]:
    """Return the keys of the service's own log; none where its home has no registry that names it yet."""
    if not settings.registry.exists():
        return ()
    registry = read_registry(settings.registry.read_bytes())
    if party != MATCHER and party not in registry.parties:
        return ()
    return tuple(key.hex for key in registry.log_keys(party, own))


def _check_revision(store: Store, service: BackedService) -> None:
    """Refuse a database that this release has not brought up to date yet."""
    with store.reading("backup.revision") as session:
        revision = revision_of(session.connection())
    if revision != head_revision(service.package):
        raise StoreError("backup_schema_differs", revision=revision or "none")
