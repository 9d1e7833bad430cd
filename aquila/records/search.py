"""Own records for their officer: found by a name in any script and spelling of the region, and their names as read.

A record is found by a text of its folded words, and a name is looked for in that text word by word: from the beginning
of a word, a longer part anywhere in it ("rahman" in "abdurahman"), or with `alike` also as a word that sounds like it:
a known variant, other vowels. A text belongs to the version of the normalizer that made it; who stores it makes it
again when that changes.

The same words find a name in a free text. It is in a text if a word of its given names and another word of its family
names are in it, wherever they are. One word alone is not a name: it may be a place, or a word of the language. Of names
written as one, any two words count. For a person who is asked for, words of the text may be inflected, as in "Марка
Петровића" or "Arben Hoxhës".

Names as read are personal: they are for the officer of the party whose record it is, and for nobody else.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aquila.records.normalize.names import name_words, part_words, sound
from aquila.records.person import Record
from aquila.records.rule_parts import MOST_WORDS, record_names


@dataclass(frozen=True, slots=True, repr=False)
class ReadName:
    """A name, or the given or family part of one."""

    field: str
    """The record's field."""
    written: str
    """As the source writes it; several given or family names by blanks, as they are read."""
    words: tuple[str, ...]
    """The folded words that match rules compare, in the order of the text."""

    def __repr__(self) -> str:
        return "ReadName()"


def read_names(record: Record) -> tuple[ReadName, ...]:
    """Return the names of a record, in the order of its fields."""
    given, family = " ".join(record.given_names), " ".join(record.family_names)
    read = part_words if given and family else name_words
    texts = [
        ("given_names", given, read),
        ("family_names", family, read),
        ("full_name", record.full_name or "", name_words),
        *(("aliases", alias, name_words) for alias in record.aliases),
    ]
    return tuple(ReadName(field, text, of(text)[:MOST_WORDS]) for field, text, of in texts if text)


LONGEST_TEXT = 2_000
"""Letters of a text: about 120 words with their sounds; what a person of more aliases has beyond is not found."""

_SOUND = "="  # before a word's sound; occurs in no folded word
_ANYWHERE = 4  # letters of a part that may stand anywhere in a word; shorter ones would be found in every second name
_LEAST_OF_TEXT = 3  # letters of a word of a text that counts: shorter ones are in every text
_LEAST_ALONE = 4
_ENDING = 2  # letters that an inflected word is longer than the name, at most
_VOWELS = "aeiou"


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


def words_of(text: str) -> frozenset[str]:
    """Return the folded words of a text that can be of a name."""
    return frozenset(word for word in name_words(text) if len(word) >= _LEAST_OF_TEXT)


def name_in(words: frozenset[str], record: Record, *, inflected: bool = False) -> frozenset[str]:
    """Return the words of a text that name a person: a given and a family name; none if it is not named.

    Args:
        words: The words of the text.
        record: The person.
        inflected: Whether words may have another ending than the name.
    """
    for given, family in _names(record):
        of_given, of_family = (_found(words, part, inflected=inflected) for part in (given, family))
        both = of_given | of_family
        if of_given and of_family and len(both) > 1:
            return both
    return frozenset()


def part_in(words: frozenset[str], record: Record) -> frozenset[str]:
    """Return the words of a text that are a part of a person's name as it is; the shortest do not count."""
    return words & {word for pair in _names(record) for side in pair for word in side if len(word) >= _LEAST_ALONE}


def _names(record: Record) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
    """Yield the words of given and of family names; of a name that is written as one, all its words as both."""
    given, family = (words_of(" ".join(names)) for names in (record.given_names, record.family_names))
    yield (given, family) if given and family else (given | family, given | family)
    for name in (record.full_name or "", *record.aliases):
        yield words_of(name), words_of(name)


def _found(words: frozenset[str], parts: Iterable[str], *, inflected: bool) -> frozenset[str]:
    same = words.intersection(parts)
    if not inflected:
        return same
    return same.union(word for word in words for part in parts if _is_form(word, part))


def _is_form(word: str, part: str) -> bool:
    """Return whether a word can be a name with the ending of another case."""
    stem = part.rstrip(_VOWELS)
    return len(stem) >= _LEAST_OF_TEXT and word.startswith(stem) and len(part) <= len(word) <= len(part) + _ENDING
