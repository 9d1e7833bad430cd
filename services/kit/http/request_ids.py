"""Ids of calls: a caller makes a random one, and both services write it on each line about the call.

So one search finds a call in the logs of a node and of the matcher. An id says nothing by itself: it is random. One of
another form is not taken from a caller, whose text would otherwise be in the log.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import Scope

from services.kit.logging import REQUEST

HEADER = "x-request-id"
_ID_BYTES = 16
_FORM = re.compile(rf"[0-9a-f]{{{2 * _ID_BYTES}}}")


def id_of(scope: Scope) -> str:
    """Return the id that a call bears once and in its strict form, else a new one."""
    named = [value for name, value in scope["headers"] if name == HEADER.encode()]
    shown = named[0].decode("latin-1") if len(named) == 1 else ""
    return shown if _FORM.fullmatch(shown) else new_id()


def new_id() -> str:
    """Return a new id."""
    return secrets.token_hex(_ID_BYTES)


@contextmanager
def carrying(request_id: str) -> Iterator[None]:
    """Let the lines that are written in the block bear an id."""
    token = REQUEST.set(request_id)
    try:
        yield
    finally:
        REQUEST.reset(token)
