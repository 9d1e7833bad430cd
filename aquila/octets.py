"""Columns of bytes: values of one width, one behind the other."""

from collections.abc import Iterable
from itertools import accumulate, pairwise


def parted(octets: bytes, width: int) -> list[bytes]:
    """Return the values of a column, each of `width` bytes."""
    return [octets[place : place + width] for place in range(0, len(octets), width)]


def parted_by(octets: bytes, counts: Iterable[int], width: int = 1) -> list[bytes]:
    """Cut a column of values of `width` bytes into consecutive parts, each with its own number of values."""
    ends = accumulate(counts, initial=0)
    return [octets[width * start : width * end] for start, end in pairwise(ends)]


def hexadecimal(octets: bytes, width: int) -> list[str]:
    """Return the values of a column, each of `width` bytes, in hexadecimal."""
    digits = octets.hex()
    return [digits[place : place + 2 * width] for place in range(0, len(digits), 2 * width)]
