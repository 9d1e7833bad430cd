"""Practice: visitors of a node with invented persons become one of its people without a password.

The accounts are throw-away ones. Their secrets lie next to a home of practice (`aquila node train`) and next to no
other: without these files nobody enters in this way.
"""

import contextlib
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import pyotp

from aquila.errors import OrderError
from clients.local_services.accounts import PASSWORD, secret_beside
from clients.sdk import Connection, PeopleClient
from services.kit.errors import UnknownCallerError
from services.kit.storage.files import read_secret

TRAINEES = ("officer", "approver", "analyst", "auditor")
"""The people of the node whose work is practised."""

MATERIAL = "practice.json"
"""The file next to the home with what a practice gives to its trainees: persons to ask for, and who is who."""

_STEP_SECONDS = 30


@dataclass(slots=True)
class Practice:
    """The people of a practice, each with one session that visitors share."""

    home: Path
    _tokens: dict[str, str] = field(default_factory=dict, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def enter(self, connection: Connection, login: str) -> str:
        """Return the token of a person's session, a new one where the last has ended.

        Raises:
            OrderError: The person signed in a moment ago, and the next code does not count yet.
            KeyMaterialError: This home has no throw-away accounts.
        """
        with self._lock:
            token = self._tokens.get(login, "")
            if token:
                with contextlib.suppress(UnknownCallerError):
                    PeopleClient(connection.as_bearer(token)).me()
                    return token
            self._tokens[login] = token = self._sign_in(connection, login)
            return token

    def material(self) -> dict[str, object]:
        """Return the material of the practice: the persons to ask for, and who is who; nothing before it is there."""
        with contextlib.suppress(OSError, ValueError):
            content = json.loads((self.home.parent / MATERIAL).read_text("utf-8"))
            if isinstance(content, dict):
                return content
        return {}

    def list_file(self) -> bytes:
        """Return the list to be imported; raises KeyMaterialError if there is none."""
        return read_secret(self.home.with_suffix(".csv"))

    def _sign_in(self, connection: Connection, login: str) -> str:
        """Sign in with the code of now, or with the next one where that was used."""
        secret = read_secret(secret_beside(self.home, login)).decode("ascii").strip()
        people, now = PeopleClient(connection.as_bearer("")), int(time.time())
        for at in (now, now + _STEP_SECONDS):
            with contextlib.suppress(UnknownCallerError):
                return people.sign_in(login, PASSWORD, pyotp.TOTP(secret).at(at)).token
        raise OrderError("practice_code_used")
