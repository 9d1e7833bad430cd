"""The meaning of a match rule's part: the values that a record has for it.

A part is written `kind:form`. Kinds of names are `all` (every word of a name, in any order), `pair` and `main` (one
given with one family name, in either order) and `word` (any one word); their forms are those of `normalize.names`,
and `pair:A+B` takes one word in form A, the other in form B. `birth` takes a form of the date, `nationality`
none or `known`; identifiers take none.
A name that is not split gives the pairs of its first, second and last word to `pair`, first and last to `main`: all
pairs of all words would grow with the square and add little.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, product
from typing import TYPE_CHECKING

from aquila.records.normalize.countries import country
from aquila.records.normalize.identifiers import document_number, email, national_number, phone_tail
from aquila.records.normalize.letter_tables import NORMALIZER_VERSION
from aquila.records.normalize.names import FORMS, name_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from aquila.records.dates import PartialDate
    from aquila.records.person import Record

MOST_WORDS = 8  # of one name; more are text that is no name, and pairs grow with the square
WORD_MARK = "\x1f"  # between the words of one part: sorts before every letter, occurs in none
_PAIRED_WORDS = 3  # of a name that is not split: the first ones and the last
_CACHED = 1 << 16

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Name:
    """One name of a person: its folded words, the pairs of them that may identify the person, and the likeliest."""

    words: tuple[str, ...]
    pairs: Pairs
    main: Pairs


@dataclass(frozen=True, slots=True)
class PartKind:
    """A kind of part.

    Attributes:
        forms: The forms it takes; empty where it takes none, and with an empty one where it may take none.
        values: The values of a record's names or of the record, given the form and the normalizer's version.
        stands_alone: Whether the attribute identifies well enough to be a rule by itself.
    """

    forms: tuple[str, ...]
    values: Callable[[Record, tuple[Name, ...], str, int], Iterable[str]]
    stands_alone: bool = False


def record_names(record: Record, version: int = NORMALIZER_VERSION) -> tuple[Name, ...]:
    """All names of a record: the split one, the full one, the aliases; words are folded by a version's tables."""
    given, family = " ".join(record.given_names), " ".join(record.family_names)
    names = [_split_name(given, family, version)] if given and family else [_whole_name(given or family, version)]
    names.extend(_whole_name(text, version) for text in (record.full_name or "", *record.aliases))
    return tuple(name for name in names if name.words)


def part_values(
    record: Record, names: tuple[Name, ...], part: str, version: int = NORMALIZER_VERSION
) -> tuple[str, ...]:
    """The values of one part for a record whose names are given, each once, by a version of the normalizer."""
    kind, _, form = part.partition(":")
    return tuple(dict.fromkeys(PART_KINDS[kind].values(record, names, form, version)))


def is_part(part: str) -> bool:
    """Return whether a part's kind and form are known."""
    kind, _, form = part.partition(":")
    return kind in PART_KINDS and form in (PART_KINDS[kind].forms or ("",))


def stands_alone(part: str) -> bool:
    """Return whether a known part identifies well enough to be a rule by itself."""
    return PART_KINDS[part.partition(":")[0]].stands_alone


@lru_cache(maxsize=_CACHED)
def _split_name(given: str, family: str, version: int) -> Name:
    first, last = name_words(given, version)[:MOST_WORDS], name_words(family, version)[:MOST_WORDS]
    pairs = tuple(product(first, last))
    return Name(first + last, pairs, pairs)


@lru_cache(maxsize=_CACHED)
def _whole_name(text: str, version: int) -> Name:
    words = name_words(text, version)[:MOST_WORDS]
    chosen = words if len(words) <= _PAIRED_WORDS else (*words[: _PAIRED_WORDS - 1], words[-1])
    pairs = tuple(combinations(chosen, 2))
    return Name(words, pairs, ((words[0], words[-1]),) if pairs else ())


def _all(_record: Record, names: tuple[Name, ...], form: str, version: int) -> Iterator[str]:
    """Every word of a name, sorted; a single word is too little."""
    shape = FORMS[form]
    for name in names:
        words = {shape(word, version) for word in name.words}
        if len(words) > 1:
            yield WORD_MARK.join(sorted(words))


def _pair(_record: Record, names: tuple[Name, ...], form: str, version: int) -> Iterator[str]:
    """Two words of a name in either order; with two forms, each word takes each form once."""
    return _paired([pair for name in names for pair in name.pairs], form, version)


def _main(_record: Record, names: tuple[Name, ...], form: str, version: int) -> Iterator[str]:
    """Return the pairs of `_pair`; of a name that is not split, its first and last word only."""
    return _paired([pair for name in names for pair in name.main], form, version)


def _paired(pairs: Iterable[tuple[str, str]], form: str, version: int) -> Iterator[str]:
    """The values of pairs of words."""
    first, _, second = form.partition("+")
    shape, other = FORMS[first], FORMS[second or first]
    for one, two in pairs:
        if second:
            yield f"{shape(one, version)}{WORD_MARK}{other(two, version)}"
            yield f"{shape(two, version)}{WORD_MARK}{other(one, version)}"
        else:
            yield WORD_MARK.join(sorted((shape(one, version), shape(two, version))))


def _word(_record: Record, names: tuple[Name, ...], form: str, version: int) -> Iterator[str]:
    """Any single word of a name."""
    shape = FORMS[form]
    for name in names:
        yield from (shape(word, version) for word in name.words)


def _birth(record: Record, _names: tuple[Name, ...], form: str, _version: int) -> Iterator[str]:
    """The date of birth in one of `DATE_FORMS`."""
    if record.date_of_birth is not None:
        yield from DATE_FORMS[form](record.date_of_birth)


def _in_full(date: PartialDate) -> Iterator[str]:
    if date.day:
        yield str(date)


def _any_order(date: PartialDate) -> Iterator[str]:
    """Year, and day and month where nobody knows which is which; not of 1 January."""
    if date.day and date.month and not _is_new_year(date):
        low, high = sorted((date.month, date.day))
        yield f"{date.year:04d}/{low:02d}/{high:02d}"


def _year_month(date: PartialDate) -> Iterator[str]:
    if date.month:
        yield f"{date.year:04d}-{date.month:02d}"


def _day_month(date: PartialDate) -> Iterator[str]:
    """Day and month in either order, without the year; not of 1 January."""
    if date.day and date.month and not _is_new_year(date):
        low, high = sorted((date.month, date.day))
        yield f"{low:02d}/{high:02d}"


def _year_day(date: PartialDate) -> Iterator[str]:
    if date.day:
        yield f"{date.year:04d}--{date.day:02d}"


def _year(date: PartialDate) -> Iterator[str]:
    yield f"{date.year:04d}"


def _is_new_year(date: PartialDate) -> bool:
    """Return whether it is the day that sources write if they know the year alone."""
    return (date.month, date.day) == (1, 1)


def _new_year(date: PartialDate) -> Iterator[str]:
    """The year of a 1 January."""
    if _is_new_year(date):
        yield f"{date.year:04d}"


def _bare_year(date: PartialDate) -> Iterator[str]:
    """The year where the source knows no more."""
    if not date.month:
        yield f"{date.year:04d}"


def _near_year(date: PartialDate) -> Iterator[str]:
    """Day and month in either order, and two windows of four years: years two apart always share one."""
    for day_month in _day_month(date):
        for shift, window in enumerate((date.year // 4, (date.year + 2) // 4)):
            yield f"{day_month}~{window:03d}.{shift}"


def _decade(date: PartialDate) -> Iterator[str]:
    for day_month in _day_month(date):
        yield f"{day_month}~{date.year // 10:03d}"


def _some_month(date: PartialDate) -> Iterator[str]:
    """Year and month, and every month where the source knows only the year."""
    for month in (date.month,) if date.month else range(1, 13):
        yield f"{date.year:04d}-{month:02d}"


DATE_FORMS: dict[str, Callable[[PartialDate], Iterator[str]]] = {
    "full": _in_full,
    "any-order": _any_order,
    "new-year": _new_year,
    "year-month": _year_month,
    "year-day": _year_day,
    "day-month": _day_month,
    "year": _year,
    "bare-year": _bare_year,
    "decade": _decade,
    "near-year": _near_year,
    "some-month": _some_month,
}


def _place(record: Record, _names: tuple[Name, ...], _form: str, version: int) -> Iterator[str]:
    """The words of the place of birth by their consonants, in any order."""
    words = name_words(record.place_of_birth or "", version)
    if words:
        yield WORD_MARK.join(sorted(FORMS["sound"](word, version) for word in words))


def _nationality(record: Record, _names: tuple[Name, ...], form: str, version: int) -> Iterator[str]:
    """Each nationality by its country's code; in the form `known` only that there is one."""
    for code in filter(None, (country(text, version) for text in record.nationality)):
        yield form or code


def _sex(record: Record, _names: tuple[Name, ...], _form: str, _version: int) -> Iterator[str]:
    """The sex where it is F or M."""
    if record.sex in {"F", "M"}:
        yield str(record.sex)


def _identifier(field: str, read: Callable[[str], str]) -> PartKind:
    """A kind whose values are a field's canonical identifiers."""

    def values(record: Record, _names: tuple[Name, ...], _form: str, _version: int) -> Iterator[str]:
        return filter(None, map(read, getattr(record, field)))

    return PartKind((), values, stands_alone=True)


_MIXED = tuple(f"{one}+{two}" for one in FORMS for two in FORMS if one != two)

PART_KINDS: dict[str, PartKind] = {
    "all": PartKind(tuple(FORMS), _all, stands_alone=True),
    "pair": PartKind((*FORMS, *_MIXED), _pair, stands_alone=True),
    "main": PartKind((*FORMS, *_MIXED), _main, stands_alone=True),
    "word": PartKind(tuple(FORMS), _word),
    "birth": PartKind(tuple(DATE_FORMS), _birth),
    "place": PartKind((), _place),
    "nationality": PartKind(("", "known"), _nationality),
    "sex": PartKind((), _sex),
    "document": _identifier("document_numbers", document_number),
    "national": _identifier("national_numbers", national_number),
    "phone": _identifier("phones", phone_tail),
    "email": _identifier("emails", email),
}
