"""The key that seals the secrets of authenticators, and the one that shall take its place.

A new key waits in a file of its own until its service starts, before anybody signs in: then all secrets are sealed
under it in one transaction, and its file takes the old one's place. So a running service has one key from its start to
its end, and nobody has to enrol again.
"""

from __future__ import annotations

import contextlib
import secrets
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from sqlalchemy import select

from aquila.errors import KeyMaterialError
from services.kit.people.tables import AccountRow
from services.kit.storage.files import destroy_secret, read_secret, write_secret

if TYPE_CHECKING:
    from pathlib import Path

    from services.kit.storage.store import Store

KEY_FILE = "people.key"
NEXT_KEY_FILE = "people.next.key"
"""The key that takes the place of `people.key` at the next start."""
_KEY_BYTES = 32
_NONCE_BYTES = 12


class PeopleKey:
    """Seals authenticators' secrets: a copy of the database alone gives none of them away."""

    def __init__(self, octets: bytes) -> None:
        if len(octets) != _KEY_BYTES:
            raise KeyMaterialError("key_file_length_differs", got=len(octets), key_file=KEY_FILE)
        self._cipher = AESGCMSIV(octets)

    def __repr__(self) -> str:
        return "PeopleKey()"

    @classmethod
    def of_home(cls, home: Path) -> PeopleKey:
        """Read the key of a home, or make it at the first start.

        Raises:
            KeyMaterialError: The file is open to others, or is no key.
            StoreError: It cannot be written.
        """
        path = home / KEY_FILE
        if not path.exists():
            write_secret(path, secrets.token_bytes(_KEY_BYTES))
        return cls(read_secret(path))

    def seal(self, person: str, secret: str) -> bytes:
        """Encrypt a person's secret; it opens for the same person only."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret.encode(), person.encode())

    def number(self, text: str) -> int:
        """Return a number of 128 bits for a text, always the same and nobody's to foresee without the key."""
        return int.from_bytes(self._cipher.encrypt(bytes(_NONCE_BYTES), text.encode(), b"number"), "big")

    def open(self, person: str, sealed: bytes) -> str:
        """Decrypt a person's secret.

        Raises:
            KeyMaterialError: It was sealed under another key or for another person.
        """
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], person.encode()).decode()
        except (InvalidTag, ValueError):
            raise KeyMaterialError("authenticator_secret_not_opened", person=person, key_file=KEY_FILE) from None

    def can_open(self, person: str, sealed: bytes) -> bool:
        """Return whether a person's secret is sealed under this key."""
        try:
            self.open(person, sealed)
        except KeyMaterialError:
            return False
        return True


def make_next_key(home: Path) -> None:
    """Make the key that takes the place of a home's key at the next start of its service; one that waits stays.

    Raises:
        StoreError: It cannot be written.
    """
    path = home / NEXT_KEY_FILE
    # Secrets may be under a key that waits: a start can have ended before the file had its name.
    if not path.exists():
        write_secret(path, secrets.token_bytes(_KEY_BYTES))


def key_at_start(home: Path, store: Store) -> PeopleKey:
    """Return the key with which a service starts; one that waits takes the place of the old one now.

    A secret that opens under neither of them stays as it is: its person has to enrol again.

    Args:
        home: The service's home.
        store: Where accounts are.

    Raises:
        KeyMaterialError: A file is open to others, or is no key.
        StoreError: The database or the disk failed.
    """
    path, waiting = home / KEY_FILE, home / NEXT_KEY_FILE
    if not waiting.exists():
        return PeopleKey.of_home(home)
    new = PeopleKey(read_secret(waiting))
    if path.exists():
        _seal_again(store, PeopleKey(read_secret(path)), new)
    # If we crash here or below, the new key still waits, and the next start finds the secrets under it.
    destroy_secret(path)
    waiting.replace(path)
    return new


def _seal_again(store: Store, old: PeopleKey, new: PeopleKey) -> None:
    """Seal all secrets of authenticators that are under the old key under the new one."""
    with store.transaction("people.seal_again") as session:
        for row in session.scalars(select(AccountRow).where(AccountRow.totp_secret.is_not(None))):
            sealed = row.totp_secret or b""
            if not new.can_open(row.person, sealed):
                with contextlib.suppress(KeyMaterialError):
                    row.totp_secret = new.seal(row.person, old.open(row.person, sealed))
