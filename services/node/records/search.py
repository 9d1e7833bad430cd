"""The party's own records and references as its people look for them, and names in texts that leave the node.

A name is compared with the folded words that every record is stored with, so that any script and spelling finds it. A
search reads those words once for its count and once for its page, and nothing else of the records that it does not
find; there is no index that a part of a name could use, and none is needed for a million records. Every search and
every look is a consultation: its entry says how many records were seen, and neither what was looked for nor which.

A text that leaves the node or enters its log is refused if it names a person who is asked for, in this query or in an
earlier one. One that names a person of the own lists, or has a part of the name of a person asked for now, is refused
until the officer confirms it: the word may be a place, or the person somebody else. Neither the error nor the log has
the name.
"""

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, false, func, or_, select
from sqlalchemy.orm import Session

from aquila.audit.entries import EntryKind, Word
from aquila.audit.roles import Action, Service, role_table
from aquila.errors import InputError
from aquila.interface import records as forms
from aquila.protocol.messages import Kind
from aquila.records.person import Record
from aquila.records.search import name_in, part_in, search_for, words_of
from services.kit.actor import Actor
from services.kit.errors import NotFoundError
from services.kit.log.entries import Journal
from services.kit.storage.store import Store
from services.node.hits import lifecycle
from services.node.hits.review import by_reference, is_number
from services.node.hits.views import history_of, log_consultation, with_records, withdrawals_of
from services.node.storage.imports import complete_import
from services.node.storage.tables import (
    STATUS_OF_HIT,
    HitRow,
    HitStatusRow,
    ImportRow,
    RecordRow,
    RoundRow,
    StandingQueryRow,
    SubmissionRow,
)

T = TypeVar("T")


def search(journal: Journal, actor: Actor, wanted: forms.RecordSearch) -> forms.RecordPage:
    """Return a page of the party's own records that a search finds; a consultation, also where it finds none.

    A record with the whole number goes before names; what has the text as a reference is named as well.
    """
    text = wanted.text.strip()
    if not text:
        raise InputError("search_terms_missing")
    with journal.store.reading("record.search") as session:
        where = _where(session, text, alike=wanted.alike)
        references = () if wanted.offset else tuple(_references(session, actor, text))
        total = session.scalar(select(func.count()).select_from(RecordRow).where(*where)) or 0
        records = tuple(_page(session, where, wanted.offset))
    with journal.store.transaction("record.searched") as session:
        _log_look(session, journal, actor, len(records))
    return forms.RecordPage(records=records, references=references, offset=wanted.offset, total=total)


def browse(journal: Journal, actor: Actor, import_id: str, offset: int) -> forms.RecordPage:
    """Return a page of a list in its own order; a consultation."""
    query = select(RecordRow).where(RecordRow.import_id == import_id).order_by(RecordRow.position)
    with journal.store.transaction("record.browse") as session:
        stored = complete_import(session, import_id)
        total = session.scalar(select(func.count()).where(RecordRow.import_id == import_id)) or 0
        rows = session.scalars(query.offset(offset).limit(forms.MOST_FOUND))
        records = tuple(_found(row, stored.name) for row in rows)
        _log_look(session, journal, actor, len(records))
    return forms.RecordPage(records=records, offset=offset, total=total)


def show(journal: Journal, actor: Actor, import_id: str, position: int) -> forms.RecordView:
    """Return the record at a place of a list, with its history; a consultation, also of hits that are shown."""
    with journal.store.transaction("record.show") as session:
        row, stored = session.get(RecordRow, (import_id, position)), session.get(ImportRow, import_id)
        if row is None or stored is None or not stored.complete:
            raise NotFoundError("record_unknown")
        _log_look(session, journal, actor, 1)
        uses, all_uses = _uses(session, import_id)
        elsewhere, all_elsewhere = _elsewhere(session, row)
        hits, all_hits = _hits(session, journal, actor, row)
        return forms.RecordView(
            entry=_found(row, stored.name),
            names=forms.names_of(Record.from_json(row.content)),
            imported_at=stored.imported_at,
            uses=tuple(uses),
            elsewhere=tuple(elsewhere),
            hits=hits,
            uses_left_out=all_uses - len(uses),
            elsewhere_left_out=all_elsewhere - len(elsewhere),
            hits_left_out=all_hits - len(hits or ()),
        )


def _where(session: Session, text: str, *, alike: bool) -> Sequence[ColumnElement[bool]]:
    """Return the conditions of a search."""
    complete = RecordRow.import_id.in_(select(ImportRow.import_id).where(ImportRow.complete))
    numbered = complete, RecordRow.record_id == text
    if session.scalar(select(RecordRow.position).where(*numbered).limit(1)) is not None:
        return numbered
    groups = () if is_number(text) else search_for(text, alike=alike)
    named = [or_(*(RecordRow.words.contains(word) for word in group)) for group in groups]
    return (complete, *named) if groups else (false(),)


def _references(session: Session, actor: Actor, text: str) -> Iterator[forms.FoundReference]:
    """Yield what has a text as its reference, as far as the person may see it."""

    def may(action: Action) -> bool:
        return role_table().allows(Service.NODE, actor.roles, action)

    wanted, most = text.lower(), forms.MOST_REFERENCES
    if may(Action.SEE_HITS):
        yield from by_reference(session, text, most)
    if may(Action.SEE_ROUNDS) and session.get(RoundRow, wanted) is not None:
        yield forms.FoundReference(kind=forms.ReferenceKind.ROUND, round_id=wanted, thing_id=wanted)
    if may(Action.SEE_QUERIES):
        queries = select(SubmissionRow.submission_id).where(SubmissionRow.kind == Kind.QUERY.value)
        case = func.lower(SubmissionRow.justification["case_reference"].as_string()) == wanted
        standing = select(StandingQueryRow.standing_id)
        standing_case = func.lower(StandingQueryRow.justification["case_reference"].as_string()) == wanted
        for kind, query in (
            (forms.ReferenceKind.QUERY, queries.where(SubmissionRow.submission_id == wanted)),
            (forms.ReferenceKind.CASE, queries.where(case).order_by(SubmissionRow.wished_at.desc())),
            (
                forms.ReferenceKind.STANDING_QUERY,
                standing.where((StandingQueryRow.standing_id == wanted) | standing_case),
            ),
        ):
            for thing_id in session.scalars(query.limit(most)):
                yield forms.FoundReference(kind=kind, thing_id=thing_id)


def _page(session: Session, where: Sequence[ColumnElement[bool]], offset: int) -> Iterator[forms.FoundRecord]:
    """Yield the records of a page in the order of their words; only these are read whole."""
    places = (
        select(RecordRow.import_id, RecordRow.position)
        .where(*where)
        .order_by(RecordRow.words, RecordRow.import_id, RecordRow.position)
    )
    for import_id, position in session.execute(places.offset(offset).limit(forms.MOST_FOUND)).all():
        row = session.get_one(RecordRow, (import_id, position))
        yield _found(row, session.get_one(ImportRow, import_id).name)


def _found(row: RecordRow, list_name: str) -> forms.FoundRecord:
    return forms.FoundRecord.of_fields(row, list_name=list_name, record=json.loads(row.content))


def _newest(session: Session, query: Select[T], *order: ColumnElement[Any]) -> tuple[list[T], int]:
    """Return the first rows that a record's page shows, and how many there are in all."""
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    return list(session.scalars(query.order_by(*order).limit(forms.MOST_OF_RECORD))), total


def _uses(session: Session, import_id: str) -> tuple[list[forms.RecordUse], int]:
    """Return the newest submissions that a list was made into, and how many there are."""
    query = select(SubmissionRow).where(SubmissionRow.import_id == import_id)
    rows, total = _newest(session, query, SubmissionRow.wished_at.desc(), SubmissionRow.submission_id.asc())
    return [forms.RecordUse.of_fields(row, state=row.state.value) for row in rows], total


def _elsewhere(session: Session, row: RecordRow) -> tuple[list[str], int]:
    """Return the names of the newest other lists with a record of the same number, and how many there are."""
    query = select(ImportRow.name).join(RecordRow, RecordRow.import_id == ImportRow.import_id)
    others = query.where(RecordRow.record_id == row.record_id, ImportRow.complete, ImportRow.import_id != row.import_id)
    return _newest(session, others, ImportRow.imported_at.desc(), ImportRow.import_id.asc())


def _hits(
    session: Session, journal: Journal, actor: Actor, row: RecordRow
) -> tuple[tuple[forms.RecordHit, ...] | None, int]:
    """Return the newest hits on a record and how many it has, to whom hits are shown; None to anyone else.

    The look at those that are returned is logged.
    """
    if not role_table().allows(Service.NODE, actor.roles, Action.SEE_HITS):
        return None, 0
    query = select(HitRow).join(HitStatusRow, STATUS_OF_HIT)
    query = query.where(HitRow.import_id == row.import_id, HitRow.position == row.position)
    hits, total = _newest(session, query, HitStatusRow.arrived_at.desc(), HitRow.round_id.asc(), HitRow.hit_id.asc())
    for round_id in sorted({hit.round_id for hit in hits}):
        log_consultation(session, journal, actor, round_id, [hit.hit_id for hit in hits if hit.round_id == round_id])
    entries = with_records(session, [(hit, lifecycle.status_row(session, hit)) for hit in hits], journal.clock())
    shown = tuple(
        forms.RecordHit(
            entry=entry, history=history_of(session, hit), withdrawals=tuple(withdrawals_of(session, journal.code, hit))
        )
        for hit, entry in zip(hits, entries, strict=True)
    )
    return shown, total


def _log_look(session: Session, journal: Journal, actor: Actor, records: int) -> None:
    """Log a look at records: how many were seen."""
    by, ids = (actor, Action.SEARCH_RECORDS), {"of": Word.RECORD}
    journal.log(session, EntryKind.CONSULTATION, by, counts={"records": records}, ids=ids)


_AT_ONCE = 4_096
_ASKED, _OWN = "text_names_asked_person", "text_may_name_own_person"


def check_texts(store: Store, texts: Mapping[str, str], *, asked: str | None = None, confirmed: bool) -> None:
    """Refuse texts that name a person.

    Args:
        texts: The texts, by the names of their fields.
        asked: The import with the persons who are asked for, if the texts are those of a query.
        confirmed: Whether an officer has confirmed that they name nobody of the own lists.
    """
    words = {name: words_of(text) for name, text in texts.items()}
    every = frozenset[str]().union(*words.values())
    with (
        store.reading("texts.names") as session,
        closing(_persons_named(session, every, asked, confirmed=confirmed)) as persons,
    ):
        for code, found in persons:
            if found:
                raise InputError(code, name=next(name for name, own in words.items() if own & found))


def _persons_named(
    session: Session, every: frozenset[str], asked: str | None, *, confirmed: bool
) -> Generator[tuple[str, frozenset[str]], None, None]:
    """Yield the words of texts that name somebody, each with the id of the sentence about them."""
    records: list[Record] = []
    if asked is not None:
        persons = select(RecordRow.content).where(RecordRow.import_id == asked)
        records = [Record.from_json(content) for content in session.scalars(persons)]
    yield from ((_ASKED, name_in(every, record, inflected=True)) for record in records)
    if not confirmed:
        yield from ((_OWN, part_in(every, record)) for record in records)
    query = select(RecordRow.import_id, RecordRow.position, RecordRow.words, ImportRow.for_query)
    query = query.join(ImportRow, ImportRow.import_id == RecordRow.import_id).where(ImportRow.complete)
    # The database leaves few of the records: it compares a word four times as fast as they could be read.
    query = query.where(or_(false(), *(RecordRow.words.contains(f" {word} ") for word in sorted(every))))
    if confirmed:
        query = query.where(ImportRow.for_query)
    with session.execute(query.order_by(ImportRow.for_query.desc()).execution_options(yield_per=_AT_ONCE)) as rows:
        for import_id, position, text, for_query in rows:
            if len(every.intersection(text.split())) > 1:
                record = Record.from_json(session.get_one(RecordRow, (import_id, position)).content)
                yield _ASKED if for_query else _OWN, name_in(every, record)
