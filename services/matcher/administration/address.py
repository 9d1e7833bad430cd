"""The matcher's own address and the CA of its certificate, as invitations and statements name them."""

from __future__ import annotations

from aquila.errors import InputError
from services.matcher.settings import MatcherSettings


def address_of(settings: MatcherSettings) -> tuple[str, str | None]:
    """Return the matcher's address, and its CA's certificates in PEM or None where the system's CAs know it.

    Raises:
        InputError: The port is left to the system, or the file of the CA cannot be read.
    """
    listen, command = settings.listen, settings.command
    if not listen.public_url and listen.port == 0:
        raise InputError("matcher_address_unknown")
    host = f"[{listen.host}]" if ":" in listen.host else listen.host
    url = listen.public_url.rstrip("/") or f"{'http' if settings.tls is None else 'https'}://{host}:{listen.port}"
    if settings.tls is None or command is None or command.ca is None:
        return url, None
    try:
        return url, command.ca.read_text("ascii")
    except (OSError, UnicodeDecodeError):
        raise InputError("matcher_ca_unreadable", path=command.ca) from None
