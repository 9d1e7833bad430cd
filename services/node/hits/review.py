"""Lists of hits for review: a page of those that a filter leaves, all of them for an export, and a person's filters.

A page reads its own hits and no others: the order is made from keys and short columns, and records, notes and rules
come in one query for the page. Kept filters are stored with the account, seen by nobody else, and gone when it ends.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, ColumnExpressionArgument, Select, case, delete, exists, func, or_, select
from sqlalchemy.orm import Session

from aquila.audit.entries import EntryKind, Word
from aquila.audit.roles import Action
from aquila.errors import InputError, PolicyError
from aquila.followup.lifecycle import HOUR, LifecycleStepKind, Stage
from aquila.interface import hits as forms
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
from services.node.context import NodeContext
from services.node.hits.lifecycle import known_to
from services.node.hits.views import agreeing_parts, entry_of, log_consultation, query_of, rounds_without_report, why
from services.node.rounds.reported_hits import Reported, problems_of, reported, some_of
from services.node.storage.tables import (
    STATUS_OF_HIT,
    ExchangeRow,
    HitRow,
    HitStatusRow,
    HitStepRow,
    RecordRow,
    SavedFilterRow,
)

Key = tuple[str, str]
"""The round and the id of a hit."""

_RANK = case({"high": 0, "medium": 1, "low": 2}, value=HitRow.certainty)
_OWN_RECORD = (RecordRow.import_id == HitRow.import_id) & (RecordRow.position == HitRow.position)


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


def hit_page(node: NodeContext, actor: Actor, wanted: forms.HitSearch) -> forms.HitPage:
    """Return a page of the hits that a filter leaves; that a person looked at them is logged."""
    journal, now = node.journal, node.clock()
    where = conditions(wanted, now, actor)
    with journal.store.reading("hit.list") as session:
        by_stage, overdue = _counts(session, where, now)
        page = _ordered(wanted, where).offset(wanted.offset).limit(wanted.limit)
        keys = [(round_id, hit_id) for round_id, hit_id in session.execute(page)]
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
    return forms.HitPage(
        hits=tuple(_entry(row, rounds, known, names, now) for row in rows),
        offset=wanted.offset,
        total=sum(by_stage.values()),
        by_stage=by_stage,
        overdue=overdue,
        unanswered=unanswered,
        undo=undo,
        problems=problems,
    )


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
    """Return the keys of all hits that a filter leaves, in its order.

    Raises:
        PolicyError: There are more than are decided or exported at once.
    """
    keys = session.execute(_ordered(wanted, where).limit(most + 1)).all()
    if len(keys) > most:
        raise PolicyError("filter_hits_too_many", most=most)
    return [(round_id, hit_id) for round_id, hit_id in keys]


def conditions(wanted: forms.HitFilter, now: int, actor: Actor) -> list[ColumnElement[bool]]:
    """Return the conditions of a filter, for a query of hits joined with their status."""
    of_lists = HitRow.submission_id.is_(None)
    pairs = [
        (wanted.round_id, HitRow.round_id == wanted.round_id),
        (wanted.hit, HitRow.hit_id.startswith(wanted.hit or "")),
        (wanted.counterpart, HitRow.counterpart == wanted.counterpart),
        (wanted.certainty, HitRow.certainty == (wanted.certainty and wanted.certainty.value)),
        (wanted.stage, HitStatusRow.stage == (wanted.stage and wanted.stage.value)),
        (wanted.known, HitStatusRow.known == (wanted.known and wanted.known.value)),
        (
            wanted.whose,
            HitStatusRow.assignee == actor.person if wanted.whose is forms.AssigneeFilter.MINE else _nobodys(),
        ),
        (wanted.kind, of_lists if wanted.kind is Kind.LIST else ~of_lists),
        (wanted.overdue or None, HitStatusRow.due_at < now),
        (wanted.older_than_hours, HitStatusRow.arrived_at < now - (wanted.older_than_hours or 0) * HOUR),
    ]
    name = wanted.name.strip() if isinstance(wanted, forms.HitSearch) else ""
    return [condition for given, condition in pairs if given is not None] + ([_named(name)] if name else [])


def by_round(keys: Iterable[Key]) -> Iterator[tuple[str, list[str]]]:
    """Yield each round with the ids of its hits."""
    found: dict[str, list[str]] = {}
    for round_id, hit_id in keys:
        found.setdefault(round_id, []).append(hit_id)
    yield from sorted(found.items())


def _nobodys() -> ColumnElement[bool]:
    """Return the condition that nobody looks after a hit on which something is to be done."""
    return HitStatusRow.assignee.is_(None) & HitStatusRow.stage.not_in([Stage.CLOSED.value, Stage.WITHDRAWN.value])


def _named(name: str) -> ColumnElement[bool]:
    """Return the condition that the own record has a number, or a name with these parts."""
    groups = search_for(name)
    words = [or_(*(RecordRow.words.contains(text) for text in group)) for group in groups]
    number = HitRow.record_id == name
    return or_(number, exists().where(_OWN_RECORD, *words)) if words else number


def _ordered(wanted: forms.HitFilter, where: Sequence[ColumnElement[bool]]) -> Select[str, str]:
    """Return the query for the keys of hits in an order in which each has one place."""
    surest = func.min(_RANK).over(partition_by=(HitRow.round_id, HitRow.record_id))
    person = surest, HitRow.record_id, _RANK, HitRow.round_id, HitRow.hit_id
    newest = HitStatusRow.arrived_at.desc()
    name = select(RecordRow.words).where(_OWN_RECORD).correlate(HitRow).scalar_subquery()
    orders: dict[forms.HitSort, tuple[ColumnExpressionArgument[Any], ...]] = {
        forms.HitSort.NEWEST: (newest, *person),
        forms.HitSort.CERTAINTY: (surest, newest, *person[1:]),
        forms.HitSort.DUE: (HitStatusRow.due_at.is_(None), HitStatusRow.due_at, *person),
        forms.HitSort.NAME: (func.coalesce(name, ""), HitRow.record_id, newest, *person[2:]),
        forms.HitSort.PARTY: (HitRow.counterpart, newest, *person),
    }
    return (
        select(HitRow.round_id, HitRow.hit_id)
        .join(HitStatusRow, STATUS_OF_HIT)
        .where(*where)
        .order_by(*orders[wanted.sort])
    )


def _counts(session: Session, where: Sequence[ColumnElement[bool]], now: int) -> tuple[dict[str, int], int]:
    """Return the number of hits at each stage, and the number of those that are overdue."""
    late = func.sum(case((HitStatusRow.due_at < now, 1), else_=0))
    query = (
        select(HitStatusRow.stage, func.count(), late)
        .select_from(HitRow)
        .join(HitStatusRow, STATUS_OF_HIT)
        .where(*where)
    )
    rows = session.execute(query.group_by(HitStatusRow.stage)).all()
    return {stage: count for stage, count, _ in rows}, sum(overdue for *_, overdue in rows)


def _read(session: Session, keys: Sequence[Key]) -> list[ReadHit]:
    """Return hits in the order of their keys, some hundred with one query."""
    query = (
        select(HitRow, HitStatusRow, RecordRow.content, ExchangeRow)
        .join(HitStatusRow, STATUS_OF_HIT)
        .outerjoin(RecordRow, _OWN_RECORD)
        .outerjoin(ExchangeRow, (ExchangeRow.round_id == HitRow.round_id) & (ExchangeRow.hit_id == HitRow.hit_id))
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
) -> forms.HitEntry:
    facts = rounds[row.hit.round_id]
    more = {
        "reasons": why(row.hit.families, row.exchange, facts.table),
        "parts": tuple(part.name for part in agreeing_parts(row.exchange, facts.table)),
        "query": facts.queries.get(row.hit.submission_id or ""),
        "known_to": known.get(row.hit.person or "", ()),
        "assignee_name": names.get(row.life.assignee or "", ""),
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
    """Keep a view, in place of an own one of the same name.

    Raises:
        InputError: The person keeps as many as one can.
    """
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
    ended = SavedFilterRow.person.in_(select(AccountRow.person).where(~AccountRow.active))
    with store.reading("view.ended") as session:
        found = session.scalars(select(SavedFilterRow.view_id).where(ended).limit(1)).first()
    if found is not None:
        with store.transaction("view.forget") as session:
            session.execute(delete(SavedFilterRow).where(ended))
    return found is not None


def _saved_view(row: SavedFilterRow) -> forms.SavedFilterView:
    return forms.SavedFilterView(view_id=row.view_id, name=row.name, shows=forms.SavedFilter.model_validate(row.shows))
