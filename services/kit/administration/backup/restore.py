"""Verifying a backup, and restoring it into a new home and an empty database.

Verification writes nothing: it looks at the seal, the signature, the rows, and the log that the backup holds. Before a
restore the backup is verified to its end, and again while it is read for the second time; the rows are committed after
that. What follows from an older database (open rounds, limits, the alarm) is the service's to say.
"""

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from sqlalchemy.orm import Session

from aquila.audit.checkpoint import log_name, open_checkpoint
from aquila.audit.merkle import Frontier, leaf_hash
from aquila.crypto.keys import SealingKey
from aquila.errors import AuditError, InputError, KeyMaterialError
from services.kit.administration.backup import archive
from services.kit.administration.backup.home import BackedService, check_name, file_settings
from services.kit.log.entries import seal_entries_again
from services.kit.people.keys import TOKEN_FILE, OperatorToken, PeopleKey
from services.kit.settings import KeyedSettings
from services.kit.storage.files import check_private, read_secret, write_secret
from services.kit.storage.migrate import known_revisions, lay
from services.kit.storage.own_identity import read_key
from services.kit.storage.row_seals import seal_again
from services.kit.storage.store import schema_change


@dataclass(frozen=True, slots=True)
class BackupCheck:
    """A backup that was verified to its end: its head, the rows of each table, and its files by name."""

    head: archive.Head
    rows: dict[str, int]
    files: dict[str, bytes]


@dataclass(slots=True)
class LogVerification:
    """Follows the rows of a log as they pass: each entry is its leaf, and each checkpoint its root."""

    head: archive.Head
    roots: dict[int, bytes] = field(default_factory=dict)
    edge: Frontier = field(default_factory=Frontier)

    def check_row(self, row: archive.Row) -> None:
        """Take a row of any table; raises AuditError if the log does not hold together."""
        if row.table == "log_checkpoint":
            keys = self.head.keys
            checkpoint, _ = open_checkpoint(row.values["note"], log_name(self.head.party, keys[0]), *keys)
            self.roots[checkpoint.size] = checkpoint.root
        elif row.table == "log_entry":
            leaf, content = row.values["leaf_hash"], row.values["content"]
            if row.values["index"] != self.edge.size or (content is not None and leaf_hash(content) != leaf):
                raise AuditError("backup_log_entry_differs", index=self.edge.size)
            self.edge.append(leaf)
            if self.roots.pop(self.edge.size, self.edge.root) != self.edge.root:
                raise AuditError("backup_log_root_differs", size=self.edge.size)

    def finish(self) -> None:
        """Compare the whole log with the head."""
        root = self.edge.root.hex() if self.edge.size else ""
        if self.roots or self.edge.size != self.head.log_size or root != self.head.log_root:
            raise AuditError("backup_log_root_differs", size=self.edge.size)


def check(service: BackedService, source: BinaryIO, key: SealingKey) -> BackupCheck:
    """Verify a backup to its end, and write nothing.

    Raises:
        SealError: It does not open: another key, changed, or cut.
        SignatureError: The service that it names did not sign it.
        InputError: It is no backup, of another service, or of a later release.
        AuditError: Its log does not hold together.
    """
    lines = archive.read_archive(source, key)
    head = next(lines)
    assert isinstance(head, archive.Head)
    check_head(service, head)
    log, files, rows = LogVerification(head), {}, {}
    for line in lines:
        match line:
            case archive.Row():
                log.check_row(line)
            case archive.HomeFile():
                check_name(line.file)
                files[line.file] = line.octets()
            case archive.Counts():
                rows = line.rows
            case archive.Head() | archive.TableHead():
                pass
    log.finish()
    return BackupCheck(head, rows, files)


def check_head(service: BackedService, head: archive.Head) -> None:
    """Refuse a backup of another service, or of a release that this one does not know."""
    if head.service != service.name:
        raise InputError("backup_of_another_service", expected=service.name, got=head.service)
    if head.revision not in known_revisions(service.package):
        raise InputError("backup_of_later_release", release=head.release)


@dataclass(frozen=True, slots=True)
class Source:
    """A backup, and what a person brings with it."""

    file: Path
    key: SealingKey
    secrets: Sequence[Path]
    """Files from the safe, which are put into the home: the identity key first of all."""
    settings: Path | None = None
    """A settings file in place of the one in the backup, for another database or another address."""


@dataclass(frozen=True, slots=True)
class RestoreSummary:
    """A home that was restored: what was verified, its settings, and files and keys that are missing."""

    checked: BackupCheck
    settings: KeyedSettings
    missing: tuple[str, ...]


@contextlib.contextmanager
def restoring(service: BackedService, source: Source, home: Path) -> Iterator[RestoreSummary]:
    """Restore a backup into a new home, and remove the home again where the caller's block raises.

    Raises:
        KeyMaterialError: The identity key is another one than the backup's, or a file is open to others.
        Pkcs11Error: The token with the identity key cannot be used.
        StoreError: The database is not empty or failed, or the disk did.
        AquilaError: The backup does not verify, as `check` says.
    """
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise InputError("restore_home_not_empty", home=str(home))
    with source.file.open("rb") as file:
        checked = check(service, file, source.key)
    was_there = home.exists()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    check_private(home)
    try:
        settings = _put_files(service, source, home, checked)
        missing = [f"{setting}: {path}" for setting, path in file_settings(settings) if not path.exists()]
        # Keys that no setting names: the key of people is made again where it is missing.
        unnamed = [one.file for one in checked.head.needed if one.setting == "home"]
        missing += [name for name in unnamed if not (home / name).exists()]
        _put_rows(service, source, settings)
        yield RestoreSummary(checked, settings, tuple(missing))
    except BaseException:
        for path in home.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if not was_there:
            home.rmdir()
        raise


def _put_files(service: BackedService, source: Source, home: Path, checked: BackupCheck) -> KeyedSettings:
    """Write the files of the home, and return its settings."""
    secret_names = {one.file.rpartition("/")[2]: one.file for one in checked.head.needed}
    files = dict(checked.files)
    if source.settings is not None:
        files[service.settings_file] = source.settings.read_bytes()
    for secret in source.secrets:
        name = secret_names.get(secret.name, secret.name)
        files[secret.name if name.startswith("/") else name] = read_secret(secret)
    for name, content in files.items():
        path = home / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_secret(path, content)
    OperatorToken.create(home / TOKEN_FILE)
    settings = service.load(home)
    if settings.home.resolve() != home.resolve():
        raise InputError("restore_settings_of_another_home", home=str(settings.home))
    if not settings.identity.exists():
        raise InputError("restore_identity_missing", file=settings.identity.name)
    with read_key(settings.identity) as identity:
        if identity.public != checked.head.key:
            raise KeyMaterialError("restore_identity_differs")
    return settings


def _put_rows(service: BackedService, source: Source, settings: KeyedSettings) -> None:
    """Write the rows into an empty database, in one transaction."""
    with contextlib.closing(service.open_store(settings, new=True)) as store, schema_change(store) as connection:
        if not archive.is_empty(connection):
            raise InputError("restore_database_not_empty")
        with source.file.open("rb") as file:
            lines = archive.read_archive(file, source.key)
            head = next(lines)
            assert isinstance(head, archive.Head)
            lay(connection, service.package, head.revision)
            writer = archive.RowWriter(connection)
            for line in lines:
                if isinstance(line, archive.TableHead):
                    writer.begin(line)
                elif isinstance(line, archive.Row):
                    writer.put(line)
            writer.finish()
        # The backup is signed by this very service: its rows are sealed as they are, under the key that the home has.
        key = PeopleKey.of_home(settings.home).rows
        with Session(connection) as session:
            seal_again(session, service.tables, None, key)
            seal_entries_again(session, None, key)
            session.commit()  # of the session; the transaction is the connection's
