"""Letters that a reader does not see, and texts in which they are shown.

Direction marks turn what stands around them, joiners and fillers hide a difference between two texts: a person who
approves a text must have seen all of it. Texts that people give are refused with such a letter; texts of others are
shown with it in place of the letter, `[U+202E]`. Letters that only look like others are another matter, and stay.

Source: Unicode 14, the general categories Cc (but tab and line ends), Cf, Co, Cs, Zl and Zp, the letters of the
property Default_Ignorable_Code_Point (UAX #44), and the blank pattern of Braille.
"""

import re

_UNSEEN = re.compile(
    "["
    r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160"
    r"\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ud800-\uf8ff\ufe00-\ufe0f\ufeff"
    r"\uffa0\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U00013438\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff\U000f0000-\U000ffffd\U00100000-\U0010fffd"
    "]"
)


def first_unseen(text: str) -> str:
    """Return the name of the first letter that a reader does not see, `U+202E`, or nothing."""
    found = _UNSEEN.search(text)
    return _named(found[0]) if found else ""


def visible(text: str) -> str:
    """Return a text with the names of the letters that a reader does not see in their places."""
    return _UNSEEN.sub(lambda found: f"[{_named(found[0])}]", text)


def _named(letter: str) -> str:
    return f"U+{ord(letter):04X}"
