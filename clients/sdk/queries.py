"""The operator's client of a node's queries, and persons that are pasted as text."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from aquila.errors import InputError
from aquila.interface.approval import PendingApproval
from aquila.interface.queries import (
    MOST_PERSONS,
    PERSON_FIELDS,
    Queries,
    QueryAnswer,
    QueryPerson,
    QueryProgress,
    StandingQueries,
    StandingQueryView,
)
from aquila.records.reading.headings import suggest_columns
from clients.sdk.connection import confirmed, list_query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aquila.interface.queries import QueryRequest, StandingQueryRequest
    from clients.sdk.connection import Connection

PASTED_FIELDS = ("given_names", "family_names", "date_of_birth", "nationality", "document_numbers")
"""The columns of pasted lines that have no line of column names."""

_SEPARATORS = ("\t", ";", ",")
_LEAST_NAMED = 2
_LONGEST = 500


class QueryClient:
    """A node's queries. Every method raises the error in the node's problem document."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def queries(self, offset: int = 0, limit: int | None = None) -> Queries:
        """Return the party's queries, the rounds that take one now, and templates of a justification.

        Args:
            offset: How many newer queries are left out.
            limit: At most so many of them; the newest ones if None.
        """
        return self._connection.fetch(Queries, "GET", "/v1/queries", params=list_query(offset, limit))

    def ask(self, wanted: QueryRequest, *, names_checked: bool = False) -> PendingApproval:
        """Ask for a few persons; the request waits for a second person. `names_checked` as for `NodeClient.submit`."""
        body, query = wanted.model_dump(mode="json"), confirmed(names_checked=names_checked)
        return self._connection.fetch(PendingApproval, "POST", "/v1/queries", json=body, params=query)

    def answer(self, submission_id: str) -> QueryAnswer:
        """Return the answer to a query, person by party."""
        return self._connection.fetch(QueryAnswer, "GET", f"/v1/queries/{quote(submission_id, safe='')}")

    def standing(self) -> StandingQueries:
        """Return the party's standing queries with what each found in which round."""
        return self._connection.fetch(StandingQueries, "GET", "/v1/standing-queries")

    def standing_query(self, standing_id: str) -> StandingQueryView:
        """Return a standing query with its persons."""
        return self._connection.fetch(StandingQueryView, "GET", f"/v1/standing-queries/{quote(standing_id, safe='')}")

    def watch(self, wanted: StandingQueryRequest, *, names_checked: bool = False) -> PendingApproval:
        """Ask for a standing query; the request waits for a second person. `names_checked` as for `ask`."""
        body, query = wanted.model_dump(mode="json"), confirmed(names_checked=names_checked)
        return self._connection.fetch(PendingApproval, "POST", "/v1/standing-queries", json=body, params=query)

    def withdraw(self, standing_id: str, reason: str) -> None:
        """Let a standing query be asked in no further round."""
        path = f"/v1/standing-queries/{quote(standing_id, safe='')}/withdraw"
        self._connection.call("POST", path, json={"reason": reason})

    def progress(self, submission_id: str) -> QueryProgress:
        """Return the progress of a query; nobody looks at a person for it."""
        return self._connection.fetch(QueryProgress, "GET", f"/v1/queries/{quote(submission_id, safe='')}/progress")


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
