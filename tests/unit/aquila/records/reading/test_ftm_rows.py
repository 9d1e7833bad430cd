"""Rows of FollowTheMoney JSON lines."""

import json
from io import BytesIO
from typing import Any

import pytest

from aquila.errors import InputError
from aquila.records.rows import AcceptedRow, RefusedRow, Row
from tests.support.read_lists import read_ftm

PERSON: dict[str, Any] = {"id": "p1", "schema": "Person", "properties": {"name": ["Ana Ilić"]}}


def read(*lines: str) -> list[Row]:
    return list(read_ftm(BytesIO("\n".join(lines).encode())))


def person(**properties: list[str]) -> str:
    return json.dumps({"id": "p1", "schema": "Person", "properties": properties})


def test_every_property_finds_its_field() -> None:
    (row,) = read(
        person(
            name=["Ana Ilić", "Ана Илић"],
            firstName=["Ana"],
            middleName=["Mara"],
            fatherName=["Petar"],
            lastName=["Ilić"],
            alias=["Anica"],
            weakAlias=["Anka"],
            birthDate=["1980-02-03T00:00:00"],
            birthPlace=["Niš"],
            birthCountry=["rs"],
            gender=["female"],
            nationality=["rs"],
            citizenship=["ba"],
            idNumber=["0101990710008"],
            passportNumber=["A123456"],
            phone=["+38164123456"],
            email=["ana@example.org"],
        )
    )
    assert isinstance(row, AcceptedRow)
    record = row.record
    assert row.warnings == ()
    assert (record.record_id, record.full_name, record.sex) == ("p1", "Ana Ilić", "F")
    assert record.given_names == ("Ana", "Mara", "Petar")
    assert record.aliases == ("Ана Илић", "Anica", "Anka")
    assert str(record.date_of_birth) == "1980-02-03"
    assert record.nationality == ("rs", "ba")
    assert (record.national_numbers, record.document_numbers) == (("0101990710008",), ("A123456",))


def test_other_entities_are_passed_over() -> None:
    other = json.dumps({"id": "x", "schema": "Passport", "properties": {}})
    rows = read(other, "", json.dumps(PERSON))
    assert [row.line for row in rows] == [3]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[" * 100_000,
        "7",
        '{"id":"1","schema":"Person"}',
        '{"id":1,"schema":"Person","properties":{}}',
        '{"id":"1","schema":7,"properties":{}}',
        '{"id":"1","schema":"Person","properties":{"name":"Ana"}}',
        '{"id":"1","schema":"Person","properties":{"name":[7]}}',
        '{"id":"1","schema":"Person","properties":{}}',
        "\0",
    ],
)
def test_a_line_that_is_no_person_is_refused_alone(line: str) -> None:
    first, second = read(line, json.dumps(PERSON))
    assert isinstance(first, RefusedRow)
    assert isinstance(second, AcceptedRow)


@pytest.mark.parametrize("line", ["", json.dumps({"id": "x", "schema": "Passport", "properties": {}})])
def test_a_file_without_persons_is_refused(line: str) -> None:
    with pytest.raises(InputError, match="Person"):
        read(line)
