"""Passwords: Argon2id (RFC 9106) through argon2-cffi, and what a password must be (NIST SP 800-63B section 5.1.1.2)."""

from __future__ import annotations

import threading
import unicodedata
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from aquila.errors import InputError

if TYPE_CHECKING:
    from services.kit.settings import PeopleSettings

SHORTEST = 12
_LANES = 4
_AT_ONCE = 2  # each takes tens of MiB: whoever asks for a thousand sign-ins shall not take the machine's memory


class Passwords:
    """Hashes and verifies, as costly as the settings say."""

    def __init__(self, settings: PeopleSettings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.argon2_passes,
            memory_cost=settings.argon2_kibibytes,
            parallelism=_LANES,
        )
        self._slots = threading.BoundedSemaphore(_AT_ONCE)
        self._nobodys: str | None = None

    def hash(self, password: str) -> str:
        """Return what is stored of a password."""
        with self._slots:
            return self._hasher.hash(_normal(password))

    def verify(self, stored: str | None, password: str) -> bool:
        """Tell whether a password is the stored one; where nothing is stored it takes as long and is wrong."""
        known = stored or self._decoy()
        with self._slots:
            try:
                self._hasher.verify(known, _normal(password))
            except (VerificationError, InvalidHashError):
                return False
        return stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Tell whether the settings have changed since a password was hashed."""
        return self._hasher.check_needs_rehash(stored)

    def _decoy(self) -> str:
        """Return a hash that is nobody's, so that an unknown login cannot be told from a known one by the time."""
        if self._nobodys is None:
            self._nobodys = self.hash("nobody's password")
        return self._nobodys


def check_password(password: str, login: str) -> None:
    """Refuse a password that is too easy; length is what counts.

    Raises:
        InputError: It is.
    """
    normal = _normal(password)
    if len(normal) < SHORTEST:
        raise InputError("the password is too short", hint=f"use at least {SHORTEST} characters, or a few words")
    if login in normal.lower() or len(set(normal)) < SHORTEST // 2:
        raise InputError("the password is too easy", hint="leave out the login name, and do not repeat few letters")


def _normal(password: str) -> str:
    """Return the one form of a text that keyboards write in several ways (RFC 8265 section 4.2)."""
    return unicodedata.normalize("NFC", password)
