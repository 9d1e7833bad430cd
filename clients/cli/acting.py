"""Whom a command acts for: `aquila --as NAME ...`."""

from __future__ import annotations

from contextvars import ContextVar

LOGIN: ContextVar[str | None] = ContextVar("login", default=None)
"""The login that was named before the command, or None."""
