"""Lists of hits for review: a page of those that a filter leaves, all of them for an export, and a person's filters.

The unit of a list is the own person, by number, names and date of birth (`services.node.hits.lifecycle`), with all of
its hits of any party and round. A page reads its own hits and no others: the order is made from keys and short columns,
and records, notes and rules come in one query for the page. Kept filters are stored with the account, seen by nobody
else, and gone when it ends.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    ColumnExpressionArgument,
    Function,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from aquila.audit.entries import EntryKind, Word
from aquila.audit.roles import Action
from aquila.errors import InputError, PolicyError
from aquila.followup.lifecycle import HOUR, LifecycleStepKind, Stage
from aquila.interface import hits as forms
from aquila.interface.records import FoundReference, ReferenceKind
from aquila.interface.sentence import SentenceView
from aquila.protocol.messages import Kind
from aquila.records.rules import RuleTable
from aquila.records.search import search_for
from services.kit.actor import Actor
from services.kit.errors import NotFoundError
from services.kit.people.accounts import names_of
from services.kit.people.tables import AccountRow
from services.kit.storage.row_seals import left_out
from services.kit.storage.store import Store
from services.node.context import Clock, NodeContext
from services.node.hits.lifecycle import hit_row, known_to
from services.node.hits.views import (
    agreeing_parts,
    entry_of,
    hit_view,
    log_consultation,
    query_of,
    rounds_without_report,
    why,
)
from services.node.rounds.reported_hits import Reported, problems_of, reported, some_of
from services.node.storage.tables import (
    EXCHANGE_OF_HIT,
    RECORD_OF_HIT,
    STATUS_OF_HIT,
    ExchangeRow,
    HitRow,
    HitStatusRow,
    HitStepRow,
    RecordRow,
    SavedFilterRow,
)

_ID = re.compile("[0-9a-f]{8,32}")
"""An id, or its beginning as letters and their files have it."""

Key = tuple[str, str]
"""The round and the id of a hit."""

_RANK = case({"high": 0, "medium": 1, "low": 2}, value=HitRow.certainty)
_PERSON: ColumnElement[str] = func.coalesce(HitRow.person, HitRow.round_id + HitRow.hit_id)
"""The own person of a hit; a hit without one is a person of its own."""

_ENDS = (Stage.CLOSED, Stage.REPLACED, Stage.WITHDRAWN)
_UNDECIDED = HitStatusRow.stage.in_([Stage.NEW.value, Stage.ACKNOWLEDGED.value])


class ReadHit(NamedTuple):
    """A hit as it was read for a list: its rows, and the stored own record."""

    hit: HitRow
    life: HitStatusRow
    content: bytes | None
    exchange: ExchangeRow | None

    @property
    def key(self) -> Key:
        """The round and the id of the hit."""
        return self.hit.round_id, self.hit.hit_id

    @property
    def person(self) -> str:
        """As `_PERSON`."""
        return self.hit.person or self.hit.round_id + self.hit.hit_id


def hit_page(node: NodeContext, actor: Actor, wanted: forms.HitSearch) -> forms.HitPage:
    """Return a page of the hits that a filter leaves; that a person looked at them is logged."""
    journal, now = node.journal, node.clock()
    where = conditions(wanted, now, actor)
    with journal.store.reading("hit.list") as session:
        by_stage, overdue = _counts(session, where, now)
        count = session.scalar(_hits_with_status(func.count(_PERSON.distinct())).where(*where)) or 0
        persons = list(session.scalars(_persons(wanted, where).offset(wanted.offset).limit(wanted.limit)))
        keys = _keys_of_persons(session, persons, where)
        rows = _read(session, keys)
        unanswered = rounds_without_report(session, wanted.round_id)
        known = known_to(session, [row.hit.person for row in rows])
        undo = _undo(session, actor, now)
        names = names_of(session, [row.life.assignee for row in rows])
    rounds = _facts(node, rows)
    rows, problems = _agreeing(journal.store, rounds, keys, rows)
    if rows:
        with journal.store.transaction("hit.list_consulted") as session:
            for round_id, seen in by_round(row.key for row in rows):
                log_consultation(session, journal, actor, round_id, seen)
    numbers = {person: number for number, person in enumerate(persons)}
    entries = [_entry(row, rounds, known, names, now, numbers[row.person]) for row in rows]
    return forms.HitPage(
        hits=tuple(entries),
        offset=wanted.offset,
        persons=count,
        total=sum(by_stage.values()),
        by_stage=by_stage,
        overdue=overdue,
        unanswered=unanswered,
        undo=undo,
        problems=problems,
    )


def count(store: Store, clock: Clock, actor: Actor, wanted: forms.HitCountsRequest) -> forms.HitCounts:
    """Return how many own persons each of some filters leaves; no hit is looked at."""
    now = clock()
    counted = [case((and_(true(), *conditions(one, now, actor)), _PERSON)) for one in wanted.filters]
    with store.reading("hit.count") as session:
        found = session.execute(_hits_with_status(*(func.count(one.distinct()) for one in counted))) if counted else ()
        return forms.HitCounts(persons=tuple(number for row in found for number in row))


def neighbours(store: Store, clock: Clock, actor: Actor, wanted: forms.NeighboursRequest) -> forms.HitNeighbours:
    """Return the place of a hit's person in a list, and who comes before and after it; no hit is looked at."""
    now = clock()
    where = conditions(wanted.within, now, actor)
    with store.reading("hit.neighbours") as session:
        hit = hit_row(session, wanted.hit.round_id, wanted.hit.hit_id)
        own = hit.person or hit.round_id + hit.hit_id
        undecided = func.max(case((_UNDECIDED, 1), else_=0))
        rows = session.execute(_persons(wanted.within, where).add_columns(undecided)).all()
        places = [person for person, _ in rows]
        place = places.index(own) if own in places else None
        after = rows if place is None else [*rows[place + 1 :], *rows[:place]]
        open_ones = (person for person, is_open in after if is_open and person != own)
        return forms.HitNeighbours(
            place=None if place is None else place + 1,
            persons=len(rows),
            previous=_first_of(session, places[place - 1], where) if place else None,
            next=_first_of(session, places[place + 1], where) if place is not None and place + 1 < len(rows) else None,
            undecided=_first_of(session, next(open_ones, None), [*where, _UNDECIDED]),
            undo=_undo(session, actor, now),
        )


def _first_of(session: Session, person: str | None, where: Sequence[ColumnElement[bool]]) -> forms.HitKey | None:
    """Return the surest hit of a person that a filter leaves."""
    keys = _keys_of_persons(session, [person], where) if person is not None else []
    return forms.HitKey(round_id=keys[0][0], hit_id=keys[0][1]) if keys else None


def hit_with_others(node: NodeContext, actor: Actor, round_id: str, hit_id: str) -> forms.HitView:
    """Return one hit with its history and the other hits on its person; that a person looked at them is logged."""
    view, now, own = hit_view(node, actor, round_id, hit_id), node.clock(), (round_id, hit_id)
    with node.store.reading("hit.others") as session:
        person = hit_row(session, *own).person
        query = _hits_with_status(HitRow.round_id, HitRow.hit_id).where(HitRow.person == person)
        newest = query.order_by(HitStatusRow.arrived_at.desc(), HitRow.counterpart, HitRow.hit_id)
        found = [(one, hit) for one, hit in session.execute(newest.limit(forms.MOST_OTHERS))]
        keys = [own, *(key for key in found if key != own)]
        rows = _read(session, keys)
        names = names_of(session, [row.life.assignee for row in rows])
    rounds = _facts(node, rows)
    rows, _ = _agreeing(node.store, rounds, keys, rows)
    others = [row.key for row in rows if row.key != own]
    if others:
        with node.store.transaction("hit.others_consulted") as session:
            for one, seen in by_round(others):
                log_consultation(session, node.journal, actor, one, seen)
    entries = {row.key: _entry(row, rounds, {}, names, now) for row in rows}
    return view.model_copy(
        update={"entry": entries.get(own, view.entry), "others": tuple(entries[key] for key in others)}
    )


def persons_of(session: Session, keys: Sequence[Key]) -> int:
    """Return how many own persons some hits are on."""
    return len({person for some in some_of(keys, HitRow) for person in session.scalars(select(_PERSON).where(some))})


def export(node: NodeContext, actor: Actor, wanted: forms.HitSearch) -> forms.HitExport:
    """Return all hits that a filter leaves, with what was decided; that they were exported is logged, by round.

    Raises:
        PolicyError: There are more than one export may have.
    """
    journal, now = node.journal, node.clock()
    where = conditions(wanted, now, actor)
    with journal.store.reading("hit.export_list") as session:
        keys = keys_of(session, wanted, where, forms.MOST_EXPORTED)
        rows = _read(session, keys)
        known = known_to(session, [row.hit.person for row in rows])
        steps = _last_steps(session, keys)
        forged = {(step.round_id, step.hit_id) for step in left_out(session) if isinstance(step, HitStepRow)}
        deciders = [one.person for found in steps.values() for one in found.values()]
        names = names_of(session, [*deciders, *(row.life.assignee for row in rows)])
    rounds = _facts(node, rows)
    rows, problems = _agreeing(journal.store, rounds, keys, [row for row in rows if row.key not in forged])
    if rows:
        with journal.store.transaction("hit.exported_list") as session:
            for round_id, seen in by_round(row.key for row in rows):
                log_consultation(session, journal, actor, round_id, seen)
                # For the party's own use: it has no recipient.
                by, counts = (actor, Action.EXPORT_HITS), {"hits": len(seen)}
                journal.log(session, EntryKind.EXPORT, by, round=round_id, counts=counts, ids={"of": Word.HITS})
    hits = tuple(_exported(_entry(row, rounds, known, names, now), steps.get(row.key, {}), names) for row in rows)
    return forms.HitExport(exported_at=now, hits=hits, problems=problems)


def keys_of(session: Session, wanted: forms.HitFilter, where: Sequence[ColumnElement[bool]], most: int) -> list[Key]:
    """Return the keys of all hits that a filter leaves, in its order."""
    keys = session.execute(_ordered(wanted, where).limit(most + 1)).all()
    if len(keys) > most:
        raise PolicyError("filter_hits_too_many", most=most)
    return [(round_id, hit_id) for round_id, hit_id in keys]


def conditions(wanted: forms.SavedFilter, now: int, actor: Actor) -> list[ColumnElement[bool]]:
    """Return the conditions of a filter, for a query of hits joined with their status."""
    of_lists = HitRow.submission_id.is_(None)
    pairs = [
        (wanted.round_id, HitRow.round_id == wanted.round_id),
        (wanted.counterpart, HitRow.counterpart == wanted.counterpart),
        (wanted.certainty, HitRow.certainty == (wanted.certainty and wanted.certainty.value)),
        (wanted.stage, HitStatusRow.stage == (wanted.stage and wanted.stage.value)),
        (wanted.known, HitStatusRow.known == (wanted.known and wanted.known.value)),
        (
            wanted.whose,
            HitStatusRow.assignee == actor.person if wanted.whose is forms.AssigneeFilter.MINE else _nobodys(),
        ),
        (wanted.indicator, HitRow.indicators.contains(_indicator(wanted.indicator or ""))),
        (wanted.kind, of_lists if wanted.kind is Kind.LIST else ~of_lists),
        (wanted.overdue or None, HitStatusRow.due_at < now),
        (wanted.older_than_hours, HitStatusRow.arrived_at < now - (wanted.older_than_hours or 0) * HOUR),
    ]
    found = [condition for given, condition in pairs if given is not None]
    if wanted.stage is None and wanted.round_id is None and getattr(wanted, "hit", None) is None:
        found.append(HitStatusRow.stage != Stage.REPLACED.value)  # the hit of the later round stands for it
    if isinstance(wanted, forms.HitFilter) and wanted.hit is not None:
        found.append(HitRow.hit_id.startswith(wanted.hit))
    name = wanted.name.strip() if isinstance(wanted, forms.HitSearch) else ""
    return [*found, _named(name)] if name else found


def _indicator(wanted: str) -> str:
    """Return how a hit's indicators have a code, or one of a group."""
    return f" {wanted} " if wanted[1:] else f" {wanted}"


def by_round(keys: Iterable[Key]) -> Iterator[tuple[str, list[str]]]:
    """Yield each round with the ids of its hits."""
    found: dict[str, list[str]] = {}
    for round_id, hit_id in keys:
        found.setdefault(round_id, []).append(hit_id)
    yield from sorted(found.items())


def _nobodys() -> ColumnElement[bool]:
    """Return the condition that nobody looks after a hit on which something is to be done."""
    return HitStatusRow.assignee.is_(None) & HitStatusRow.stage.not_in([stage.value for stage in _ENDS])


def _named(name: str) -> ColumnElement[bool]:
    """Return the condition that the own record has a number, or a name with these parts, or the hit a reference."""
    groups = () if is_number(name) else search_for(name)
    words = [or_(*(RecordRow.words.contains(text) for text in group)) for group in groups]
    found = [HitRow.record_id == name, *referenced(name).values()]
    return or_(*found, exists().where(RECORD_OF_HIT, *words)) if words else or_(*found)


def is_number(text: str) -> bool:
    """Return whether a text that is looked for is a number or reference, since no name holds a digit."""
    return any(letter.isdigit() for letter in text)


def referenced(text: str) -> dict[ReferenceKind, ColumnElement[bool]]:
    """Return the conditions that a hit has a reference, whole and in any case, or an id that begins so, by kind."""
    wanted = text.strip().lower()

    def noted(*kinds: LifecycleStepKind) -> ColumnElement[bool]:
        of_hit = (HitStepRow.round_id == HitRow.round_id) & (HitStepRow.hit_id == HitRow.hit_id)
        named = HitStepRow.kind.in_([kind.value for kind in kinds]), func.lower(HitStepRow.reference) == wanted
        return exists().where(of_hit, *named)

    found: dict[ReferenceKind, ColumnElement[bool]] = {
        ReferenceKind.OWN_NOTE: exists().where(EXCHANGE_OF_HIT, func.lower(ExchangeRow.reference) == wanted),
        ReferenceKind.OTHER_NOTE: exists().where(
            EXCHANGE_OF_HIT, func.lower(ExchangeRow.note["reference"].as_string()) == wanted
        ),
        ReferenceKind.THIRD_NOTE: exists().where(
            EXCHANGE_OF_HIT, func.lower(cast(ExchangeRow.their_third, String)).contains(f'"{wanted}"', autoescape=True)
        ),
        ReferenceKind.CHANNEL: noted(LifecycleStepKind.OPENED, LifecycleStepKind.REFERENCED, LifecycleStepKind.CARRIED),
        ReferenceKind.REPLY: noted(LifecycleStepKind.REPLIED),
        ReferenceKind.REQUEST: noted(LifecycleStepKind.RECEIVED),
        ReferenceKind.ANSWER: noted(LifecycleStepKind.ANSWERED),
        ReferenceKind.PERMISSION: noted(LifecycleStepKind.PERMITTED),
    }
    if _ID.fullmatch(wanted):
        found[ReferenceKind.HIT] = HitRow.hit_id.startswith(wanted)
    return found


def by_reference(session: Session, text: str, most: int) -> Iterator[FoundReference]:
    """Yield the hits that have a reference, the newest first; their records are not read."""
    for kind, condition in referenced(text).items():
        query = _hits_with_status(HitRow.round_id, HitRow.hit_id, HitRow.counterpart).where(condition)
        newest = query.order_by(HitStatusRow.arrived_at.desc(), HitRow.round_id, HitRow.hit_id)
        for round_id, hit_id, counterpart in session.execute(newest.limit(most)):
            yield FoundReference(kind=kind, counterpart=counterpart, round_id=round_id, thing_id=hit_id)


def _hits_with_status(*columns: ColumnElement[Any] | InstrumentedAttribute[Any]) -> Select[Any]:
    return select(*columns).select_from(HitRow).join(HitStatusRow, STATUS_OF_HIT)


def _persons(wanted: forms.HitFilter, where: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """Return the query for the own persons whose hits a filter leaves, in an order in which each has one place."""
    order = _order(wanted.sort, lambda found: found)
    return _hits_with_status(_PERSON).where(*where).group_by(_PERSON).order_by(*order)


def _keys_of_persons(session: Session, persons: Sequence[str], where: Sequence[ColumnElement[bool]]) -> list[Key]:
    """Return the keys of the hits on some persons that a filter leaves: person by person, the surest first."""
    query = _hits_with_status(_PERSON, HitRow.round_id, HitRow.hit_id).where(*where)
    # Two conditions in place of `_PERSON.in_`, so that the index of persons serves them.
    alone = HitRow.person.is_(None) & (HitRow.round_id + HitRow.hit_id).in_(persons)
    query = query.where(HitRow.person.in_(persons) | alone)
    rows = session.execute(query.order_by(_RANK, HitRow.counterpart, HitRow.round_id, HitRow.hit_id))
    found: dict[str, list[Key]] = {person: [] for person in persons}
    for person, round_id, hit_id in rows:
        found[person].append((round_id, hit_id))
    return [key for keys in found.values() for key in keys]


def _ordered(wanted: forms.HitFilter, where: Sequence[ColumnElement[bool]]) -> Select[str, str]:
    """Return the query for the keys of hits, person by person, in an order in which each has one place."""
    order = _order(wanted.sort, lambda found: found.over(partition_by=_PERSON))
    query = _hits_with_status(HitRow.round_id, HitRow.hit_id).where(*where)
    return query.order_by(*order, _RANK, HitRow.counterpart, HitRow.round_id, HitRow.hit_id)


def _order(
    sort: forms.HitSort, of_person: Callable[[Function[Any]], ColumnElement[Any]]
) -> tuple[ColumnExpressionArgument[Any], ...]:
    """Return by what persons are ordered.

    Args:
        of_person: Makes a value of a person from an aggregate over its hits.
    """
    surest, number = of_person(func.min(_RANK)), of_person(func.min(HitRow.record_id))
    newest, due = of_person(func.max(HitStatusRow.arrived_at)).desc(), of_person(func.min(HitStatusRow.due_at))
    words = select(RecordRow.words).where(RECORD_OF_HIT).correlate(HitRow).scalar_subquery()
    orders: dict[forms.HitSort, tuple[ColumnExpressionArgument[Any], ...]] = {
        forms.HitSort.NEWEST: (newest, surest, number),
        forms.HitSort.CERTAINTY: (surest, newest, number),
        forms.HitSort.DUE: (due.is_(None), due, surest, number),
        forms.HitSort.NAME: (of_person(func.min(func.coalesce(words, ""))), number, newest),
        forms.HitSort.PARTY: (of_person(func.min(HitRow.counterpart)), newest, surest, number),
    }
    return (*orders[sort], _PERSON)


def _counts(session: Session, where: Sequence[ColumnElement[bool]], now: int) -> tuple[dict[str, int], int]:
    """Return the number of hits at each stage, and the number of those that are overdue."""
    late = func.sum(case((HitStatusRow.due_at < now, 1), else_=0))
    query = _hits_with_status(HitStatusRow.stage, func.count(), late).where(*where)
    rows = session.execute(query.group_by(HitStatusRow.stage)).all()
    return {stage: count for stage, count, _ in rows}, sum(overdue for *_, overdue in rows)


def _read(session: Session, keys: Sequence[Key]) -> list[ReadHit]:
    """Return hits in the order of their keys, some hundred with one query."""
    query = (
        select(HitRow, HitStatusRow, RecordRow.content, ExchangeRow)
        .join(HitStatusRow, STATUS_OF_HIT)
        .outerjoin(RecordRow, RECORD_OF_HIT)
        .outerjoin(ExchangeRow, EXCHANGE_OF_HIT)
    )
    found: dict[Key, ReadHit] = {}
    for some in some_of(keys, HitRow):
        for row in session.execute(query.where(some)):
            one = ReadHit(*row)
            found[one.key] = one
    return [found[key] for key in keys if key in found]


class _RoundFacts(NamedTuple):
    """Match rules, queries by submission id, and signed reports of a round."""

    table: RuleTable
    queries: dict[str, forms.HitQuery]
    reported: Reported


def _facts(node: NodeContext, rows: Iterable[ReadHit]) -> dict[str, _RoundFacts]:
    """Return the match rules of the rounds of these hits, the queries that the hits come from, and the reports."""
    asked: dict[str, set[str | None]] = {}
    for row in rows:
        asked.setdefault(row.hit.round_id, set()).add(row.hit.submission_id)
    facts: dict[str, _RoundFacts] = {}
    for round_id, submissions in sorted(asked.items()):
        with node.rounds.reading(round_id) as round_:
            queries = {one: found for one in submissions if one and (found := query_of(node.code, round_, one))}
            facts[round_id] = _RoundFacts(
                node.table_of(round_.manifest), queries, reported(node.rounds, node.code, round_id)
            )
    return facts


def _agreeing(
    store: Store, rounds: Mapping[str, _RoundFacts], keys: Sequence[Key], rows: Sequence[ReadHit]
) -> tuple[list[ReadHit], tuple[SentenceView, ...]]:
    """Return the hits of which the signed reports say the same, and what is to be said of the others."""
    agreeing = [row for row in rows if rounds[row.hit.round_id].reported.agrees(row.hit)]
    with store.reading("hit.problems") as session:
        said = {round_id: facts.reported for round_id, facts in rounds.items()}
        return agreeing, problems_of(session, said, sorted(set(keys) - {row.key for row in agreeing}))


def _entry(
    row: ReadHit,
    rounds: Mapping[str, _RoundFacts],
    known: Mapping[str, tuple[str, ...]],
    names: Mapping[str, str],
    now: int,
    person: int | None = None,
) -> forms.HitEntry:
    facts = rounds[row.hit.round_id]
    more = {
        "reasons": why(row.hit.families, row.exchange, facts.table),
        "parts": tuple(part.name for part in agreeing_parts(row.exchange, facts.table)),
        "query": facts.queries.get(row.hit.submission_id or ""),
        "known_to": known.get(row.hit.person or "", ()),
        "assignee_name": names.get(row.life.assignee or "", ""),
        "person": person,
    }
    return entry_of(row.hit, row.life, row.content, now).model_copy(update=more)


def _undo(session: Session, actor: Actor, now: int) -> forms.UndoView | None:
    """Return a person's last decision that no other step followed, as long as it is offered to undo it."""
    mine = HitStatusRow.undo_person == actor.person
    number = session.scalar(select(func.max(HitStatusRow.undo_number)).where(mine))
    first = session.get(HitStepRow, number) if number is not None else None
    if number is None or first is None or first.at < now - forms.UNDO_HOURS * HOUR:
        return None
    hits = session.scalar(select(func.count()).where(mine, HitStatusRow.undo_number == number)) or 0
    return forms.UndoView(number=number, decision=first.value, hits=hits)


def _last_steps(session: Session, keys: Sequence[Key]) -> dict[Key, dict[str, HitStepRow]]:
    """Return the last decision and the last follow-up of each hit, by the kind of the step."""
    kinds = [LifecycleStepKind.DECIDED.value, LifecycleStepKind.OPENED.value, LifecycleStepKind.REFERENCED.value]
    found: dict[Key, dict[str, HitStepRow]] = {}
    for some in some_of(keys, HitStepRow):
        query = select(HitStepRow).where(some, HitStepRow.kind.in_(kinds))
        for step in session.scalars(query.order_by(HitStepRow.step_id)):
            found.setdefault((step.round_id, step.hit_id), {})[step.kind] = step
    return found


def _exported(entry: forms.HitEntry, steps: Mapping[str, HitStepRow], names: Mapping[str, str]) -> forms.ExportedHit:
    decided = steps.get(LifecycleStepKind.DECIDED) if entry.decision else None
    opened = steps.get(LifecycleStepKind.OPENED)
    reference = steps.get(LifecycleStepKind.REFERENCED) or opened
    return forms.ExportedHit(
        entry=entry,
        channel=opened.value if opened else None,
        reference=reference.reference if reference else "",
        decided_at=decided.at if decided else None,
        decided_by=names.get(decided.person, decided.person) if decided else "",
        remark=decided.remark if decided else "",
    )


def list_views(store: Store, actor: Actor) -> forms.SavedFilters:
    """Return a person's own views, by name."""
    query = select(SavedFilterRow).where(SavedFilterRow.person == actor.person)
    with store.reading("view.list") as session:
        rows = session.scalars(query.order_by(SavedFilterRow.name, SavedFilterRow.view_id)).all()
    return forms.SavedFilters(views=tuple(map(_saved_view, rows)))


def save_view(
    store: Store, random: Callable[[int], bytes], actor: Actor, wanted: forms.NewFilter
) -> forms.SavedFilterView:
    """Keep a view, in place of an own one of the same name."""
    mine = SavedFilterRow.person == actor.person
    shows = wanted.shows.model_dump(mode="json", exclude_none=True)
    with store.transaction("view.save") as session:
        row = session.scalar(select(SavedFilterRow).where(mine, SavedFilterRow.name == wanted.name))
        if row is None:
            if (session.scalar(select(func.count()).where(mine)) or 0) >= forms.MOST_SAVED:
                raise InputError("views_too_many", expected=forms.MOST_SAVED)
            row = SavedFilterRow(view_id=random(16).hex(), person=actor.person, name=wanted.name, shows=shows)
            session.add(row)
        row.shows = shows
        return _saved_view(row)


def remove_view(store: Store, actor: Actor, view_id: str) -> None:
    """Remove an own view; raises NotFoundError if the person keeps no such view."""
    with store.transaction("view.remove") as session:
        row = session.get(SavedFilterRow, view_id)
        if row is None or row.person != actor.person:
            raise NotFoundError("view_unknown")
        session.delete(row)


def forget_views(store: Store) -> bool:
    """Remove the views of accounts that were ended, and return whether there were any."""
    ended = select(AccountRow.person).where(~AccountRow.active)
    return store.remove("view.forget", SavedFilterRow, SavedFilterRow.person.in_(ended))


def _saved_view(row: SavedFilterRow) -> forms.SavedFilterView:
    return forms.SavedFilterView(view_id=row.view_id, name=row.name, shows=forms.SavedFilter.model_validate(row.shows))
