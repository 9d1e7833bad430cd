"""The record of one person."""

import json
from dataclasses import FrozenInstanceError

import pytest

from aquila.errors import InputError
from aquila.records.person import ABSENT, CODES, FIELDS, LIST_FIELDS, PartialDate, Record, sound_record


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
    assert len(FIELDS) == 19
    assert LIST_FIELDS[-1] == "indicators"
    assert set(CODES) | set(LIST_FIELDS) < set(FIELDS)


@pytest.mark.parametrize(
    "fields",
    [
        {"given_names": ("Ana",), "family_names": ("Ilić",)},
        {"given_names": ("Ana",), "date_of_birth": PartialDate(1980)},
        {"family_names": ("Ilić",), "date_of_birth": PartialDate(1980)},
        {"full_name": "Ana Ilić"},
    ],
)
def test_two_of_three_are_enough(fields: dict[str, object]) -> None:
    """Given names, family names and date of birth: any two make a record; a full name is both names."""
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
