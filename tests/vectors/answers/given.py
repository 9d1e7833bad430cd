"""What a vector gives, and how the product is asked about it.

An operation returns what follows, nothing where the vector is only taken, and raises where it is refused.
"""

from collections.abc import Callable
from typing import Any

from aquila.crypto.backend import load_group

Given = dict[str, Any]
Operation = Callable[[Given], Any]

GROUP = load_group(1)


def raw(text: str) -> bytes:
    return bytes.fromhex(text)


def cut(octets: bytes, width: int) -> list[str]:
    """Return values of one width, hexadecimal."""
    return [octets[place : place + width].hex() for place in range(0, len(octets), width)]


class RefusedError(Exception):
    """What the product refuses with a word, and not with an error."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind
