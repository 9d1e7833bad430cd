"""A query of a few persons: they are stored as a small list of their own, on which two persons decide as ever."""

import io
from collections.abc import Callable, Sequence

from aquila.csv_files import ListWriter
from aquila.errors import AquilaError, InputError
from aquila.interface.approval import PendingApproval
from aquila.interface.queries import MOST_PERSONS, PERSON_FIELDS, QueryPerson, QueryRequest
from aquila.records.reading.layouts import UTF_8, Layout
from services.kit.actor import Actor
from services.node.context import NodeContext
from services.node.records import imports
from services.node.records.queries.asked_persons import check_one_way, read_persons, texts_of_person
from services.node.storage.imports import complete_import

_NAME_LETTERS = 200
_NUMBER_BYTES = 4


Ask = Callable[[str], PendingApproval]
"""Stores the request for a query, or a standing query, of an import's persons, which a second person approves."""


def ask_query(node: NodeContext, actor: Actor, wanted: QueryRequest, ask: Ask) -> PendingApproval:
    """Store the persons that an officer asks for, and the request for the query, which a second person approves.

    Args:
        wanted: Persons that are typed, or a stored list; never both.

    Raises:
        InputError: There are no persons, too many, or one of them cannot be used; nothing is stored.
        AquilaError: There can be no such query now, as `ask` says; nothing is stored.
    """
    check_one_way(wanted)
    if wanted.import_id is not None:
        with node.store.reading("query.size") as session:
            records = complete_import(session, wanted.import_id).records
        if records > MOST_PERSONS:
            raise InputError("query_persons_too_many", most=MOST_PERSONS, got=records)
        return ask(wanted.import_id)
    texts = _numbered(wanted.persons, node.random(_NUMBER_BYTES).hex())
    for _row in read_persons(texts):
        pass
    name = wanted.justification.case_reference[:_NAME_LETTERS]
    layout = Layout("csv", UTF_8)
    report = imports.import_list(node, actor, _as_list(texts), name, layout, accept_refused=False, for_query=True)
    assert report.import_id is not None
    try:
        return ask(report.import_id)
    except AquilaError:
        imports.delete_import(node.journal, actor, report.import_id)
        raise


def _numbered(persons: Sequence[QueryPerson], mark: str) -> list[dict[str, str]]:
    """Return the texts of persons, each with a number; those that have none get one that no other list has."""
    numbered = enumerate(persons, start=1)
    return [{"record_id": f"Q-{mark}-{number}"} | texts_of_person(person) for number, person in numbered]


def _as_list(persons: Sequence[dict[str, str]]) -> io.BytesIO:
    """Return persons as a list in CSV."""
    columns = [name for name in PERSON_FIELDS if any(name in texts for texts in persons)]
    text = io.StringIO(newline="")
    writer = ListWriter(text)
    writer.write(columns)
    for texts in persons:
        writer.write([texts.get(name, "") for name in columns])
    return io.BytesIO(text.getvalue().encode())
