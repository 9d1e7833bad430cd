"""Small files that the command line names: cards, invitations, requests to join."""

from __future__ import annotations

from pathlib import Path

from aquila.errors import InputError

_LARGEST = 1 << 20


def read_file(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        InputError: It cannot be read, or has more than a mebibyte; the message names it.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise InputError("option_file_unreadable", path=path, fault=error.strerror or type(error).__name__) from None
    if len(content) > _LARGEST:
        raise InputError("given_file_too_large", path=path)
    return content
