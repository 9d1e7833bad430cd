"""The first line of a CSV list."""

import pickle

import pytest

from aquila.errors import InputError
from aquila.records.reading.csv_rows import CsvPlan, plan_columns, read_headings


def csv_plan(content: bytes) -> CsvPlan:
    headings, separator = read_headings(content)
    return plan_columns(headings, separator)


def test_a_header_is_a_plan() -> None:
    """Its columns in their order, the separator it holds more of, and unknown columns by name or place."""
    plan = csv_plan("\ufeffRecord_ID; full_name ;shoe,size;\r\n".encode())
    assert (plan.separator, plan.columns) == (";", ("record_id", "full_name", None, None))
    assert [(finding.line, finding.field) for finding in plan.findings] == [(1, "shoe,size"), (1, "column 4")]


def test_a_plan_travels_and_is_a_key() -> None:
    """Processes get it with each batch and find their reader by it."""
    plan = csv_plan(b"record_id,full_name\n")
    assert pickle.loads(pickle.dumps(plan)) == plan  # noqa: S301 - what this test wrote
    assert {plan: 1}[CsvPlan(",", ("record_id", "full_name"))] == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\xff\n", "UTF-8"),
        (b"full_name\rrecord_id\n", "no known column"),
        (b"record_id,full_name,full_name\n", "twice"),
        (b"full_name\n", "no column record_id"),
        (b"record_id,given_names\n", "too few"),
        (b"record_id,full_name,date_of_brith\n", r"not known: date_of_brith \(date_of_birth\?\)$"),
        (
            b"rec_id,given_name, surname,,suburb,date_of_birth\n",  # of FEBRL
            r"not known: rec_id \(record_id\?\), given_name \(given_names\?\), surname \(family_names\?\), suburb$",
        ),
        (b"record_id,given_names," + b",".join(b"c%d" % number for number in range(31)) + b"\n", r"c28, c29, \.\.\.$"),
    ],
)
def test_a_line_that_is_no_header_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        csv_plan(content)


def test_a_name_near_a_column_that_is_there_is_another_column() -> None:
    """A list may have columns of its own, also beside one with a similar name; they are found and not read."""
    plan = csv_plan(b"record_id,full_name,nationality,nationality_2\n")
    assert [finding.field for finding in plan.findings] == ["nationality_2"]
