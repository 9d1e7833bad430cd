"""The matcher's address and the CA of its certificate, as settings and the registry in force name them."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from aquila.errors import PolicyError
from aquila.protocol.registration.statements import SignedStatement
from services.kit.settings import PeerSettings
from services.kit.storage.files import write_secret
from services.node.storage.home import CA_FILE


def address_of(matcher: PeerSettings) -> tuple[str, str | None]:
    """Return the matcher's address, and the CA's certificates in PEM or None where the system's CAs count."""
    try:
        ca = None if matcher.ca is None else matcher.ca.read_text("ascii")
    except (OSError, UnicodeDecodeError):
        ca = None  # the node could not have started with it; it is shown as a change
    return matcher.url.rstrip("/"), ca


def stated(matcher: PeerSettings, statement: SignedStatement | None, home: Path) -> PeerSettings:
    """Return the settings of calls to the matcher, with a statement's address and CA where they follow the registry.

    Raises:
        PolicyError: The statement's address cannot be used: it is not https.
    """
    if statement is None or not matcher.follow_registry:
        return matcher
    ca = None if statement.message.ca is None else home / CA_FILE
    content = matcher.model_dump() | {"url": statement.message.url, "ca": ca}
    try:
        return PeerSettings.model_validate(content)
    except ValidationError:
        raise PolicyError("matcher_address_unusable") from None


def followed(matcher: PeerSettings, statement: SignedStatement | None, home: Path) -> PeerSettings:
    """Return the settings of calls to the matcher as `stated`, and write the CA's certificates into the home.

    Raises:
        PolicyError: As `stated`.
        StoreError: The disk is full or failed.
    """
    found = stated(matcher, statement, home)
    if statement is None or not matcher.follow_registry:
        return found
    if found.ca is not None and address_of(found)[1] != statement.message.ca:
        write_secret(found.ca, str(statement.message.ca).encode())
    return found
