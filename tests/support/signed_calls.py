"""Handlers that take signed calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.kit.http.routing import caller_checks
from services.kit.http.signed_calls import _Signature

if TYPE_CHECKING:
    from fastapi.dependencies.models import Dependant


def is_signed_call(dependant: Dependant) -> bool:
    """Return whether a handler takes signed calls alone."""
    return any(isinstance(check, _Signature) for check in caller_checks(dependant))
