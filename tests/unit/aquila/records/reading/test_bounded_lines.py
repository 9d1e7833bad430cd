"""Lines of a stream."""

from io import BytesIO
from itertools import chain

import pytest

from aquila.records.reading.bounded_lines import BATCH_BYTES, LONGEST_LINE, Batch, Line, LineSource
from aquila.sentences import Sentence


def read(content: bytes) -> list[Line]:
    """Read all lines of a file, and see that reading them at less cost gives the same."""
    batch = Batch(1, tuple(LineSource(BytesIO(content)).read_lines(1_000)))
    lines = batch.lines()
    texts = batch.sound_texts()
    assert texts == (None if any(line.fault for line in lines) else [line.text for line in lines])
    return lines


def test_lines_carry_their_numbers_and_ends() -> None:
    """The byte-order mark goes, line ends stay."""
    lines = read(b"\xef\xbb\xbfa\r\nb\nc")
    assert [(line.number, line.text, line.fault) for line in lines] == [
        (1, "a\r\n", None),
        (2, "b\n", None),
        (3, "c", None),
    ]


def test_lines_that_are_no_text_say_so() -> None:
    faults = [line.fault for line in read(b"a\0b\n\xe8\nc\n")]
    assert faults == [Sentence.of("line_holds_nul"), Sentence.of("line_not_in_encoding"), None]
    assert read(b"\xe8")[0].fault == faults[1]


def test_a_line_without_end_is_skipped_in_bounded_memory() -> None:
    content = b"x" * (3 * LONGEST_LINE) + b"\nshort\n"
    lines = read(content)
    assert lines[0].fault == Sentence.of("line_too_long", most=LONGEST_LINE)
    assert (lines[1].number, lines[1].text) == (2, "short\n")
    assert len(LineSource(BytesIO(content)).next()) == LONGEST_LINE + 1


def test_a_last_line_without_end_is_skipped_too() -> None:
    (line,) = read(b"x" * (LONGEST_LINE + 1))
    assert line.fault == Sentence.of("line_too_long", most=LONGEST_LINE)


def test_a_batch_of_long_lines_is_small() -> None:
    taken = LineSource(BytesIO((b"x" * 60_000 + b"\n") * 100)).read_lines(100)
    assert BATCH_BYTES <= sum(map(len, taken)) <= BATCH_BYTES + LONGEST_LINE


def test_lines_that_are_given_back_come_again() -> None:
    source = LineSource(BytesIO(b"1\n2\n3\n4\n"))
    source.give_back(source.read_lines(3)[1:])
    assert source.read_lines(10) == [b"2\n", b"3\n", b"4\n"]
    assert source.next() == b""


def test_lines_do_not_show_their_text() -> None:
    (line,) = read(b"Ana")
    assert repr(line) == "Line(1)"
    assert repr(Batch(2, (b"Ana",))) == "Batch(first=2, lines=1)"


@pytest.mark.parametrize("end", [b"\n", b""])
def test_lines_that_are_taken_together_are_those_taken_one_by_one(end: bytes) -> None:
    """Overlong lines among others, behind each other and at the end keep their beginning."""
    long = [b"x" * (2 * LONGEST_LINE + 5), b"y" * (LONGEST_LINE + 1), b"z" * LONGEST_LINE, b"v" * (LONGEST_LINE - 1)]
    content = b"\n".join([b"1", *long, b"2", long[0], b"3", b"4", b"5", long[1]]) + end
    one_by_one = list(iter(LineSource(BytesIO(content)).next, b""))
    source = LineSource(BytesIO(content))
    taken = list(chain.from_iterable(iter(lambda: source.read_lines(5), [])))
    assert taken == one_by_one
    assert [len(line) for line in taken[:3]] == [2, LONGEST_LINE + 1, LONGEST_LINE + 1]
