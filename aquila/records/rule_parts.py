"""The meaning of a match rule's part: the values that a record has for it.

A part is written `kind:form`. Kinds of names are `all` (every word of a name, in any order), `pair` (one given with
one family name, in either order), `word` (any one word), `sole` (the word of records that have no other) and `letters`
(the consonants of all words, sorted, no form). Forms of the others are those of `normalize.names`: `pair:A+B` takes one
word in form A, the other in form B; `all:A/3` takes names of three different words alone, `all:A/4+` those of four and
more, `pair:A/3+` those of three and more. `birth` takes a form of the date, `nationality` none or `known`; identifiers
take none. A name that is not split gives the pairs of its first, second and last word, and in two forms of the first
and the last alone: all pairs of all words would grow with the square and add little.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import combinations, product
from typing import Any, Generic, NamedTuple, TypeVar

from aquila.records.normalize.countries import country
from aquila.records.normalize.identifiers import document_number, email, national_number, phone_tail
from aquila.records.normalize.names import FORMS, name_words, part_words
from aquila.records.person import PartialDate, Record, RecordColumns

MOST_WORDS = 8  # of one name; more are text that is no name, and pairs grow with the square
WORD_MARK = "\x1f"  # between the words of one part: sorts before every letter, occurs in none
_PAIRED_WORDS = 3  # of a name that is not split: the first ones and the last
_CACHED = 1 << 16  # words
_NAMES_CACHED = 1 << 14
_ALL_WORDS = 2 * MOST_WORDS  # given and family names
_WORD_COUNTS = {"": (2, _ALL_WORDS), "2": (2, 2), "3": (3, 3), "4+": (4, _ALL_WORDS)}
"""How many different words a name has of which `all` reads every one; a single word is too little."""
_LONGER = "/3+"  # of a form of `pair`: names of three different words and more, initials apart
_LONG = 3
_LEAST_LETTERS = 5  # of a name, without vowels and the letters that spellings leave out
_UNHEARD = dict.fromkeys(map(ord, "aeiouhjy"))
_NAME_FIELDS = ("given_names", "family_names", "full_name", "aliases")

Key = TypeVar("Key")
Value = TypeVar("Value")


class KnownValues(dict[Key, Value], Generic[Key, Value]):
    """The values of keys, each worked out when it is first looked up: `known[key]`, at the cost of a dictionary.

    Where `functools.lru_cache` forgets the value that was used longest ago, this forgets all at once, and so needs no
    order: for what is looked up a million times.

    Args:
        work_out: What gives a key's value, and the same for the same key.
        most: How many values are kept.
    """

    def __init__(self, work_out: Callable[[Key], Value], most: int) -> None:
        super().__init__()
        self._work_out = work_out
        self._most = most

    def __missing__(self, key: Key) -> Value:
        value = self._work_out(key)
        if len(self) >= self._most:
            self.clear()
        self[key] = value
        return value


Words = tuple[str, ...]
Pairs = tuple[tuple[str, str], ...]


NAMES = "names"
"""The attribute of a record that its names are together (`record_names`); every other one is a field."""

Values = Sequence[str]
Reader = Callable[[Any], Values]
"""Returns the values of a part, of the attribute from which they follow; one may come twice."""


@dataclass(frozen=True, slots=True, eq=False)
class Name:
    """One name of a person: its folded words, and the pairs of them that may identify the person."""

    words: tuple[str, ...]
    pairs: Pairs
    ends: Pairs
    """The pairs of which one word may agree by its beginning alone; of an unsplit name, its first and last."""


@dataclass(frozen=True, slots=True)
class PartKind:
    """A kind of part.

    Attributes:
        attribute: What of a record its values follow from: `NAMES` or a field.
        reader: Makes the function that reads them in a form.
        forms: The forms it takes; empty where it takes none, and with an empty one where it may take none.
        stands_alone: Whether the attribute identifies well enough to be a rule by itself.
    """

    attribute: str
    reader: Callable[[str], Reader]
    forms: tuple[str, ...] = ()
    stands_alone: bool = False


def record_names(record: Record) -> tuple[Name, ...]:
    """All names of a record: the split one, the full one, the aliases."""
    return _record_names(record.given_names, record.family_names, record.full_name, record.aliases)


def _record_names(
    given_names: Sequence[str], family_names: Sequence[str], full_name: str | None, aliases: Sequence[str]
) -> tuple[Name, ...]:
    given, family = " ".join(given_names), " ".join(family_names)
    names = [_split_name(given, family) if given and family else _whole_name(given or family)]
    if full_name or aliases:
        names.extend(_whole_name(text) for text in (full_name or "", *aliases))
    return tuple([name for name in names if name.words])


def names_of_records(records: RecordColumns) -> list[tuple[Name, ...]]:
    """All names of each of some records: `record_names`."""
    columns = zip(*(records[field] for field in _NAME_FIELDS), strict=True)
    return [_record_names(given, family, full, aliases) for given, family, full, aliases in columns]


class NameWords(NamedTuple):
    """The folded words of names that are split: of each record those of its given and of its family names."""

    given: list[Words]
    family: list[Words]


def name_words_of_records(records: RecordColumns) -> NameWords | None:
    """The words of records that have given names, family names and no other name, or None where one has not."""
    given, family = records["given_names"], records["family_names"]
    if not (all(given) and all(family)) or any(records["full_name"]) or any(records["aliases"]):
        return None
    words = _words_reader()
    return NameWords(list(map(words, given)), list(map(words, family)))


@cache
def _words_reader() -> Callable[[tuple[str, ...]], Words]:
    """The function that gives the words of the given or the family names of a record."""

    def read(names: tuple[str, ...]) -> Words:
        return part_words(" ".join(names))[:MOST_WORDS]

    return KnownValues(read, _CACHED).__getitem__


@cache
def all_words_reader(part: str) -> Callable[[NameWords], list[tuple[str, ...]]]:
    """The function that reads the values of a part of kind `all` from the words of records; see `part_reader`."""
    join = _joined_words(part.partition(":")[2])
    shape = _shape(part.partition(":")[2].partition("/")[0])

    def shape_words(words: Words) -> Words:
        return tuple(map(shape, words))

    shaped = KnownValues(shape_words, _CACHED).__getitem__

    def read(words: NameWords) -> list[tuple[str, ...]]:
        every = [{*given, *family} for given, family in zip(*(map(shaped, side) for side in words), strict=True)]
        return list(map(join, every))

    return read


def part_values(record: Record, names: tuple[Name, ...], part: str) -> tuple[str, ...]:
    """The values of one part for a record whose names are given, each once."""
    return once(read_part(record, names, part))


def read_part(record: Record, names: tuple[Name, ...], part: str) -> Values:
    """The values of one part as they are read: `part_values`, of which one may come twice."""
    attribute = attribute_of(part)
    return part_reader(part)(names if attribute == NAMES else getattr(record, attribute))


def once(values: Values) -> tuple[str, ...]:
    """Return values, each once, in their order."""
    return tuple(values) if len(values) < 2 else tuple(dict.fromkeys(values))  # noqa: PLR2004 - one comes once


def attribute_of(part: str) -> str:
    """The attribute of a record from which a known part's values follow: `NAMES` or a field."""
    return PART_KINDS[part.partition(":")[0]].attribute


@cache
def part_reader(part: str) -> Reader:
    """The function that reads the values of a known part from its attribute."""
    kind, _, form = part.partition(":")
    return PART_KINDS[kind].reader(form)


def is_part(part: str) -> bool:
    """Return whether a part's kind and form are known."""
    kind, _, form = part.partition(":")
    return kind in PART_KINDS and form in (PART_KINDS[kind].forms or ("",))


def stands_alone(part: str) -> bool:
    """Return whether a known part identifies well enough to be a rule by itself."""
    return PART_KINDS[part.partition(":")[0]].stands_alone


@lru_cache(maxsize=_NAMES_CACHED)
def _split_name(given: str, family: str) -> Name:
    first, last = part_words(given)[:MOST_WORDS], part_words(family)[:MOST_WORDS]
    pairs = tuple(product(first, last))
    return Name(first + last, pairs, pairs)


@lru_cache(maxsize=_NAMES_CACHED)
def _whole_name(text: str) -> Name:
    words = name_words(text)
    chosen = words if len(words) <= _PAIRED_WORDS else (*words[: _PAIRED_WORDS - 1], words[-1])
    pairs = tuple(combinations(chosen, 2))
    return Name(words[:MOST_WORDS], pairs, ((words[0], words[-1]),) if pairs else ())


@cache
def _shape(form: str) -> Callable[[str], str]:
    """The function that brings a folded word into a form."""
    return KnownValues(FORMS[form], _CACHED).__getitem__


def _all(form: str) -> Reader:
    """Every word of a name, sorted, where there are as many as the form says."""
    shape, join = _shape(form.partition("/")[0]), _joined_words(form)
    return lambda names: [value for name in names for value in join(set(map(shape, name.words)))]


def _joined_words(form: str) -> Callable[[set[str]], tuple[str, ...]]:
    """The function that joins the different words of a name, or gives nothing where they are too few or too many."""
    least, most = _WORD_COUNTS[form.partition("/")[2]]
    return lambda words: (WORD_MARK.join(sorted(words)),) if least <= len(words) <= most else ()


def _pair(form: str) -> Reader:
    """Two words of a name in either order; with two forms, each word takes each form once."""
    if form.endswith(_LONGER):
        shape, read = _shape(form.removesuffix(_LONGER)), _pair(form.removesuffix(_LONGER))

        def is_long(name: Name) -> bool:
            return len({shape(word) for word in name.words if len(word) > 1}) >= _LONG

        return lambda names: read(tuple(filter(is_long, names)))
    first, _, second = form.partition("+")
    shape, other = _shape(first), _shape(second or first)

    def in_two_forms(names: tuple[Name, ...]) -> Values:
        values: list[str] = []
        for name in names:
            for one, two in name.ends:
                values += (f"{shape(one)}{WORD_MARK}{other(two)}", f"{shape(two)}{WORD_MARK}{other(one)}")
        return values

    def in_one_form(names: tuple[Name, ...]) -> Values:
        values = []
        for name in names:
            for one, two in name.pairs:
                low, high = shape(one), shape(two)
                values.append(f"{low}{WORD_MARK}{high}" if low <= high else f"{high}{WORD_MARK}{low}")
        return values

    return in_two_forms if second else in_one_form


def _letters(_form: str) -> Reader:
    """The consonants of all words of a name together, sorted: words may be joined or split, and letters swapped."""

    def read(names: tuple[Name, ...]) -> Values:
        values = ["".join(sorted("".join(name.words).translate(_UNHEARD))) for name in names]
        return [value for value in values if len(value) >= _LEAST_LETTERS]

    return read


def _sole(form: str) -> Reader:
    """The only word of a record's name, or of each of its names; no initial, and none where a name has more words."""
    shape = _shape(form)

    def read(names: tuple[Name, ...]) -> Values:
        words = [name.words[0] for name in names if len(name.words) == 1 < len(name.words[0])]
        return [shape(word) for word in words] if len(words) == len(names) else ()

    return read


def _word(form: str) -> Reader:
    """Any single word of a name."""
    shape = _shape(form)
    return lambda names: [shape(word) for name in names for word in name.words]


def _birth(form: str) -> Reader:
    """The date of birth in one of `DATE_FORMS`."""
    write = DATE_FORMS[form]
    return lambda date: () if date is None else write(date)


def _in_full(date: PartialDate) -> Values:
    return (str(date),) if date.day else ()


def _any_order(date: PartialDate) -> Values:
    """Year, and day and month where nobody knows which is which; not of 1 January."""
    return tuple([f"{date.year:04d}/{day_month}" for day_month in _day_month(date)])


def _year_month(date: PartialDate) -> Values:
    return (f"{date.year:04d}-{date.month:02d}",) if date.month else ()


def _day_month(date: PartialDate) -> Values:
    """Day and month in either order, without the year; not of 1 January."""
    if date.day and date.month and not _is_new_year(date):
        low, high = sorted((date.month, date.day))
        return (f"{low:02d}/{high:02d}",)
    return ()


def _year_day(date: PartialDate) -> Values:
    return (f"{date.year:04d}--{date.day:02d}",) if date.day else ()


def _year(date: PartialDate) -> Values:
    return (f"{date.year:04d}",)


def _is_new_year(date: PartialDate) -> bool:
    """Return whether it is the day that sources write if they know the year alone."""
    return date.day == 1 == date.month


def _new_year(date: PartialDate) -> Values:
    """The year of a 1 January."""
    return _year(date) if _is_new_year(date) else ()


def _bare_year(date: PartialDate) -> Values:
    """The year where the source knows no more."""
    return () if date.month else _year(date)


def _near_year(date: PartialDate) -> Values:
    """Day and month in either order, and two windows of four years: years two apart always share one."""
    windows = enumerate((date.year // 4, (date.year + 2) // 4))
    return tuple([f"{day_month}~{window:03d}.{shift}" for shift, window in windows for day_month in _day_month(date)])


def _decade(date: PartialDate) -> Values:
    return tuple([f"{day_month}~{date.year // 10:03d}" for day_month in _day_month(date)])


def _some_month(date: PartialDate) -> Values:
    """Year and month, and every month where the source knows only the year."""
    return _year_month(date) or tuple([f"{date.year:04d}-{month:02d}" for month in range(1, 13)])


DATE_FORMS: dict[str, Callable[[PartialDate], Values]] = {
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


def _place(_form: str) -> Reader:
    """The words of the place of birth by their consonants, in any order."""
    shape = _shape("sound")

    def read(place: str | None) -> Values:
        words = part_words(place or "")
        return (WORD_MARK.join(sorted(map(shape, words))),) if words else ()

    return read


def _nationality(form: str) -> Reader:
    """Each nationality by its country's code; in the form `known` only that there is one."""
    return lambda nationality: [form or code for text in nationality if (code := country(text))]


def _sex(_form: str) -> Reader:
    """The sex where it is F or M."""
    return lambda sex: (sex,) if sex in {"F", "M"} else ()


def _identifier(field: str, read: Callable[[str], str]) -> PartKind:
    """A kind whose values are a field's canonical identifiers."""
    reader: Reader = lambda texts: [number for text in texts if (number := read(text))]  # noqa: E731
    return PartKind(field, lambda _form: reader, stands_alone=True)


_COUNTED_WORDS = tuple(f"{form}/{count}" for form in FORMS for count in _WORD_COUNTS if count)
_MIXED = tuple(f"{one}+{two}" for one in FORMS for two in FORMS if one != two)

PART_KINDS: dict[str, PartKind] = {
    "all": PartKind(NAMES, _all, (*FORMS, *_COUNTED_WORDS), stands_alone=True),
    "pair": PartKind(NAMES, _pair, (*FORMS, *_MIXED, *(form + _LONGER for form in FORMS)), stands_alone=True),
    "letters": PartKind(NAMES, _letters),
    "sole": PartKind(NAMES, _sole, tuple(FORMS)),
    "word": PartKind(NAMES, _word, tuple(FORMS)),
    "birth": PartKind("date_of_birth", _birth, tuple(DATE_FORMS)),
    "place": PartKind("place_of_birth", _place),
    "nationality": PartKind("nationality", _nationality, ("", "known")),
    "sex": PartKind("sex", _sex),
    "document": _identifier("document_numbers", document_number),
    "national": _identifier("national_numbers", national_number),
    "phone": _identifier("phones", phone_tail),
    "email": _identifier("emails", email),
}
