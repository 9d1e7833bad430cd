"""A person asks what this party holds (LED, Articles 14 to 17): one search over the node, and the answer kept.

The search compares the person with every stored record by the match rules, follows what is found to its hits, notes and
letters, and looks for the name in remarks and in the log. It is a look like others, and its entry has the numbers. What
is shown are numbers of things and never what they say. Nothing of the person is stored: the answer is a row with the
party's file number, and an entry with a digest of it, both with the numbers of the search that it names.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice

from sqlalchemy import func, or_, select, tuple_
from sqlalchemy.orm import Session

from aquila.audit.entries import Entry, EntryKind, Word
from aquila.audit.roles import Action
from aquila.errors import InputError
from aquila.followup.lifecycle import LifecycleStepKind
from aquila.interface import subjects as forms
from aquila.interface.subjects import SubjectPlace
from aquila.matching.person_search import FoundPerson, PersonSearch
from aquila.protocol.encoding import framed
from aquila.records.person import Record
from aquila.records.rules import load_rules
from aquila.records.search import name_in, part_in, words_of
from services.kit.actor import Actor
from services.kit.errors import NotFoundError
from services.kit.http.signed_calls import RateLimiter
from services.kit.log.entries import ENTRIES, Journal, stored_entries
from services.kit.storage.store import Store
from services.node.context import Clock
from services.node.hits.lifecycle import person_digest
from services.node.hits.review import Key, by_round
from services.node.hits.views import log_consultation
from services.node.records.comparisons import stored_records
from services.node.records.list_reading import findings_of
from services.node.records.queries.asked_persons import read_persons
from services.node.storage.tables import ExchangeRow, HitRow, HitStepRow, ImportRow, RecordRow, SubjectRequestRow

_AT_ONCE = 2_048
_IN_QUERY = 200
_DAY = 86_400
_SHORT = 8
_LEAST = 4  # letters and digits of a number that a file number may not have in it
_LETTERS = [
    kind.value
    for kind in (
        LifecycleStepKind.OPENED,
        LifecycleStepKind.REMINDED,
        LifecycleStepKind.REPLIED,
        LifecycleStepKind.RECEIVED,
        LifecycleStepKind.ANSWERED,
    )
]
_WITH_REASON = (EntryKind.PROPOSAL.value, EntryKind.SUBMISSION.value)

_Things = dict[SubjectPlace, list[forms.FoundThing]]


def search_subject(
    journal: Journal, searches: RateLimiter, actor: Actor, search_id: str, wanted: forms.SubjectSearch
) -> forms.SubjectFindings:
    """Return where something of a person is; a consultation, also where nothing is found.

    Raises:
        InputError: The person cannot be compared, or the file number has a part of a name or a number of the person.
        TooManyCallsError: The account has searched too often; nothing was looked for.
    """
    [asked] = read_persons([wanted.texts()])
    _check_number(wanted, asked.record)
    searches.take(actor.person)
    found: _Things = {place: [] for place in SubjectPlace}
    hits: Collection[Key] | None = None
    while hits is None:
        lists, records, persons = _compare_all(journal.store, asked.record)
        with journal.store.reading("subject.places") as session:
            if _lists(session) != lists:
                continue  # a record that was erased meanwhile has left its place to another one
            hits = _note_hits(session, persons, _note_records(session, persons, found), found)
            _note_remarks(session, asked.record, found)
            _note_entries(session, asked.record, dict(by_round(hits)), found)
    with journal.store.transaction("subject.search") as session:
        for round_id, seen in by_round(hits):
            log_consultation(session, journal, actor, round_id, seen, Action.ANSWER_SUBJECTS)
        counts = {_count_of(place): len(things) for place, things in found.items()}
        digest = {"file": _file_digest(wanted.file_number)}
        by, ids = (actor, Action.ANSWER_SUBJECTS), {"of": Word.PERSON, "search": search_id}
        journal.log(session, EntryKind.CONSULTATION, by, counts=counts, digests=digest, ids=ids)
    return forms.SubjectFindings(
        search_id=search_id,
        records=records,
        places=tuple(
            forms.FoundInPlace(place=place, count=len(things), things=tuple(things[: forms.MOST_NAMED]))
            for place, things in found.items()
        ),
        findings=tuple(findings_of(asked)),
    )


def answer_subject(journal: Journal, actor: Actor, wanted: forms.SubjectDecision) -> forms.AnsweredRequest:
    """Keep the answer to a request, with the numbers of the search that it names, and log it."""
    now = journal.clock()
    received = date.fromisoformat(wanted.received)
    if received > _local_day(now):
        raise InputError("letter_date_in_future")
    with journal.store.transaction("subject.answer") as session:
        searched = _search_entry(session, actor, wanted, now)
        if searched is None or session.get(SubjectRequestRow, wanted.search_id) is not None:
            raise NotFoundError("subject_search_unknown")
        counts = {place.value: searched.counts[_count_of(place)] for place in SubjectPlace}
        row = SubjectRequestRow(
            search_id=wanted.search_id,
            file_number=wanted.file_number,
            received_on=received.isoformat(),
            due_on=(received + timedelta(days=forms.DAYS_TO_ANSWER)).isoformat(),
            answered_at=now,
            answered_by=actor.person,
            answer=wanted.answer.value,
            counts=counts,
        )
        session.add(row)
        ids = {"value": Word(wanted.answer.value), "search": wanted.search_id}
        fields = {"counts": searched.counts, "digests": searched.digests, "ids": ids}
        journal.log(session, EntryKind.SUBJECT_ANSWERED, (actor, Action.ANSWER_SUBJECTS), **fields)
        return _view(row)


def answered_requests(store: Store) -> forms.AnsweredRequests:
    """Return the requests that were answered, the newest first; they name nobody."""
    with store.reading("subject.answered") as session:
        query = select(SubjectRequestRow).order_by(SubjectRequestRow.answered_at.desc(), SubjectRequestRow.search_id)
        rows = session.scalars(query.limit(forms.MOST_ANSWERED)).all()
        total = session.scalar(select(func.count()).select_from(SubjectRequestRow)) or 0
    return forms.AnsweredRequests(requests=tuple(map(_view, rows)), total=total)


def forget_answered(store: Store, clock: Clock, days: int) -> bool:
    """Delete the rows of requests that were answered longer ago than the log keeps contents; return whether any was."""
    old = SubjectRequestRow.answered_at <= clock() - days * _DAY
    return store.remove("subject.forget", SubjectRequestRow, old)


def _count_of(place: SubjectPlace) -> str:
    """Return the name of a count; hits are counted by an entry for each round as well, and looks are added up."""
    return "hits_found" if place is SubjectPlace.HITS else place.value


def _check_number(wanted: forms.SubjectSearch, person: Record) -> None:
    """Refuse a file number that says whose it is: it is stored."""
    words = words_of(wanted.file_number)
    typed = wanted.texts().get(forms.SubjectField.DATE_OF_BIRTH, "")
    numbers = (*person.document_numbers, *person.national_numbers, str(person.date_of_birth or ""), typed)
    written = _bare(wanted.file_number)
    if (
        name_in(words, person)
        or part_in(words, person)
        or any(one in written for one in map(_bare, numbers) if len(one) >= _LEAST)
    ):
        raise InputError("file_number_names_person")


def _bare(text: str) -> str:
    return "".join(filter(str.isalnum, text)).lower()


def _file_digest(file_number: str) -> str:
    return hashlib.sha256(framed("aquila/2 file number", file_number.encode())).hexdigest()


def _lists(session: Session) -> dict[str, int]:
    """Return the lists and queries that are stored, with their lengths."""
    query = select(ImportRow.import_id, ImportRow.records).where(ImportRow.complete).order_by(ImportRow.import_id)
    return {row.import_id: row.records for row in session.execute(query)}


def _compare_all(store: Store, person: Record) -> tuple[dict[str, int], int, tuple[FoundPerson, ...]]:
    """Compare all records with the person; return the lists, how many records they had, and who was found."""
    search = PersonSearch(load_rules("default"), person)
    with store.reading("subject.lists") as session:
        lists = _lists(session)
    records = sum(_compare(store, import_id, search) for import_id in lists)
    return lists, records, search.found()


def _compare(store: Store, import_id: str, search: PersonSearch) -> int:
    """Compare all records of a list with the person; return how many it has."""
    rows, records = stored_records(store, import_id), 0
    while some := list(islice(rows, _AT_ONCE)):
        places = [(import_id, position) for position, _ in some]
        search.add(places, [Record.from_json(content) for _, content in some])
        records += len(some)
    return records


def _note_records(session: Session, persons: Iterable[FoundPerson], found: _Things) -> set[str]:
    """Note the records that may be the person's; return the digests by which hits know them."""
    digests = set()
    for one in persons:
        row, stored = session.get_one(RecordRow, one.place), session.get_one(ImportRow, one.place[0])
        digests.add(person_digest(row.record_id, json.loads(row.content)))
        place = SubjectPlace.QUERIES if stored.for_query else SubjectPlace.RECORDS
        thing = forms.FoundThing(
            number=row.record_id,
            of=stored.name,
            path=(row.import_id, str(row.position)),
            level=one.grade.level,
            sentences=one.grade.sentences,
        )
        found[place].append(thing)
    return digests


def _note_hits(
    session: Session, persons: Sequence[FoundPerson], digests: Collection[str], found: _Things
) -> Collection[Key]:
    """Note the hits on the records that were found, with their notes and letters, and return their keys."""
    hits: dict[Key, HitRow] = {}
    places, known = [one.place for one in persons], sorted(digests)
    for first in range(0, max(len(places), len(known)), _IN_QUERY):
        some = slice(first, first + _IN_QUERY)
        of_person = HitRow.person.in_(known[some]), tuple_(HitRow.import_id, HitRow.position).in_(places[some])
        hits |= {(hit.round_id, hit.hit_id): hit for hit in session.scalars(select(HitRow).where(or_(*of_person)))}
    for key, hit in sorted(hits.items()):
        thing, exchange = _hit_thing(session, hit), session.get(ExchangeRow, key)
        found[SubjectPlace.HITS].append(thing)
        if exchange is not None and exchange.note is not None:
            found[SubjectPlace.NOTES].append(thing)
        steps = select(HitStepRow).where(HitStepRow.round_id == key[0], HitStepRow.hit_id == key[1])
        for step in session.scalars(steps.where(HitStepRow.kind.in_(_LETTERS)).order_by(HitStepRow.step_id)):
            found[SubjectPlace.LETTERS].append(thing.model_copy(update={"number": step.reference or thing.number}))
    return hits.keys()


def _hit_thing(session: Session, hit: HitRow) -> forms.FoundThing:
    """Return a hit by the party's own number of it, or the beginning of its id where it has none."""
    exchange = session.get(ExchangeRow, (hit.round_id, hit.hit_id))
    number = hit.hit_id[:_SHORT] if exchange is None else exchange.reference
    return forms.FoundThing(number=number, of=hit.counterpart, path=(hit.round_id, hit.hit_id))


def _note_remarks(session: Session, person: Record, found: _Things) -> None:
    """Note the remarks that name the person, by their hits."""
    for step in session.scalars(select(HitStepRow).where(HitStepRow.remark != "").order_by(HitStepRow.step_id)):
        hit = session.get(HitRow, (step.round_id, step.hit_id))
        if hit is not None and name_in(words_of(step.remark), person, inflected=True):
            found[SubjectPlace.REMARKS].append(_hit_thing(session, hit))


def _note_entries(session: Session, person: Record, hits: Mapping[str, Collection[str]], found: _Things) -> None:
    """Note what the log has of hits, by round, and the reasons that name the person."""
    wanted = or_(ENTRIES.c.kind.in_(_WITH_REASON), ENTRIES.c.round_id.in_(sorted(hits)))
    for row in stored_entries(session, wanted):
        entry = row.unchanged()
        if entry is None:
            continue
        named = hits.get(entry.round or "", ())
        if _reason_names(entry, person) or any(one in named for one in entry.ids.values()):
            found[SubjectPlace.LOG].append(forms.FoundThing(number=str(row.index)))


def _reason_names(entry: Entry, person: Record) -> bool:
    texts = () if entry.reason is None else entry.reason.model_dump().values()
    return bool(name_in(words_of(" ".join(filter(None, texts))), person, inflected=True))


def _search_entry(session: Session, actor: Actor, wanted: forms.SubjectDecision, now: int) -> Entry | None:
    """Return the entry of a search that a person made for a file number within a day, as the log has it."""
    looks = ENTRIES.c.kind == EntryKind.CONSULTATION.value, ENTRIES.c.time >= now - _DAY
    for row in stored_entries(session, *looks):
        if wanted.search_id.encode() in (row.content or b"") and (entry := row.unchanged()):
            same = entry.person, entry.ids.get("search"), entry.digests.get("file")
            if same == (actor.person, wanted.search_id, _file_digest(wanted.file_number)):
                return entry
    return None


def _local_day(at: int) -> date:
    return datetime.fromtimestamp(at, UTC).astimezone().date()


def _view(row: SubjectRequestRow) -> forms.AnsweredRequest:
    return forms.AnsweredRequest.of_fields(
        row,
        received=row.received_on,
        due=row.due_on,
        is_late=_local_day(row.answered_at).isoformat() > row.due_on,
        answer=forms.SubjectAnswer(row.answer),
        counts={SubjectPlace(place): count for place, count in row.counts.items()},
    )
