"""Paths that a form or an address names: of this site, or none."""

from __future__ import annotations

import re

from aquila.errors import InputError

# Letters, digits and a few marks: no second slash at the start, no backslash, no query, nothing to be decoded.
_LOCAL = re.compile(r"/(?:[A-Za-z0-9._-]+/)*[A-Za-z0-9._-]*")
_IDENTIFIER = re.compile(r"[0-9a-f]{32}")


def local_path(wanted: str) -> str:
    """Return a path of this site, or the first page for anything else: nobody is sent on to another site."""
    return wanted if _LOCAL.fullmatch(wanted) else "/"


def identifier(text: str) -> str:
    """Return an identifier of the protocol.

    Raises:
        InputError: It is none.
    """
    if not _IDENTIFIER.fullmatch(text):
        raise InputError("form_thing_unknown")
    return text
