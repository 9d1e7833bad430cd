"""The persons of a query as the node reads them, for the person who asks and for the one who approves.

Beside what the reading of a list finds, it names what only a reader who knows the case can settle: a date of birth that
is still to come, and names that stand in the wrong column. Such a person is compared all the same.
"""

import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from aquila.audit.entries import EntryKind, Word
from aquila.audit.roles import Action
from aquila.csv_files import ListWriter
from aquila.errors import AquilaError, InputError
from aquila.interface.approval import PendingApproval
from aquila.interface.queries import (
    MOST_PERSONS,
    PERSON_FIELDS,
    AskedPerson,
    AskedPersons,
    ChosenPersons,
    QueryPerson,
    QueryRequest,
)
from aquila.interface.records import FindingView, names_of
from aquila.interface.sentence import SentenceView
from aquila.records.normalize.names import name_words, table
from aquila.records.person import LIST_FIELDS, Record
from aquila.records.reading.columns import read_texts
from aquila.records.reading.layouts import UTF_8, Layout
from aquila.records.rows import AcceptedRow, RefusedRow, Severity
from aquila.sentences import Sentence
from aquila.sentences.sentence import loads
from services.kit.actor import Actor
from services.node.context import NodeContext
from services.node.records import imports
from services.node.storage.imports import complete_import
from services.node.storage.tables import FindingRow, RecordRow

_OF_FAMILIES = ("ovic", "evic", "ovski", "evski", "ovska", "evska", "esku", "oglu", "enko", "opulos")  # as folded
_UNNUMBERED = "-"  # in place of the number of a person who was typed without one


def check_asked(node: NodeContext, actor: Actor, wanted: ChosenPersons) -> AskedPersons:
    """Return how the persons are read whom an officer is about to ask for; nothing is stored or sent.

    A look at those of a stored list is a consultation, which is logged.

    Raises:
        InputError: There are no persons, or one of them cannot be used.
    """
    check_one_way(wanted)
    if wanted.import_id is not None:
        with node.store.transaction("query.check") as session:
            return look_at_stored(session, node, (actor, Action.ASK_SUBMISSION), wanted.import_id)
    texts = [texts_of_person(person) for person in wanted.persons]
    today = _today(node)
    persons = tuple(
        _asked(number, own.get("record_id", ""), row.record, [(one.field, one.sentence) for one in row.warnings], today)
        for number, (own, row) in enumerate(zip(texts, read_persons(texts), strict=True), start=1)
    )
    return AskedPersons(persons=persons, left_out=0)


def check_one_way(wanted: ChosenPersons) -> None:
    """Raise InputError unless persons are either typed or those of a list."""
    if bool(wanted.persons) == (wanted.import_id is not None):
        raise InputError("query_without_persons")


def texts_of_person(person: QueryPerson) -> dict[str, str]:
    """Return the texts of a person that are not empty, by field."""
    return {name: text.strip() for name, text in person.model_dump().items() if text.strip()}


def read_persons(persons: Iterable[dict[str, str]]) -> Iterator[AcceptedRow]:
    """Yield the rows that persons give; raises InputError for the first that cannot be used, by its number."""
    for number, texts in enumerate(persons, start=1):
        numbered = {"record_id": _UNNUMBERED} | texts
        parted = {name: text.split(";") if name in LIST_FIELDS else [text] for name, text in numbered.items()}
        row = read_texts(number, parted)
        if isinstance(row, RefusedRow):
            finding = next(one for one in row.findings if one.severity is Severity.REFUSAL)
            raise InputError("query_person_unusable", number=number, reason=finding.sentence)
        yield row


def look_at_stored(
    session: Session, node: NodeContext, by: tuple[Actor, Action], import_id: str, **ids: str
) -> AskedPersons:
    """Return the first persons of a stored list, and log the look with the ids of what it was for."""
    complete_import(session, import_id)
    query = select(RecordRow).where(RecordRow.import_id == import_id).order_by(RecordRow.position)
    rows = session.scalars(query.limit(MOST_PERSONS)).all()
    total = session.scalar(select(func.count()).where(RecordRow.import_id == import_id)) or 0
    found, today = _stored_findings(session, import_id, [row.record_id for row in rows]), _today(node)
    persons = tuple(
        _asked(number, row.record_id, Record.from_json(row.content), found.get(row.record_id, []), today)
        for number, row in enumerate(rows, start=1)
    )
    seen = {"counts": {"records": len(persons)}, "ids": {"of": Word.RECORD} | ids}
    node.journal.log(session, EntryKind.CONSULTATION, by, **seen)
    return AskedPersons(persons=persons, left_out=total - len(persons))


def _stored_findings(
    session: Session, import_id: str, record_ids: Sequence[str]
) -> dict[str, list[tuple[str, Sentence]]]:
    """Return what was found when a list was read, by the numbers of these records: the field and the sentence."""
    query = select(FindingRow).where(FindingRow.import_id == import_id, FindingRow.record_id.in_(record_ids))
    found: dict[str, list[tuple[str, Sentence]]] = {}
    for row in session.scalars(query.order_by(FindingRow.number)):
        found.setdefault(row.record_id, []).append((row.field, loads(row.reason)))
    return found


def _asked(
    number: int, record_id: str, record: Record, found: Iterable[tuple[str, Sentence]], today: str
) -> AskedPerson:
    return AskedPerson(
        record_id=record_id,
        record=json.loads(record.to_json()) | {"record_id": record_id},
        names=names_of(record),
        findings=tuple(
            FindingView(
                line=number, field=field, reason=SentenceView.of(sentence), severity="warning", record_id=record_id
            )
            for field, sentence in (*found, *_doubts(record, today))
        ),
    )


def _doubts(record: Record, today: str) -> Iterator[tuple[str, Sentence]]:
    """Yield the field and the sentence of each thing that is sound in itself and unlikely of a person."""
    born = "" if record.date_of_birth is None else str(record.date_of_birth)
    if born > today[: len(born)]:
        yield "date_of_birth", Sentence.of("birth_to_come")
    given, family = (_words(names) for names in (record.given_names, record.family_names))
    if _seem_exchanged(given, family):
        yield "family_names", Sentence.of("family_name_is_given_name")
    if len(given) > 1 and not family and not record.full_name:
        yield "family_names", Sentence.of("family_name_missing")


def _seem_exchanged(given: frozenset[str], family: frozenset[str]) -> bool:
    """Return whether the family name is likely a given one, and the other way round."""
    known, (own, other) = _given_names(), (any(map(_is_of_family, names)) for names in (given, family))
    as_given = bool(given and family) and family <= known and not given & known
    return as_given or (own and not other and bool(family))


def _is_of_family(word: str) -> bool:
    return word.endswith(_OF_FAMILIES) and word not in _given_names()


def _words(names: Iterable[str]) -> frozenset[str]:
    return frozenset(word for name in names for word in name_words(name))


@cache
def _given_names() -> frozenset[str]:
    """Return the given names of the tables of variants, as they are compared."""
    groups = [*table("variants")["groups"], *table("nicknames")["groups"], table("women")["names"]]
    return _words(name for group in groups for name in group)


def _today(node: NodeContext) -> str:
    return datetime.fromtimestamp(node.clock(), UTC).date().isoformat()


_NAME_LETTERS = 200
_NUMBER_BYTES = 4


Ask = Callable[[str], PendingApproval]
"""Stores the request for a query, or a standing query, of an import's persons, which a second person approves."""


def ask_query(node: NodeContext, actor: Actor, wanted: QueryRequest, ask: Ask) -> PendingApproval:
    """Store the persons that an officer asks for, and the request for the query, which a second person approves.

    Args:
        wanted: Persons that are typed, or a stored list; never both.

    Raises:
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
