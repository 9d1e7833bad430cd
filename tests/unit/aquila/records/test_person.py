"""The record of one person.

Dates of birth that may miss their day or month.
"""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError

import pytest
from babel import Locale

from aquila.errors import InputError
from aquila.records.field_table import field_table
from aquila.records.person import (
    ABSENT,
    CODES,
    FIELDS,
    LIST_FIELDS,
    PartialDate,
    Record,
    date_meanings,
    date_order,
    sound_record,
)


def whole_record() -> Record:
    return Record(
        record_id="RS-1",
        given_names=("Ana",),
        family_names=("Ilić",),
        full_name="Ana Ilić",
        aliases=("Anica",),
        date_of_birth=PartialDate(1980, 2, 3),
        sex="F",
        place_of_birth="Niš",
        country_of_birth="RS",
        nationality=("RS", "BA"),
        document_numbers=("A123456",),
        national_numbers=("0101990710008",),
        phones=("+38164123456",),
        emails=("ana@example.org",),
        category="contact",
        source_evaluation="B",
        information_evaluation="2",
        handling_code="H1",
        indicators=("travel",),
    )


def test_absent_fields_are_left_out_of_json() -> None:
    record = Record(record_id="1", full_name="Ana Ilić")
    assert json.loads(record.to_json()) == {"record_id": "1", "full_name": "Ana Ilić"}


def test_the_fields_are_the_columns_of_the_list() -> None:
    assert FIELDS[:5] == ("record_id", "given_names", "family_names", "full_name", "aliases")
    assert tuple(field_table()) == FIELDS, "a field has no entry in fields.toml, or stands elsewhere in it"
    assert LIST_FIELDS[-1] == "indicators"
    assert set(CODES) | set(LIST_FIELDS) < set(FIELDS)


@pytest.mark.parametrize(
    "fields",
    [
        {"given_names": ("Ana",), "family_names": ("Ilić",)},
        {"given_names": ("Ana",), "date_of_birth": PartialDate(1980)},
        {"family_names": ("Ilić",), "date_of_birth": PartialDate(1980)},
        {"full_name": "Ana Ilić"},
        {"aliases": ("Anica",)},
    ],
)
def test_two_of_three_are_enough(fields: dict[str, object]) -> None:
    """Given names, family names and date of birth: any two make a record; a whole name is both names."""
    assert Record(record_id="1", **fields).is_enough  # type: ignore[arg-type]  # one dictionary for all cases


@pytest.mark.parametrize(
    "fields", [{}, {"given_names": ("Ana",)}, {"family_names": ("Ilić",)}, {"date_of_birth": PartialDate(1980, 2, 3)}]
)
def test_one_of_three_is_too_little(fields: dict[str, object]) -> None:
    with pytest.raises(InputError, match="too little"):
        Record(record_id="1", **fields)  # type: ignore[arg-type]  # one dictionary for all cases


def test_a_record_without_id_is_refused() -> None:
    with pytest.raises(InputError, match="record id"):
        Record(record_id="", full_name="Ana Ilić")


@pytest.mark.parametrize("field", sorted(CODES))
def test_an_unknown_code_is_refused(field: str) -> None:
    with pytest.raises(InputError, match=field):
        Record(record_id="1", full_name="Ana Ilić", **{field: "Q"})


def test_checked_values_make_the_same_record() -> None:
    """The way past the checks sets every field; an id and enough of a person are asked for all the same."""
    record = whole_record()
    values = [getattr(record, name) for name in FIELDS]
    assert sound_record(values) == record
    assert sound_record(ABSENT) is None
    assert sound_record(["1", *ABSENT[1:]]) is None


def test_a_record_does_not_change() -> None:
    for record in (whole_record(), sound_record([getattr(whole_record(), name) for name in FIELDS])):
        with pytest.raises(FrozenInstanceError):
            record.sex = "M"  # type: ignore[misc,union-attr]  # what this test is about


def test_a_record_does_not_show_itself() -> None:
    assert repr(whole_record()) == "Record()"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"record_id":"1","full_name":7}',
        b'{"record_id":"1","given_names":"Ana"}',
        b'{"record_id":"1","given_names":[1]}',
        b'{"record_id":"1","full_name":"Ana","name":"x"}',
        b'{"full_name":"Ana"}',
        b'{"record_id":"1","full_name":"Ana","date_of_birth":"1980-02-31"}',
        b'{"record_id":"1","full_name":"Ana","date_of_birth":1980}',
        b'{"record_id":"1","full_name":"Ana","sex":"Q"}',
        b'{"record_id":"1","given_names":["Ana"]}',
        b'{"record_id":"1","full_name":"Ana"}{}',
        b"[" * 100_000,
    ],
)
def test_stored_bytes_that_are_no_record_are_refused(content: bytes) -> None:
    """Whatever a database gives back ends in the tree of errors."""
    with pytest.raises(InputError):
        Record.from_json(content)


@pytest.mark.parametrize("text", ["1980-02-29", "1980-02", "1980"])
def test_a_date_is_written_as_it_was_read(text: str) -> None:
    assert str(PartialDate.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "1980-02-31",
        "1979-02-29",
        "1980-13-01",
        "1980-00",
        "1980-02-00",
        "1980-04-31",
        "1849",
        "2151",
        "80-01-01",
        "01.02.1980",
        "1980-1-1",
        "",
        "१९८०",
    ],
)
def test_an_impossible_or_misshapen_date_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        PartialDate.parse(text)


def test_a_day_without_a_month_is_refused() -> None:
    with pytest.raises(InputError):
        PartialDate(1980, None, 5)


@pytest.mark.parametrize(
    ("text", "kept", "fault"),
    [
        ("1980-02-03", "1980-02-03", ""),
        ("1980-02", "1980-02", ""),
        ("1980", "1980", ""),
        ("1980-02-31", "1980-02", "day"),
        ("1980-02-00", "1980-02", ""),
        ("1980-00-00", "1980", ""),
        ("1980-00", "1980", ""),
        ("1980-00-05", "1980", "month"),
        ("1980-13-14", "1980", "month"),
        ("1980-13-01", "1980-01-13", "order"),
        ("1980-31-02", "1980", "month"),
        ("01.02.1980", "1980-02-01", ""),
        ("1. 2. 1980.", "1980-02-01", ""),
        ("2.1980", "1980-02", ""),
        ("00.00.1980", "1980", ""),
        ("31.02.1980", "1980-02", "day"),
        ("02.31.1980", "1980", "month"),
        ("12.25.1980", "1980-12-25", "order"),
        ("1993-01-01", "1993-01-01", ""),
        ("01/02/1980", "1980", "ambiguous"),
        ("00/02/1980", "1980", "ambiguous"),
        ("13/14/1980", "1980", "month"),
        ("19801301", "1980-01-13", "order"),
    ],
)
def test_what_can_be_used_of_a_date_is_kept(text: str, kept: str, fault: str) -> None:
    """The longest usable beginning of an impossible date remains, and the wrong part is named."""
    date, found = PartialDate.salvage(text)
    assert (str(date), found) == (kept, fault)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("1066-10-14", "year"),
        ("14 October", "form"),
        ("01.02.31", "form"),
        ("5-9-12", "form"),
        ("45.12.66", "form"),
        ("4 Mar 12", "form"),
        ("66 Mar 77", "form"),
        ("13021980", "form"),
        ("12345678", "form"),
        ("1980-02-13 10:30", "form"),
        ("1 2 1980", "form"),
        ("1/2-1980", "form"),
        ("4 Mar", "form"),
        ("4 Mar 1980 1981", "form"),
        ("Mar Apr 1980", "form"),
        ("4 Mar 5 1980", "form"),
        ("4 Mar! 1980", "form"),
        ("444 Mar 1980", "form"),
        ("5. listopada 1966.", "form"),  # October in Croatian, November in Polish
        ("4 Mar 1066", "year"),
        ("1/2/1066", "year"),
        ("19000101", "placeholder"),
        ("1900-01-01", "placeholder"),
        ("30.12.1899", "placeholder"),
    ],
)
def test_nothing_is_kept_of_a_date_without_a_year(text: str, fault: str) -> None:
    """A date whose year cannot be used is gone; what has two meanings is not guessed."""
    assert PartialDate.salvage(text) == (None, fault)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("1966-5-5", "1966-05-05"),
        ("1980/03/04", "1980-03-04"),
        ("1980/3", "1980-03"),
        ("1980.03.04.", "1980-03-04"),
        ("1980. 3. 4.", "1980-03-04"),
        ("1980.", "1980"),
        ("19151111", "1915-11-11"),
        ("19150000", "1915"),
        ("19151100", "1915-11"),
        ("5.5.1966.", "1966-05-05"),
        ("5/5/1966", "1966-05-05"),
        ("13/04/1980", "1980-04-13"),
        ("04/13/1980", "1980-04-13"),
        ("13-4-1980", "1980-04-13"),
        ("00/00/1980", "1980"),
        ("3/1980", "1980-03"),
        ("03-1980", "1980-03"),
        ("04-MAR-1980", "1980-03-04"),
        ("4MAR1980", "1980-03-04"),
        ("March 4, 1980", "1980-03-04"),
        ("1980 March 4", "1980-03-04"),
        ("mart 1980", "1980-03"),
        ("5 maj 1966", "1966-05-05"),
        ("5. maja 1966.", "1966-05-05"),
        ("5. маја 1966.", "1966-05-05"),
        ("5 мая 1966", "1966-05-05"),
        ("5 Μαΐου 1966", "1966-05-05"),
        ("5 nëntor 1966", "1966-11-05"),
        ("5 AĞUSTOS 1966", "1966-08-05"),
        ("1 KASIM 1966", "1966-11-01"),
        ("24-9-92", "1992-09-24"),
        ("1.2.80", "1980-02-01"),
        ("9/24/92", "1992-09-24"),
        ("80.02.03.", "1980-02-03"),
        ("92-09-24", "1992-09-24"),
        ("5 maj 66", "1966-05-05"),
        ("05-SEP-92", "1992-09-05"),
        ("mart 66", "1966-03"),
        ("1980-02-13 00:00:00", "1980-02-13"),
        ("1980-02-13T00:00", "1980-02-13"),
        ("13.02.1980 0:00:00.000", "1980-02-13"),
    ],
)
def test_every_form_with_one_meaning_is_read(text: str, read: str) -> None:
    """Year first or last, compact, with the name of the month in a language of the region, and midnight behind it."""
    date, fault = PartialDate.salvage(text)
    assert (str(date), fault) == (read, "")


@pytest.mark.parametrize(
    ("text", "day_first", "month_first"),
    [
        ("03/04/1980", "1980-04-03", "1980-03-04"),
        ("3-4-1980", "1980-04-03", "1980-03-04"),
        ("3.4.1980", "1980-04-03", "1980-04-03"),
        ("13/04/1980", "1980-04-13", "1980-04-13"),
        ("00/04/1980", "1980-04", "1980"),
    ],
)
def test_an_order_that_is_known_is_used(text: str, day_first: str, month_first: str) -> None:
    """It decides where day and month could be either; points say themselves that the day is first."""
    assert str(PartialDate.salvage(text, day_first=True)[0]) == day_first
    assert str(PartialDate.salvage(text, day_first=False)[0]) == month_first


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("13/4/1980", True),
        (" 4-13-1980", False),
        ("4/5/1980", None),
        ("24-9-92", True),
        ("13.4.1980", None),
        ("13/14/1980", None),
        ("", None),
    ],
)
def test_a_date_may_show_its_order(text: str, shown: bool | None) -> None:
    assert date_order(text) is shown


@pytest.mark.parametrize(
    ("text", "meanings"),
    [
        ("04/03/1980", ["1980-03-04", "1980-04-03"]),
        ("5.9.12", ["2012-09-05", "1912-09-05"]),
        ("3 February 05 ", ["2005-02-03", "1905-02-03"]),
        ("1980-02-31", ["1980-02"]),
        ("1980-13-01", ["1980-01-13"]),
        ("1900-01-01", []),
        ("1700-02-03", []),
        ("unknown", []),
    ],
)
def test_a_date_that_is_not_used_whole_may_mean_others(text: str, meanings: list[str]) -> None:
    assert date_meanings(text) == meanings


LANGUAGES = [
    *("sq", "bs", "bs_Cyrl", "bg", "hr", "de", "de_AT", "el", "en", "hu"),
    *("mk", "ro", "ru", "sl", "sr", "sr_Latn", "tr", "uk"),
]
TWO_MEANINGS = ("lip", "lis", "listopad", "listopada", "srp")


def test_months_are_those_of_the_regions_languages() -> None:
    for language in LANGUAGES:
        tables = Locale.parse(language).months
        names = {
            (number, name)
            for context in ("format", "stand-alone")
            for width in ("wide", "abbreviated")
            for number, name in tables[context][width].items()
        }
        for number, name in names:
            date, fault = PartialDate.salvage(f"7 {name} 1980")
            expected = (None, "form") if name.rstrip(".") in TWO_MEANINGS else (f"1980-{number:02}-07", "")
            assert (date and str(date), fault) == expected, (language, name)


def test_a_date_does_not_show_itself() -> None:
    """A date of birth never reaches a traceback through repr."""
    assert "1980" not in repr(PartialDate(1980, 2, 3))


def test_a_date_has_a_number_of_its_own() -> None:
    years = range(1850, 2151)
    dates = [PartialDate(year, month or None) for year in years for month in range(13)]
    dates += [
        PartialDate(year, month, day)
        for year in (1850, 1900, 2000, 2150)
        for month in range(1, 13)
        for day in range(1, 29)
    ]
    dates.append(PartialDate(2000, 2, 29))
    assert [PartialDate.of_number(date.number) for date in dates] == dates
    assert len({date.number for date in dates} - {0}) == len(dates)
