"""Lines of a stream."""

from __future__ import annotations

from io import BytesIO

from aquila.records.lines import LONGEST_LINE, read_lines


def test_lines_carry_their_numbers_and_ends() -> None:
    """The byte-order mark goes, line ends stay."""
    lines = list(read_lines(BytesIO(b"\xef\xbb\xbfa\r\nb\nc")))
    assert [(line.number, line.text, line.fault) for line in lines] == [(1, "a\r\n", ""), (2, "b\n", ""), (3, "c", "")]


def test_lines_that_are_no_text_say_so() -> None:
    """NUL bytes and other encodings are faults of their line alone."""
    faults = [line.fault for line in read_lines(BytesIO(b"a\0b\n\xe8\nc\n"))]
    assert "NUL" in faults[0]
    assert "UTF-8" in faults[1]
    assert faults[2] == ""


def test_a_line_without_end_is_skipped_in_bounded_memory() -> None:
    """The line after it is read again."""
    lines = list(read_lines(BytesIO(b"x" * (3 * LONGEST_LINE) + b"\nshort\n")))
    assert "longer" in lines[0].fault
    assert (lines[1].number, lines[1].text) == (2, "short\n")


def test_a_last_line_without_end_is_skipped_too() -> None:
    """The end of the file ends it."""
    (line,) = read_lines(BytesIO(b"x" * (LONGEST_LINE + 1)))
    assert "longer" in line.fault


def test_a_line_does_not_show_its_text() -> None:
    """The representation is the number."""
    (line,) = read_lines(BytesIO(b"Ana"))
    assert repr(line) == "Line(1)"
