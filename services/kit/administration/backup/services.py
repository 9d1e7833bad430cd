"""The facts of a service that backup and restore need: its settings, its tables, and those that are left out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import MetaData

from services.kit.errors import NotFoundError
from services.kit.people.people_key import row_key_of
from services.kit.settings import KeyedSettings, load
from services.kit.storage.files import check_private
from services.kit.storage.store import Rows, Store, private_store

FLEETING = frozenset({"session", "provider_sign_in"})
"""Tables of both services whose rows no backup holds: nobody's session comes back."""


@dataclass(frozen=True, slots=True)
class BackedService:
    """A service that is backed up.

    Attributes:
        name: `node` or `matcher`.
        package: Where its migrations are.
        metadata: Its tables.
        tables: The bases of its tables, for the seals of rows.
        left_out: Tables whose rows are in no backup.
        settings_class: Its settings.
        database_file: The name of its SQLite file.
    """

    name: Literal["node", "matcher"]
    package: str
    metadata: MetaData
    tables: tuple[type[Rows], ...]
    left_out: frozenset[str]
    settings_class: type[KeyedSettings]
    database_file: str

    @property
    def settings_file(self) -> str:
        """The name of its settings file."""
        return f"{self.name}.toml"

    def load(self, home: Path) -> KeyedSettings:
        """Read the settings of a home; raises as `load` does."""
        return load(home / self.settings_file, self.settings_class)

    def open_store(self, settings: KeyedSettings, *, new: bool = False) -> Store:
        """Return the store of a service.

        Args:
            settings: Its settings.
            new: Whether a SQLite file is made where there is none.

        Raises:
            KeyMaterialError: The home, the database or the file with its password is open to others.
            NotFoundError: There is no SQLite file.
        """
        check_private(settings.home)
        file = settings.home / self.database_file
        if not new and not settings.database.url and not file.exists():
            raise NotFoundError("stored_file_missing", file=str(file))
        store = private_store(settings.database, file)
        store.row_key = row_key_of(settings.home)
        return store
