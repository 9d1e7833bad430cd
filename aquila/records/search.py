"""Finding one's own records by a name, in any script and spelling of the region.

A record is found by a text of its folded words, and a name is looked for in that text word by word: from the beginning
of a word, a longer part anywhere in it ("rahman" in "abdurahman"), or with `alike` also as a word that sounds like it:
a known variant, other vowels. A text belongs to the version of the normalizer that made it; who stores it makes it anew
when that changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila.records.normalize.coarse_forms import sound
from aquila.records.normalize.names import name_words
from aquila.records.rule_parts import record_names

if TYPE_CHECKING:
    from aquila.records.person import Record

LONGEST_TEXT = 2_000
"""Letters of a text: about 120 words with their sounds; what a person of more aliases has beyond is not found."""

_SOUND = "="  # before a word's sound; occurs in no folded word
_ANYWHERE = 4  # letters of a part that may stand anywhere in a word; shorter ones would be found in every second name


def search_text(record: Record) -> str:
    """Return the text by which a record is found: each word once behind a blank, then each sound, and a last blank."""
    words = dict.fromkeys(word for name in record_names(record) for word in name.words)
    sounds = dict.fromkeys(_SOUND + sound(word) for word in words)
    text = ""
    for part in (*words, *sounds):
        if len(text) + len(part) + len("  ") > LONGEST_TEXT:
            break
        text += f" {part}"
    return f"{text} " if text else ""


def search_for(name: str, *, alike: bool = False) -> tuple[tuple[str, ...], ...]:
    """Return the texts to search for: of each group, a record's text must hold one.

    Args:
        name: A name or parts of one.
        alike: Whether a word that sounds alike is enough.

    Returns:
        Nothing where the name holds no letter of a script that the tables know. No text holds a mark that means more
        than itself to a database.
    """
    return tuple((_part(word), f" {_SOUND}{sound(word)} ") if alike else (_part(word),) for word in name_words(name))


def _part(word: str) -> str:
    """Return a word as it is looked for: a short one behind the blank before a word."""
    return word if len(word) >= _ANYWHERE else f" {word}"
