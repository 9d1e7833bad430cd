"""The home of a service that is backed up: its settings and tables, and its files without any secret.

`identity.pem`, `people.key`, `operator.token`, private keys and passwords are kept apart, so that a backup and its key
together do not make their holder the party. The address of a key in a token, in place of the key, is no
secret. `keys/`, `log/` and `chunks/` are left out as a whole: round keys must not outlive their rounds, the log's files
follow from its rows, and chunks are of rounds that do not go on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel
from sqlalchemy import MetaData

from aquila.errors import InputError, MalformedError
from services.kit.administration.backup.archive import HomeFile, Needed
from services.kit.errors import NotFoundError
from services.kit.people.keys import row_key_of
from services.kit.settings import KeyedSettings, load
from services.kit.storage.files import check_private
from services.kit.storage.own_identity import token_address
from services.kit.storage.store import Rows, Store, private_store

FLEETING = frozenset({"session", "provider_sign_in"})
"""Tables of both services whose rows no backup holds: nobody's session comes back."""


@dataclass(frozen=True, slots=True)
class BackedService:
    """A service that is backed up."""

    name: Literal["node", "matcher"]
    package: str
    """Where its migrations are."""
    metadata: MetaData
    tables: tuple[type[Rows], ...]
    """The bases of its tables, for the seals of rows."""
    left_out: frozenset[str]
    """Tables whose rows are in no backup."""
    settings_class: type[KeyedSettings]
    database_file: str

    @property
    def settings_file(self) -> str:
        return f"{self.name}.toml"

    def load(self, home: Path) -> KeyedSettings:
        """Read the settings of a home; raises as `load` does."""
        return load(home / self.settings_file, self.settings_class)

    def open_store(self, settings: KeyedSettings, *, new: bool = False) -> Store:
        """Return the store of a service.

        Args:
            new: Whether a SQLite file is made where there is none.

        Raises:
            KeyMaterialError: The home, the database or the file with its password is open to others.
        """
        check_private(settings.home)
        file = settings.home / self.database_file
        if not new and not settings.database.url and not file.exists():
            raise NotFoundError("stored_file_missing", file=str(file))
        store = private_store(settings.database, file)
        store.row_key = row_key_of(settings.home)
        return store


_FOLDERS = frozenset({"keys", "log", "chunks", "scratch"})
_NO_FILES = frozenset({"home", "deliveries"})
_SECRETS = ("identity", "key", "key_file", "password_file", "secret_file")
_LARGEST_FILE = 16 << 20

TOKEN = "identity.token"
"""The setting by which a backup names an identity key that is in a token."""
PIN = "identity.pin"
"""The setting by which it names the file of the token's PIN."""


def file_settings(settings: BaseModel, prefix: str = "") -> Iterator[tuple[str, Path]]:
    """Yield the settings that name files, by dotted name."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            yield from file_settings(value, f"{prefix}{name}.")
        elif isinstance(value, Path) and name not in _NO_FILES:
            yield prefix + name, value


def is_secret(setting: str) -> bool:
    """Return whether a setting names a file that no backup holds."""
    return setting.rpartition(".")[2].endswith(_SECRETS)


def collect(service: BackedService, settings: KeyedSettings, folder: Path) -> tuple[list[HomeFile], list[Needed]]:
    """Return the files of a home that a backup holds, and those that a restored home also needs.

    Raises:
        InputError: A file that the settings name cannot be read.
    """
    kept = [HomeFile.of(service.settings_file, _read(folder / service.settings_file))]
    needed = []
    for setting, path in file_settings(settings):
        name = _within(path, folder)
        if setting == "identity" and (uri := token_address(path)) is not None:
            # Nothing takes the key out of its token: a backup has its address alone.
            needed.append(Needed(setting=TOKEN, file=f"{uri.key_name} in the token {uri.token_name}", secret=True))
            needed.append(Needed(setting=PIN, file=_within(uri.pin, folder) or str(uri.pin), secret=True))
            if name is None:
                needed.append(Needed(setting=setting, file=str(path), secret=False))
            else:
                kept.append(HomeFile.of(name, _read(path)))
            continue
        content = None if is_secret(setting) or name is None else _read(path)
        if name is None or content is None or b"PRIVATE KEY" in content:
            secret = is_secret(setting) or (content is not None and b"PRIVATE KEY" in content)
            needed.append(Needed(setting=setting, file=name or str(path), secret=secret))
        elif all(one.file != name for one in kept):
            kept.append(HomeFile.of(name, content))
    # Keys that no setting names: those of people, and of the CA that the home made for itself.
    known = {one.file for one in needed}
    for path in sorted(folder.rglob("*.key")):
        name = path.relative_to(folder).as_posix()
        if name not in known and path.relative_to(folder).parts[0] not in _FOLDERS:
            needed.append(Needed(setting="home", file=name, secret=True))
    return kept, needed


def check_name(name: str) -> None:
    """Refuse the name of a home's file in a backup that leads elsewhere, or into a folder that no backup fills."""
    parts = Path(name).parts
    if not parts or Path(name).is_absolute() or ".." in parts or parts[0] in _FOLDERS:
        raise MalformedError("backup_file_name_not_allowed")


def _within(path: Path, folder: Path) -> str | None:
    """Return the name of a file relative to the home, or None where it lies elsewhere."""
    resolved, home = path.resolve(), folder.resolve()
    return resolved.relative_to(home).as_posix() if resolved.is_relative_to(home) else None


def _read(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError("backup_file_unreadable", file=str(path), fault=error.strerror) from None
    if len(content) > _LARGEST_FILE:
        raise InputError("backup_home_file_too_large", file=str(path))
    return content
