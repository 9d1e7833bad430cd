"""The keys of a home by which people are known: the operator's token, and the key of people.

The token is for everyone who can read the home. It was made with the home folder, lies in a file of mode 0600, and is
shown as a bearer token. It is a random value and no password: comparing it in constant time is enough.

The key of people seals the secrets of authenticators and, by a key derived from it, rows. A new one waits in a file of
its own until its service starts, before anybody signs in: then all secrets are sealed under it in one transaction, and
its file takes the old one's place. So a running service has one key from its start to its end, and nobody has to enrol
again. Where the old key is lost, the new one takes all rows as they are: the owner of the home decides that, and not
someone who can write to the database.
"""

import contextlib
import hmac
import secrets
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import inspect, select

from aquila.errors import KeyMaterialError
from services.kit.log.entries import seal_entries_again
from services.kit.people.tables import AccountRow
from services.kit.storage.files import destroy_secret, read_secret, write_secret
from services.kit.storage.row_seals import RowKey, is_sealed, seal_again, seal_of
from services.kit.storage.store import Rows, Store

TOKEN_FILE = "operator.token"
_TOKEN_BYTES = 32


class OperatorToken:
    """The token, which does not show itself."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def __repr__(self) -> str:
        return "OperatorToken()"

    @classmethod
    def create(cls, path: Path) -> "OperatorToken":
        """Make a new token and write its file, in place of one that was there.

        Raises:
            StoreError: The file cannot be written.
        """
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        write_secret(path, token.encode() + b"\n")
        return cls(token)

    @classmethod
    def load(cls, path: Path) -> "OperatorToken":
        """Read the token; raises KeyMaterialError if the file is missing, open to others, or holds no token."""
        token = read_secret(path).decode("ascii", "replace").strip()
        if len(token) < _TOKEN_BYTES:
            raise KeyMaterialError("operator_token_malformed", file=str(path), path=path)
        return cls(token)

    def is_shown(self, shown: str) -> bool:
        """Return whether a text is the token."""
        return hmac.compare_digest(shown.encode(), self._token)


KEY_FILE = "people.key"
NEXT_KEY_FILE = "people.next.key"
"""The key that takes the place of `people.key` at the next start."""
_KEY_BYTES = 32
_NONCE_BYTES = 12


class PeopleKey:
    """Seals authenticators' secrets: a copy of the database alone gives none of them away.

    Attributes:
        rows: The key of the seals of rows.
    """

    def __init__(self, octets: bytes) -> None:
        if len(octets) != _KEY_BYTES:
            raise KeyMaterialError("key_file_length_differs", got=len(octets), key_file=KEY_FILE)
        self._cipher = AESGCMSIV(octets)
        derived = HKDF(hashes.SHA256(), _KEY_BYTES, salt=None, info=b"aquila/2 rows")  # RFC 5869, by purpose
        self.rows = RowKey(derived.derive(octets))

    def __repr__(self) -> str:
        return "PeopleKey()"

    @classmethod
    def of_home(cls, home: Path) -> "PeopleKey":
        """Read the key of a home, or make it at the first start.

        Raises:
            KeyMaterialError: The file is open to others, or is not a key.
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
        """Return a number of 128 bits for a text, always the same, and unpredictable without the key."""
        return int.from_bytes(self._cipher.encrypt(bytes(_NONCE_BYTES), text.encode(), b"number"), "big")

    def open(self, person: str, sealed: bytes) -> str:
        """Decrypt a person's secret."""
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


def row_key_of(home: Path) -> RowKey | None:
    """Return the key of the seals of a home's rows for a command, or None where the home has none.

    Raises:
        KeyMaterialError: The file is open to others, or is not a key.
    """
    path = home / KEY_FILE
    return PeopleKey(read_secret(path)).rows if path.exists() else None


def make_next_key(home: Path) -> None:
    """Make the key that takes the place of a home's key at the next start of its service; one that waits stays."""
    path = home / NEXT_KEY_FILE
    # Secrets may be under a key that waits: a start can have ended before the file had its name.
    if not path.exists():
        write_secret(path, secrets.token_bytes(_KEY_BYTES))


def key_at_start(home: Path, store: Store, tables: Sequence[type[Rows]]) -> PeopleKey:
    """Return the key with which a service starts; one that waits takes the place of the old one now.

    A secret that opens under neither of them stays as it is: its person has to enrol again. A row that neither sealed
    stays one that this service did not write, unless the old key is gone: then all rows are taken as they are.
    """
    path, waiting = home / KEY_FILE, home / NEXT_KEY_FILE
    store.row_key = None  # no row is refused before it is sealed again
    if not waiting.exists():
        if not path.exists() and _has_accounts(store):
            raise KeyMaterialError("people_key_missing", key_file=KEY_FILE)
        found = PeopleKey.of_home(home)
        store.row_key = found.rows
        return found
    new = PeopleKey(read_secret(waiting))
    old = PeopleKey(read_secret(path)) if path.exists() else None
    _seal_again(store, tables, old, new)
    store.row_key = new.rows
    # If we crash here or below, the new key still waits, and the next start finds the secrets under it.
    destroy_secret(path)
    waiting.replace(path)
    return new


def _has_accounts(store: Store) -> bool:
    with store.reading("people.any") as session:
        # An application can be put together, for its description alone, before there are tables.
        laid = inspect(session.connection()).has_table(AccountRow.__tablename__)
        return laid and session.scalar(select(AccountRow.person).limit(1)) is not None


def _seal_again(store: Store, tables: Sequence[type[Rows]], old: PeopleKey | None, new: PeopleKey) -> None:
    """Seal all rows, and secrets of authenticators, that are sealed under the old key under the new one."""
    with store.transaction("people.seal_again") as session:
        seal_entries_again(session, None if old is None else old.rows, new.rows)
        if old is None:
            seal_again(session, tables, None, new.rows)
            return
        for row in session.scalars(select(AccountRow).where(AccountRow.totp_secret.is_not(None))):
            sealed = row.totp_secret or b""
            if not new.can_open(row.person, sealed):
                with contextlib.suppress(KeyMaterialError):
                    _renew(row, old, new)
        seal_again(session, tables, old.rows, new.rows)


def _renew(row: AccountRow, old: PeopleKey, new: PeopleKey) -> None:
    """Seal a person's secret under the new key; a row whose seal was right keeps one that is right."""
    was_right = is_sealed(row, old.rows)
    row.totp_secret = new.seal(row.person, old.open(row.person, row.totp_secret or b""))
    if was_right:
        row.seal = seal_of(row, old.rows)
