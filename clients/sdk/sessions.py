"""Sessions of the command: one file for each login at each home, below the folder of the person at this machine.

A session's token never stands in a command line or in the environment. The files are the person's own (mode 0600) and
not in the service's home, where whoever runs the service could take them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from aquila.errors import InputError
from aquila.interface.people import SessionGrant
from clients.sdk.client_homes import ClientHome
from clients.sdk.homes import Home
from services.kit.storage.files import read_secret, write_secret

LOCAL = "local"
"""In place of a login: the key in the home folder."""

_FOLDER = ".local/state/aquila/sessions"
_NAME_DIGITS = 16


def default_folder() -> Path:
    """Return the folder of this person's sessions."""
    return Path.home() / _FOLDER


@dataclass(frozen=True, slots=True)
class SessionFiles:
    """The sessions of a person at this machine with the service of one home."""

    home: Home | ClientHome
    folder: Path = field(default_factory=default_folder)

    def logins(self) -> list[str]:
        """Return the logins with a session here."""
        return sorted(path.name.removeprefix(self._prefix) for path in self.folder.glob(f"{self._prefix}*"))

    def read(self, login: str) -> str:
        """Return the token of a login's session.

        Raises:
            InputError: There is none.
            KeyMaterialError: Its file is open to others.
        """
        path = self._path(login)
        if not path.is_file():
            raise InputError("login_not_signed_in", login=login)
        return str(json.loads(read_secret(path))["token"])

    def write(self, grant: SessionGrant) -> None:
        """Keep a session.

        Raises:
            StoreError: The disk is full or failed.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_secret(self._path(grant.login), json.dumps({"token": grant.token, "ends_at": grant.ends_at}).encode())

    def remove(self, login: str) -> None:
        """Forget a session."""
        self._path(login).unlink(missing_ok=True)

    def chosen(self, login: str | None) -> str | None:
        """Return the login whose session is used: the named one, else the only one, else none for the home's key.

        Raises:
            InputError: None is named and there are several.
        """
        if login is not None:
            return None if login == LOCAL else login
        found = self.logins()
        if len(found) > 1:
            raise InputError("several_signed_in", listed=", ".join(found))
        return found[0] if found else None

    @property
    def _prefix(self) -> str:
        place = f"{self.home.service} {self.home.path.resolve()}"
        return f"{hashlib.sha256(place.encode()).hexdigest()[:_NAME_DIGITS]}."

    def _path(self, login: str) -> Path:
        return self.folder / f"{self._prefix}{login}"
