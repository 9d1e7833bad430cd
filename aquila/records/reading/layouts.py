"""The layout of a list's file: its format, its encoding, its sheet; chosen by a person, or recognized from the file.

UTF-8 and UTF-16 show themselves. The older encodings of one byte a letter do not: every file can be read in each. Of
these the one is taken in which the letters are most like those of a language of the region (Shannon's log-likelihood;
alphabets in place of measured frequencies, because lists hold names and no sentences). It is a guess, and is reported
as one. ADR 41 (docs/adr/README.md) compares it with a general detector.
"""

from __future__ import annotations

import io
import math
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple, get_args

from aquila.errors import InputError
from aquila.records.person import FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from _typeshed import WriteableBuffer

Format = Literal["csv", "ftm", "xlsx", "ods"]
"""CSV, FollowTheMoney JSON lines, a workbook of Excel, a spreadsheet of LibreOffice (OpenDocument)."""

Encoding = Literal[
    "utf-8",
    "utf-16le",
    "utf-16be",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "windows-1253",
    "windows-1254",
    "iso-8859-2",
    "iso-8859-5",
    "ibm852",
]
"""The encodings in which the region's programs write text, by their IANA names."""

FORMATS: tuple[Format, ...] = get_args(Format)
ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)
UTF_8: Encoding = "utf-8"
WIDE_ENCODINGS: frozenset[Encoding] = frozenset({"utf-16le", "utf-16be"})
"""The encodings in which a line feed is more than one byte."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The way in which a file is a list. What is None is recognized from the file."""

    format: Format | None = None
    """One of `FORMATS`."""
    encoding: Encoding | None = None
    """One of `ENCODINGS`; a spreadsheet has none."""
    sheet: int | None = None
    """The number of a spreadsheet's sheet, counted from 1; the first one that names a known column by default."""
    columns: tuple[str | None, ...] | None = None
    """The field of each column, or None for one that is not read; by default columns are named as fields are."""
    heading: int | None = None
    """The line of the headings, counted from 1; by default that near the top that names most fields, or the first."""

    def __post_init__(self) -> None:
        """Check the values; raises InputError if an unknown format or encoding, or a sheet that cannot be."""
        if self.format is not None and self.format not in FORMATS:
            raise InputError("list_format_unknown", known=", ".join(FORMATS))
        if self.encoding is not None and self.encoding not in ENCODINGS:
            raise InputError("encoding_unknown", known=", ".join(ENCODINGS))
        if self.sheet is not None and self.sheet < 1:
            raise InputError("sheet_number_too_small")
        if self.heading is not None and self.heading < 1:
            raise InputError("heading_line_too_small")
        if not {*(self.columns or ())} <= {*FIELDS, None}:
            raise InputError("column_field_unknown", known=", ".join(FIELDS))


RECOGNIZED = Layout()
"""The layout that leaves everything to be recognized."""


@dataclass(frozen=True, slots=True)
class FoundLayout:
    """The layout in which a list is read."""

    format: Format
    """One of `FORMATS`."""
    encoding: Encoding | None = None
    """One of `ENCODINGS`, or None for a spreadsheet."""
    is_guess: bool = False
    """Whether the encoding was concluded from the letters, which a person should check with some names."""
    sheet: int | None = None
    """The number of the sheet, from 1, or None where the file has none."""
    sheets: tuple[str, ...] = ()
    """The names of all sheets of a spreadsheet."""
    headings: tuple[str, ...] = field(default=(), repr=False)
    """The columns as the list names them; nothing for FollowTheMoney."""
    columns: tuple[str | None, ...] = ()
    """The fields that they are read into, or None for each that is not read; nothing before that is known."""
    line: int = 1
    """The line of the headings."""
    top: tuple[tuple[int, tuple[str, ...]], ...] = field(default=(), repr=False, compare=False)
    """The first lines that are not blank, with their numbers, cut to be shown; nothing for FollowTheMoney."""


_HEAD = 4_096  # bytes, of which UTF-16 is recognized
_SAMPLED_BYTES = 1 << 15  # of lines that are not ASCII, by which the encoding is guessed
_PIECE = 1 << 16  # bytes
_HIGH_SURROGATES = range(0xD8, 0xDC)
_LEAST_ZEROS = 0.1  # of the bytes at one parity, in UTF-16: separators, digits and the names of columns
_NEAR = 0.9  # how far a list is taken to be of one language; the rest is of any that its encoding can write
_ELSEWHERE = 1e-4  # the likelihood of a letter that no language of the region has
_VOWELS = 0.45  # of the letters of words


class Language(NamedTuple):
    """The letters of a language outside ASCII, in small letters: of Latin alphabets few, of others all."""

    encodings: tuple[Encoding, ...]
    vowels: str
    consonants: str = ""


_LATIN_2: tuple[Encoding, ...] = ("windows-1250", "iso-8859-2", "ibm852")
_CYRILLIC: tuple[Encoding, ...] = ("windows-1251", "iso-8859-5")
LANGUAGES = (
    Language(_LATIN_2, "čćžšđ"),  # Bosnian, Croatian, Montenegrin, Serbian, Slovenian
    Language(_LATIN_2, "ăâîşţ"),  # Romanian
    Language(_LATIN_2, "áéíóöőúüű"),  # Hungarian
    Language((*_LATIN_2, "windows-1252"), "ëç"),  # Albanian
    Language((*_LATIN_2, "windows-1252"), "äöüß"),  # German
    Language(("windows-1254",), "çğıİöşü"),  # Turkish
    Language(_CYRILLIC, "аеиоу", "бвгдђжзјклљмнњпрстћфхцчџш"),  # Serbian
    Language(_CYRILLIC, "аеиоу", "бвгдѓжзѕјклљмнњпрстќфхцчџш"),  # Macedonian
    Language(_CYRILLIC, "аеиоуъюя", "бвгджзйклмнпрстфхцчшщь"),  # Bulgarian
    Language(_CYRILLIC, "аеиоуыэюяё", "бвгджзйклмнпрстфхцчшщьъ"),  # Russian
    Language(("windows-1253",), "αεηιουωάέήίόύώϊϋΐΰ", "βγδζθκλμνξπρσςτφχψ"),  # Greek
)
_LEGACY: tuple[Encoding, ...] = tuple(dict.fromkeys(name for one in LANGUAGES for name in one.encodings))


def find_encoding(stream: BinaryIO) -> tuple[Encoding, bool]:
    """Recognize the encoding of a text, and return whether that is a guess; the stream is read from its beginning."""
    stream.seek(0)
    head = stream.read(_HEAD)
    if marked := _utf_16(head):
        return marked, False
    lines = list(_unusual_lines(stream))
    sound = sum(map(_is_utf_8, lines))
    if 2 * sound >= len(lines):  # a few lines of a UTF-8 file may be damaged; they are refused one by one
        return "utf-8", False
    return max(_LEGACY, key=lambda name: _likelihood(lines, name)), True


def as_utf_8(stream: BinaryIO, encoding: Encoding) -> BinaryIO:
    """Return a UTF-16 stream as one of UTF-8 whose lines end with a line feed byte; half characters stay invalid."""
    return io.BufferedReader(_Transcoded(stream, encoding), _PIECE)


class _Transcoded(io.RawIOBase):
    """UTF-8 bytes of a UTF-16 stream, read from its beginning."""

    def __init__(self, stream: BinaryIO, encoding: Encoding) -> None:
        super().__init__()
        stream.seek(0)
        self._texts = _decoded(stream, encoding)
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, target: WriteableBuffer) -> int:
        view = memoryview(target)
        while not self._left:
            text = next(self._texts, None)
            if text is None:
                return 0
            self._left = text.encode("utf-8", "surrogatepass")
        size = min(len(view), len(self._left))
        view[:size] = self._left[:size]
        self._left = self._left[size:]
        return size


def _decoded(stream: BinaryIO, encoding: Encoding) -> Iterator[str]:
    """Yield the text of a UTF-16 stream piece by piece, halves of characters as they are."""
    half = b""
    while piece := stream.read(_PIECE):
        held = half + piece
        # A piece ends with a whole unit of two bytes that is not the first half of a pair.
        size = len(held) - len(held) % 2
        high = held[size - 1 if encoding == "utf-16le" else size - 2] if size else 0
        if high in _HIGH_SURROGATES:
            size -= 2
        yield held[:size].decode(encoding, "surrogatepass")
        half = held[size:]
    if half:
        yield "\ud800"  # a unit that was cut, which makes its line invalid


def _utf_16(head: bytes) -> Encoding | None:
    """Return the UTF-16 encoding that a byte-order mark or the zeros of ASCII letters show."""
    if head.startswith(b"\xff\xfe"):
        return "utf-16le"
    if head.startswith(b"\xfe\xff"):
        return "utf-16be"
    even, odd = head[::2].count(0), head[1::2].count(0)
    least = max(1, _LEAST_ZEROS * len(head) / 2)
    if odd >= least and not even:
        return "utf-16le"
    if even >= least and not odd:
        return "utf-16be"
    return None


def _unusual_lines(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the first lines that are not ASCII, up to `_SAMPLED_BYTES`, each cut where it is long."""
    stream.seek(0)
    size = 0
    while size < _SAMPLED_BYTES and (piece := stream.readline(_PIECE)):
        if not piece.isascii():
            line = piece[:_HEAD]
            size += len(line)
            yield line


def _is_utf_8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError as error:
        return not line.endswith(b"\n") and error.start > len(line) - 4  # where a long line was cut
    return True


def _likelihood(lines: Iterable[bytes], encoding: Encoding) -> float:
    """Return the log-likelihood of the letters in the language that suits them best; minus infinity if not text."""
    try:
        text = "\n".join(line.decode(encoding) for line in lines)
    except UnicodeDecodeError:
        return -math.inf
    letters = Counter("?" if _is_odd(before, letter) else letter for before, letter in pairwise(" " + text))
    letters = Counter({letter: count for letter, count in letters.items() if letter == "?" or not letter.isascii()})
    languages = [_frequencies(one) for one in LANGUAGES if encoding in one.encodings]
    return max(
        sum(
            count
            * math.log(
                _NEAR * near.get(letter, 0)
                + (1 - _NEAR) * sum(one.get(letter, 0) for one in languages) / len(languages)
                + _ELSEWHERE
            )
            for letter, count in letters.items()
        )
        for near in languages
    )


def _is_odd(before: str, letter: str) -> bool:
    """Return whether a letter does not go with the one before it: a capital after a small one, or another script."""
    if letter.isascii() and before.isascii():
        return False
    if not before.isalpha() or not letter.isalpha():
        return False
    return (letter.isupper() and before.islower()) or _is_latin(before) != _is_latin(letter)


def _is_latin(letter: str) -> bool:
    return letter < "\u0370"  # below Greek


@cache
def _frequencies(language: Language) -> dict[str, float]:
    """Return the likelihood of a language's letters, in both cases, in a text of them alone."""
    share = _VOWELS if language.consonants else 1.0
    found = {letter: share / len(language.vowels) for letter in language.vowels}
    found |= {letter: (1 - share) / len(language.consonants) for letter in language.consonants}
    return {case: value for letter, value in found.items() for case in {letter, letter.upper()} if len(case) == 1}
