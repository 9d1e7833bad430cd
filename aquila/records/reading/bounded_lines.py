"""Lines of a stream, each bounded, as bytes; batches of them; and their text, decoded."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import BinaryIO

from aquila.records.reading.layouts import Encoding
from aquila.records.rows import Finding
from aquila.sentences import Sentence

LONGEST_LINE = 1 << 16  # bytes; a record of all fields with long lists takes a few thousand
BATCH_LINES = 2_048
BATCH_BYTES = 1 << 19  # about, so that a batch of long lines is small too
MARK = b"\xef\xbb\xbf"  # the byte-order mark that some programs write before a file's first line


@dataclass(frozen=True, slots=True, repr=False)
class Line:
    """One line of a file."""

    number: int
    """Counted from 1."""
    text: str
    """The line with its end, or an empty string where `fault` says why it cannot be read."""
    fault: Sentence | None = None

    def __repr__(self) -> str:
        return f"Line({self.number})"

    @property
    def is_blank(self) -> bool:
        """Return whether the line can be read and holds white space alone."""
        return not self.fault and not self.text.strip()


@dataclass(frozen=True, slots=True, repr=False)
class Batch:
    """Lines of a file that follow each other, as they are: what a process takes to read a part of a list."""

    first: int
    """The number of the first line, counted from 1."""
    contents: tuple[bytes, ...]
    """The lines with their ends."""
    is_head: bool = False
    """Whether the list's first row is here."""
    findings: tuple[Finding, ...] = ()
    """What was found before its lines were made, where they come from a spreadsheet."""

    def __repr__(self) -> str:
        return f"Batch(first={self.first}, lines={len(self.contents)})"

    def lines(self, encoding: Encoding = "utf-8") -> list[Line]:
        """Decode the lines one by one."""
        return [decode_line(number, content, encoding) for number, content in enumerate(self.contents, self.first)]

    def sound_text(self, encoding: Encoding = "utf-8") -> str | None:
        """Decode all lines at once, if none of them has a fault or begins the file, or return None."""
        whole = b"".join(self.contents)
        if b"\0" in whole or self.first == 1 or max(map(len, self.contents), default=0) > LONGEST_LINE:
            return None
        try:
            return whole.decode(encoding)
        except UnicodeDecodeError:
            return None

    def sound_texts(self, encoding: Encoding = "utf-8") -> list[str] | None:
        """Decode the lines of a batch of which none has a fault, or return None: as `lines`, at less cost."""
        if b"\0" in b"".join(self.contents) or max(map(len, self.contents), default=0) > LONGEST_LINE:
            return None
        try:
            texts = [content.decode(encoding) for content in self.contents]
        except UnicodeDecodeError:
            return None
        if texts and self.first == 1:
            texts[0] = texts[0].removeprefix(MARK.decode())
        return texts


class LineSource:
    """The lines of a binary stream with their ends, and with a way back for those that were taken too early.

    Of a line longer than `LONGEST_LINE` bytes one byte more than that is kept: enough to tell that it is too long.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._pieces = iter(partial(stream.readline, LONGEST_LINE + 1), b"")
        self._returned: list[bytes] = []  # the next one last

    def next(self) -> bytes:
        """Take the next line, or an empty string at the end."""
        if self._returned:
            return self._returned.pop()
        content = self._stream.readline(LONGEST_LINE + 1)
        if len(content) > LONGEST_LINE:
            _skip_line(self._stream, content)
        return content

    def read_lines(self, most: int) -> list[bytes]:
        """Take up to a number of lines, but not more than about `BATCH_BYTES`; none at the end."""
        taken: list[bytes] = []
        size = 0
        while len(taken) < most and size < BATCH_BYTES:
            # As many lines as are no more than a batch, and one, should each be of the greatest length.
            some = self._take_some(min(most - len(taken), (BATCH_BYTES - size) // LONGEST_LINE + 1))
            if not some:
                break
            taken += some
            size += sum(map(len, some))
        return taken

    def _take_some(self, most: int) -> list[bytes]:
        """Take up to a number of lines, without a look at each of them."""
        if self._returned:
            return [self.next()]
        pieces = list(islice(self._pieces, most))
        if max(map(len, pieces), default=0) <= LONGEST_LINE:
            return pieces
        lines, is_tail = [], False
        for piece in pieces:
            if not is_tail:
                lines.append(piece)
            is_tail = (is_tail or len(piece) > LONGEST_LINE) and not piece.endswith(b"\n")
        if is_tail:
            _skip_line(self._stream, pieces[-1])
        return lines

    def give_back(self, contents: Iterable[bytes]) -> None:
        """Put lines back, in the order in which they were taken."""
        self._returned.extend(reversed(list(contents)))


def decode_line(number: int, content: bytes, encoding: Encoding = "utf-8") -> Line:
    """Decode one line, or return why it cannot be; a byte-order mark before the first is left out."""
    if len(content) > LONGEST_LINE:
        return Line(number, "", Sentence.of("line_too_long", most=LONGEST_LINE))
    if b"\0" in content:
        return Line(number, "", Sentence.of("line_holds_nul"))
    try:
        return Line(number, (content.removeprefix(MARK) if number == 1 else content).decode(encoding))
    except UnicodeDecodeError:
        return Line(number, "", Sentence.of("line_not_in_encoding"))


def _skip_line(stream: BinaryIO, content: bytes) -> None:
    """Read on to the end of the line that `content` begins."""
    while content and not content.endswith(b"\n"):
        content = stream.readline(LONGEST_LINE)
