"""The local key: the token in the service's home folder, for everyone who can read it.

It was made with the home folder, lies in a file of mode 0600, and is shown as a bearer token. It is a random value and
no password: comparing it in constant time is enough.
"""

from __future__ import annotations

import hmac
import secrets
from pathlib import Path

from aquila.errors import KeyMaterialError
from services.kit.storage.files import read_secret, write_secret

TOKEN_FILE = "operator.token"  # noqa: S105 - the name of a file
_TOKEN_BYTES = 32


class OperatorToken:
    """The token, which does not show itself."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def __repr__(self) -> str:
        return "OperatorToken()"

    @classmethod
    def create(cls, path: Path) -> OperatorToken:
        """Make a new token and write its file, in place of one that was there.

        Raises:
            StoreError: The file cannot be written.
        """
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        write_secret(path, token.encode() + b"\n")
        return cls(token)

    @classmethod
    def load(cls, path: Path) -> OperatorToken:
        """Read the token.

        Raises:
            KeyMaterialError: The file is missing, open to others, or holds no token.
        """
        token = read_secret(path).decode("ascii", "replace").strip()
        if len(token) < _TOKEN_BYTES:
            raise KeyMaterialError("operator_token_malformed", file=str(path), path=path)
        return cls(token)

    def is_shown(self, shown: str) -> bool:
        """Return whether a text is the token."""
        return hmac.compare_digest(shown.encode(), self._token)
