"""Restoring a backup into a new home and an empty database.

The backup is verified to its end first, and again while it is read for the second time; the rows are committed after
that. What follows from an older database (open rounds, limits, the alarm) is the service's to say.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from aquila.crypto.keys import SealingKey
from aquila.errors import InputError, KeyMaterialError
from services.kit.administration.backup.archive import Head, Row, TableHead, read_archive
from services.kit.administration.backup.home_files import file_settings
from services.kit.administration.backup.rows import RowWriter, is_empty
from services.kit.administration.backup.services import BackedService
from services.kit.administration.backup.verification import BackupCheck, check
from services.kit.log.entries import seal_entries_again
from services.kit.people.operator_token import TOKEN_FILE, OperatorToken
from services.kit.people.people_key import PeopleKey
from services.kit.settings import KeyedSettings
from services.kit.storage.files import check_private, read_secret, write_secret
from services.kit.storage.migrate import lay
from services.kit.storage.own_identity import read_key
from services.kit.storage.row_seals import seal_again
from services.kit.storage.store import schema_change


@dataclass(frozen=True, slots=True)
class Source:
    """A backup, and what a person brings with it.

    Attributes:
        file: The backup.
        key: Its recipient's private key.
        secrets: Files from the safe, which are put into the home: the identity key first of all.
        settings: A settings file in place of the one in the backup, for another database or another address.
    """

    file: Path
    key: SealingKey
    secrets: Sequence[Path]
    settings: Path | None = None


@dataclass(frozen=True, slots=True)
class RestoreSummary:
    """A home that was restored: what was verified, its settings, and files and keys that are missing."""

    checked: BackupCheck
    settings: KeyedSettings
    missing: tuple[str, ...]


@contextlib.contextmanager
def restoring(service: BackedService, source: Source, home: Path) -> Iterator[RestoreSummary]:
    """Restore a backup into a new home, and remove the home again where the caller's block raises.

    Args:
        service: Which service.
        source: The backup and the secrets.
        home: The new home: a folder that is missing or empty.

    Raises:
        InputError: The home is not empty, the backup or the settings do not fit, or a secret is missing.
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
        # Keys that no setting names: the key of people is made anew where it is missing.
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
        if not is_empty(connection):
            raise InputError("restore_database_not_empty")
        with source.file.open("rb") as file:
            lines = read_archive(file, source.key)
            head = next(lines)
            assert isinstance(head, Head)
            lay(connection, service.package, head.revision)
            writer = RowWriter(connection)
            for line in lines:
                if isinstance(line, TableHead):
                    writer.begin(line)
                elif isinstance(line, Row):
                    writer.put(line)
            writer.finish()
        # The backup is signed by this very service: its rows are sealed as they are, under the key that the home has.
        key = PeopleKey.of_home(settings.home).rows
        with Session(connection) as session:
            seal_again(session, service.tables, None, key)
            seal_entries_again(session, None, key)
            session.commit()  # of the session; the transaction is the connection's
