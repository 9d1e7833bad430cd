"""The operator's client of a node's queries, and persons that are pasted as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from aquila.errors import InputError
from aquila.interface.approval import PendingApproval
from aquila.interface.queries import (
    MOST_PERSONS,
    PERSON_FIELDS,
    Queries,
    QueryAnswer,
    QueryPerson,
    QueryProgress,
    QueryRequest,
    StandingQueries,
    StandingQueryRequest,
    StandingQueryView,
    WithdrawnStandingQuery,
)
from aquila.records.reading.csv_rows import suggest_columns
from clients.sdk.service_client import ServiceClient, acts, answers

PASTED_FIELDS = ("given_names", "family_names", "date_of_birth", "nationality", "document_numbers")
"""The columns of pasted lines that have no line of column names."""

_SEPARATORS = ("\t", ";", ",")
_LEAST_NAMED = 2
_LONGEST = 500


class QueryClient(ServiceClient):
    """A node's queries. What is asked waits for a second person; `names_checked` as for `NodeClient.submit`."""

    queries = answers("get_queries", Queries)
    ask = answers("post_query", PendingApproval, QueryRequest)
    answer = answers("get_query", QueryAnswer)
    standing = answers("get_standing_queries", StandingQueries)
    standing_query = answers("get_standing_query", StandingQueryView)
    watch = answers("post_standing_query", PendingApproval, StandingQueryRequest)
    withdraw = acts("post_standing_withdrawal", WithdrawnStandingQuery)
    progress = answers("get_progress", QueryProgress)


def end_of_day(iso: str) -> int:
    """Return the end of a day in this machine's zone, as seconds since 1970.

    Raises:
        InputError: It is no date as 2027-03-31.
    """
    try:
        day = date.fromisoformat(iso)
        return int(datetime.combine(day + timedelta(days=1), time.min).astimezone().timestamp()) - 1
    except (ValueError, OverflowError, OSError):
        raise InputError("form_date_unreadable") from None


def pasted_persons(text: str) -> tuple[QueryPerson, ...]:
    """Read persons from pasted lines, one each, of which tabs, semicolons or commas separate the columns.

    A first line that names at least two columns, in any language that lists are read in, says what they hold; else they
    are those of `PASTED_FIELDS`. A line without a separator is a full name.

    Raises:
        InputError: There are more persons than a query takes, or a line has a column or a text too many.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    separator = max(_SEPARATORS, key=lambda one: sum(one in line for line in lines)) if lines else ";"
    reader = csv.reader(io.StringIO("\n".join(lines), newline=""), delimiter=separator)
    try:
        rows = [row for row in reader if any(row)]
    except csv.Error:  # a cell of more than 128 KiB, such as the rest of a text in which a quotation mark does not end
        raise InputError("query_line_unreadable", number=reader.line_num, columns=len(PASTED_FIELDS)) from None
    columns: tuple[str | None, ...] = PASTED_FIELDS
    if rows and sum(name in PERSON_FIELDS for name in suggest_columns(rows[0])) >= _LEAST_NAMED:
        columns = suggest_columns(rows.pop(0))
    if len(rows) > MOST_PERSONS:
        raise InputError("query_persons_too_many", most=MOST_PERSONS, got=len(rows))
    return tuple(_person(number, row, columns) for number, row in enumerate(rows, start=1))


def _person(number: int, cells: Sequence[str], columns: Sequence[str | None]) -> QueryPerson:
    given = [cell.strip() for cell in cells]
    if any(given[len(columns) :]) or any(len(cell) > _LONGEST for cell in given):
        raise InputError("query_line_unreadable", number=number, columns=len(columns))
    if len(given) == 1:
        return QueryPerson(full_name=given[0])
    named = zip(columns, given, strict=False)
    return QueryPerson.model_validate({name: cell for name, cell in named if name in PERSON_FIELDS})
