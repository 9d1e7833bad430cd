"""The person a command acts for, `aquila --as NAME ...`, and its certificate: `aquila --cert FILE --key FILE ...`."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clients.sdk import ClientCertificate

LOGIN: ContextVar[str | None] = ContextVar("login", default=None)
"""The login that was named before the command, or None."""

CERTIFICATE: ContextVar[ClientCertificate | None] = ContextVar("certificate", default=None)
"""What is shown to a service that asks for a certificate; None where the home's own settings say, or none does."""
