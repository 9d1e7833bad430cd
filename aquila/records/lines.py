"""Lines of a stream, each bounded, decoded, and with its number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_LINE = 1 << 16  # bytes; a record of all fields with long lists takes a few thousand


@dataclass(frozen=True, slots=True, repr=False)
class Line:
    """One line of a file.

    Attributes:
        number: Counted from 1.
        text: The line with its end, or an empty string where `fault` says why it cannot be read.
    """

    number: int
    text: str
    fault: str = ""

    def __repr__(self) -> str:
        return f"Line({self.number})"


def read_lines(stream: BinaryIO) -> Iterator[Line]:
    """Yield the lines of a binary stream; a byte-order mark at its beginning is left out."""
    number = 0
    while content := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(content) > LONGEST_LINE:
            _skip_line(stream, content)
            yield Line(number, "", f"is longer than {LONGEST_LINE} bytes; look for a missing line end before it")
            continue
        yield _decoded(number, content.removeprefix(b"\xef\xbb\xbf") if number == 1 else content)


def _decoded(number: int, content: bytes) -> Line:
    """Decode one line, or say why it cannot be."""
    if b"\0" in content:
        return Line(number, "", "holds a NUL byte; save the file as UTF-8 text")
    try:
        return Line(number, content.decode())
    except UnicodeDecodeError:
        return Line(number, "", "is not UTF-8; save the file with that encoding")


def _skip_line(stream: BinaryIO, content: bytes) -> None:
    """Read on to the end of the line that `content` begins."""
    while content and not content.endswith(b"\n"):
        content = stream.readline(LONGEST_LINE)
