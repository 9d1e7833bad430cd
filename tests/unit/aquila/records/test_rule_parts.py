"""What a part of a match rule means.

Values that are known are not worked out again, and no more are kept than may be.
"""

from __future__ import annotations

import pytest

from aquila.records.normalize.names import name_words
from aquila.records.person import PartialDate, Record, RecordColumns
from aquila.records.rule_parts import (
    MOST_WORDS,
    KnownValues,
    is_part,
    name_words_of_records,
    part_values,
    record_names,
    stands_alone,
)


def values(record: Record, part: str) -> list[str]:
    """A part's values, readable: the mark between words is shown as a blank."""
    return [value.replace("\x1f", " ") for value in part_values(record, record_names(record), part)]


def born(date: str) -> Record:
    return Record("1", given_names=("Ana",), family_names=("Ilić",), date_of_birth=PartialDate.parse(date))


MARA = Record("1", given_names=("Ana Mara",), family_names=("Ilić",))


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("all:folded", ["ana ilic mara"]),
        ("pair:folded", ["ana ilic", "ilic mara"]),
        ("pair:start", ["ana ili", "ili mar"]),
        ("pair:folded+initial", ["ana i", "ilic a", "mara i", "ilic m"]),
        ("pair:folded/3+", ["ana ilic", "ilic mara"]),
        ("letters", ["clmnr"]),
        ("word:initial", ["a", "m", "i"]),
        ("birth:year", []),
        ("document", []),
    ],
)
def test_names_give_their_values(part: str, expected: list[str]) -> None:
    """Pairs take one given and one family name, never two given ones."""
    assert values(MARA, part) == expected


def test_swapped_names_give_the_same_values() -> None:
    swapped = Record("2", given_names=("Ilić",), family_names=("Mara Ana",))
    for part in ("all:folded", "pair:sound", "pair:folded+initial", "word:start"):
        assert sorted(values(swapped, part)) == sorted(values(MARA, part))


def test_a_name_that_is_not_split_gives_pairs_of_its_ends() -> None:
    """Among them those of a source that splits it; more words do not give more pairs."""
    whole = Record("2", full_name="Ana Mara Ilić")
    assert values(whole, "pair:folded") == ["ana mara", "ana ilic", "ilic mara"]
    assert {*values(MARA, "pair:folded")} < {*values(whole, "pair:folded")}
    assert values(whole, "pair:folded+initial") == ["ana i", "ilic a"]
    longer = Record("2", full_name=f"Ana Mara {'Petra ' * MOST_WORDS} Ilić")
    assert values(longer, "pair:folded") == values(whole, "pair:folded")


@pytest.mark.parametrize(
    ("name", "longer"), [("Ana Ilić", False), ("Ana M. Ilić", False), ("Ana Ana Ilić", False), ("Ana Mara Ilić", True)]
)
def test_longer_names_have_three_different_words(name: str, longer: bool) -> None:
    """An initial is no word, since it may stand for the word of another record."""
    found = values(Record("1", full_name=name), "pair:sound/3+")
    assert found == (values(Record("1", full_name=name), "pair:sound") if longer else [])


@pytest.mark.parametrize("name", ["Dmitri Volkov", "DmitriVolkov", "Volkov Dmitri", "Dmit Rivolkov", "Dimtri Volokv"])
def test_letters_meet_however_words_are_joined_split_and_swapped(name: str) -> None:
    assert values(Record("1", full_name=name), "letters") == ["dklmrtvv"]


def test_few_letters_are_no_name() -> None:
    assert values(Record("1", full_name="Ana Ivanov"), "letters") == []


def test_aliases_are_names_too() -> None:
    record = Record("2", full_name="Ana Ilić", aliases=("Ilić Ana", "Anica Ilić"))
    assert values(record, "pair:folded") == ["ana ilic", "anica ilic"]


@pytest.mark.parametrize("side", ["given_names", "family_names"])
def test_one_side_alone_is_a_name_that_is_not_split(side: str) -> None:
    record = Record("2", date_of_birth=PartialDate(1980), **{side: ("Ana Ilić",)})  # type: ignore[arg-type]  # by name
    assert values(record, "pair:folded") == ["ana ilic"]


@pytest.mark.parametrize(
    ("given", "family", "count"),
    [
        ("Ana", "Ilić", "2"),
        ("Ana Mara", "Ilić", "3"),
        ("Ana Mara", "Ilić Kovač", "4+"),
        ("Ana M Iva", "Ilić Ras Tot", "4+"),
    ],
)
def test_whole_names_in_classes_by_their_words(given: str, family: str, count: str) -> None:
    """A name has one class, by its different words, however it is split and written twice."""
    for record in (
        Record("1", (given,), (family,)),
        Record("2", full_name=f"{family} {given}"),
        Record("3", (given,), (family,), aliases=(f"{given} {family}",)),
    ):
        found = {form: values(record, f"all:sound/{form}") for form in ("2", "3", "4+")}
        assert {form: bool(of_form) for form, of_form in found.items()} == {form: form == count for form in found}
        assert found[count] == values(record, "all:sound")


def test_a_single_word_is_no_whole_name() -> None:
    record = Record("2", given_names=("Ana",), date_of_birth=PartialDate(1980))
    assert values(record, "all:folded") == []
    assert values(record, "pair:folded") == []
    assert values(record, "word:folded") == values(record, "sole:folded") == ["ana"]


@pytest.mark.parametrize(
    "record",
    [
        MARA,
        Record("1", full_name="Ana Ana"),
        Record("1", family_names=("J.",), date_of_birth=PartialDate(1980)),
        Record("1", ("Ana",), ("Ilić",), aliases=("Beba",)),
    ],
    ids=["two words", "one word twice", "an initial", "an alias beside a name"],
)
def test_no_sole_name(record: Record) -> None:
    assert values(record, "sole:sound") == []


def test_each_name_may_be_of_one_word() -> None:
    record = Record("1", ("Ana",), aliases=("Beba",), date_of_birth=PartialDate(1980))
    assert values(record, "sole:folded") == ["ana", "beba"]


def test_a_text_that_is_no_name_is_cut() -> None:
    record = Record("2", full_name=" ".join("ana" + 3 * letter for letter in "bcdefghijk"))
    assert len(values(record, "word:folded")) <= MOST_WORDS
    assert len(values(record, "pair:folded")) == 3


@pytest.mark.parametrize(
    ("date", "form", "expected"),
    [
        ("1980-02-13", "full", ["1980-02-13"]),
        ("1980-02", "full", []),
        ("1980-02-13", "any-order", ["1980/02/13"]),
        ("1980-02", "any-order", []),
        ("1980-02-13", "year-month", ["1980-02"]),
        ("1980", "year-month", []),
        ("1980-02-13", "year-day", ["1980--13"]),
        ("1980-02", "year-day", []),
        ("1980-02-13", "day-month", ["02/13"]),
        ("1980", "day-month", []),
        ("1980-02-13", "year", ["1980"]),
        ("1980-02", "some-month", ["1980-02"]),
        ("1980", "some-month", [f"1980-{month:02d}" for month in range(1, 13)]),
        ("1980", "near-year", []),
        ("1980", "bare-year", ["1980"]),
        ("1980-02", "bare-year", []),
        ("1980-02-13", "decade", ["02/13~198"]),
        ("1980-02", "decade", []),
        ("1980-01-01", "new-year", ["1980"]),
        ("1980-01-02", "new-year", []),
        ("1980-01", "new-year", []),
        ("1980", "new-year", []),
    ],
)
def test_dates_give_what_they_know(date: str, form: str, expected: list[str]) -> None:
    assert values(born(date), f"birth:{form}") == expected


@pytest.mark.parametrize("form", ["any-order", "day-month", "near-year", "decade"])
def test_day_and_month_may_be_swapped(form: str) -> None:
    """The third of February and the second of March meet."""
    assert values(born("1980-02-03"), f"birth:{form}") == values(born("1980-03-02"), f"birth:{form}")


@pytest.mark.parametrize("form", ["any-order", "day-month", "near-year", "decade"])
def test_the_first_of_january_is_no_whole_date(form: str) -> None:
    assert values(born("1980-01-01"), f"birth:{form}") == []


@pytest.mark.parametrize("year", range(1975, 1986))
def test_near_years_meet_and_far_ones_do_not(year: int) -> None:
    """Two years apart always meet, four never."""
    one, other = (
        set(values(born("1980-02-03"), "birth:near-year")),
        set(values(born(f"{year}-02-03"), "birth:near-year")),
    )
    if abs(year - 1980) <= 2:
        assert one & other
    if abs(year - 1980) >= 4:
        assert not one & other


def test_identifiers_give_their_canonical_form() -> None:
    record = Record(
        "1",
        full_name="Ana Ilić",
        document_numbers=("ab-123456", "x"),
        national_numbers=("0101990710008",),
        phones=("+381 64 1234567",),
        emails=("Ana@example.org",),
    )
    assert values(record, "document") == ["AB123456"]
    assert values(record, "national") == ["0101990710008"]
    assert values(record, "phone") == ["641234567"]
    assert values(record, "email") == ["ana@example.org"]


def test_weak_attributes_are_read_alike_in_every_script() -> None:
    one = Record("1", full_name="Ana Ilić", place_of_birth="Нови Пазар", nationality=("SRB", "bih"), sex="F")
    other = Record("2", full_name="Ana Ilić", place_of_birth="novi pazar", nationality=("srb",), sex="X")
    assert values(one, "place") == values(other, "place") != []
    assert values(one, "nationality") == ["SRB", "BIH"]
    assert (values(one, "nationality:known"), values(born("1980"), "nationality:known")) == (["known"], [])
    assert (values(one, "sex"), values(other, "sex")) == (["F"], [])
    assert values(born("1980"), "place") == values(born("1980"), "nationality") == []


@pytest.mark.parametrize("part", ["pair:folded", "pair:sound+initial", "birth:year", "document", "letters"])
def test_known_parts_are_parts(part: str) -> None:
    assert is_part(part)


@pytest.mark.parametrize(
    "part", ["pair", "pair:none", "pair:sound+sound", "pair:sound/2", "letters:x", "birth:", "sex:m", "all:a+b", ""]
)
def test_unknown_parts_are_none(part: str) -> None:
    assert not is_part(part)


def test_weak_attributes_do_not_stand_alone() -> None:
    """A date or a single name is never an input by itself; two names and identifiers are."""
    assert not stands_alone("birth:full")
    assert not stands_alone("word:folded")
    assert not any(map(stands_alone, ("place", "nationality", "sex", "letters", "sole:sound")))
    assert stands_alone("pair:folded")
    assert stands_alone("document")


@pytest.mark.parametrize(
    "record",
    [
        Record("1", ("Ana",), date_of_birth=PartialDate(1980)),
        Record("1", family_names=("Ilić",), date_of_birth=PartialDate(1980)),
        Record("1", ("Ana",), ("Ilić",), full_name="Ana Ilić"),
        Record("1", ("Ana",), ("Ilić",), aliases=("Anka",)),
    ],
)
def test_words_are_enough_for_split_names_alone(record: Record) -> None:
    split = Record("2", ("Ana Marija",), ("Ilić",))
    assert name_words_of_records(RecordColumns.of([split, record])) is None
    assert name_words_of_records(RecordColumns.of([split])) == ([name_words("Ana Marija")], [name_words("Ilić")])


def test_a_value_is_worked_out_once_and_not_kept_for_ever() -> None:
    """The third key of two forgets both, and each is worked out when it comes again."""
    asked: list[str] = []

    def work_out(key: str) -> str:
        asked.append(key)
        return key.upper()

    known = KnownValues(work_out, 2)
    assert [known[key] for key in "aabbcca"] == list("AABBCCA")
    assert asked == ["a", "b", "c", "a"]
    assert len(known) == 2
