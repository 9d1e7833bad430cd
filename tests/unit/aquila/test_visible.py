"""Letters that a reader does not see: which they are, and how they are shown."""

import sys
import unicodedata

import pytest

from aquila.records.normalize.names import without_unseen
from aquila.visible import first_unseen, visible

UNSEEN = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
NEWER = range(0x13439, 0x13440)  # format characters since Unicode 15


def test_every_letter_of_the_unseen_categories_is_named() -> None:
    """Control, format, private and surrogate letters and separators of lines of Unicode 14."""
    letters = (chr(code) for code in range(sys.maxunicode + 1) if code not in NEWER)
    unseen = [letter for letter in letters if unicodedata.category(letter) in UNSEEN and letter not in "\t\n\r"]
    assert len(unseen) > 100_000
    assert [letter for letter in unseen if not first_unseen(letter)] == []


def test_the_normalizer_passes_over_the_same() -> None:
    """Its table has all of them but private letters, which a list may show by a font of its own."""
    letters = list(map(chr, range(sys.maxunicode + 1)))
    changed = {letter for letter in letters if without_unseen(letter) != letter}
    assert changed - set("\t\n\r") == {
        letter for letter in letters if first_unseen(letter) and unicodedata.category(letter) != "Co"
    }


@pytest.mark.parametrize("letter", ["\u034f", "\u115f", "\u1160", "\u2800", "\u3164", "\ufe0f", "\uffa0", "\U000e0100"])
def test_fillers_are_named(letter: str) -> None:
    """They are letters and marks to Unicode, and blank to a reader."""
    assert first_unseen(letter)


def test_what_people_write_is_left_alone() -> None:
    """Letters of the region and beyond, digits, blanks of any width, marks of sentences, line ends."""
    text = "Ђорђе Šćepanović-Çela, Ἀθῆναι, محمد, 王, №\u00a07, „да“…\t1\r\n\ufffd"
    assert first_unseen(text) == ""
    assert visible(text) == text


def test_what_is_not_seen_is_shown() -> None:
    text = "list\u202e gnp.\u200bexe"
    assert first_unseen(text) == "U+202E"
    assert visible(text) == "list[U+202E] gnp.[U+200B]exe"
    assert first_unseen(visible(text)) == ""
