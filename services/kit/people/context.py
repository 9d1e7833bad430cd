"""Context of the use cases about people, made once from a service's settings."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from aquila.errors import KeyMaterialError
from services.kit.people.oidc import Provider
from services.kit.people.passwords import Passwords
from services.kit.storage.files import read_secret, write_secret

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy.orm import Session

    from aquila.audit.roles import Service
    from services.kit.actor import Actor
    from services.kit.people.tables import AccountRow
    from services.kit.settings import PeopleSettings, ServiceSettings
    from services.kit.storage.store import Store

KEY_FILE = "people.key"
_PRODUCT = "aquila"
_KEY_BYTES = 32
_NONCE_BYTES = 12

Revoke: TypeAlias = "Callable[[Session, People, AccountRow, Actor | None], None]"
"""Called with the changed account and the person who changed it, or None where the provider did."""


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


@dataclass(frozen=True, slots=True)
class People:
    """The people of a service.

    Attributes:
        service: Which one.
        party: The party's code, or `matcher`; for the log.
        store: Where accounts and sessions are.
        settings: How long sessions and codes count.
        key: Seals secrets.
        passwords: Hashes and verifies.
        clock: Seconds since 1970.
        revoke: Takes back, in the transaction in which an account loses rights, what the account asked for by them.
        names: Those of product, service and party, which count for nothing in a password.
        provider: The ministry's own identity provider, if there is one.
    """

    service: Service
    party: str
    store: Store
    settings: PeopleSettings
    key: PeopleKey
    passwords: Passwords
    clock: Callable[[], int]
    revoke: Revoke
    names: tuple[str, ...]
    provider: Provider | None = None

    @classmethod
    def of(  # noqa: PLR0913, PLR0917 - the parts
        cls,
        service: Service,
        party: str,
        store: Store,
        settings: ServiceSettings,
        clock: Callable[[], int],
        revoke: Revoke,
        name: str = "",
    ) -> People:
        """Put the parts together; raises as `PeopleKey.of_home` does.

        Args:
            service: Which service.
            party: The party's code, or `matcher`.
            store: Where accounts and sessions are.
            settings: The service's settings.
            clock: Seconds since 1970.
            revoke: As the attribute.
            name: The party's name, if it has one.
        """
        key = PeopleKey.of_home(settings.home)
        names = tuple(sorted({_PRODUCT, service.value, party.lower(), name.lower(), *name.lower().split()} - {""}))
        provider = None if settings.provider is None else Provider(settings.provider)
        passwords = Passwords(settings.people)
        return cls(service, party, store, settings.people, key, passwords, clock, revoke, names, provider)
