"""Lives of hits in the store: begun when a report comes, and taken further step by step, each with its log entry.

The core decides what a step does (`aquila.followup.lifecycle`); the row beside the steps is only what lists look at.

A hit on a pair that was decided on in an earlier round carries that decision, and is not new work. One that had no
decision is replaced by the hit that comes, which takes over who looks after it, and its remarks. A pair is an own
person and a counterpart. The counterpart's record has no name that lasts: a hit's id and its sealed reference are drawn
anew in each round. So where a person has several hits with one counterpart, only those that agree in level and evidence
are paired, and the others are new.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from aquila.audit.entries import Entry, EntryKind, Word
from aquila.audit.roles import Action
from aquila.followup.lifecycle import Decision, Ground, HitLifecycle, LifecycleStep, LifecycleStepKind, Stage, Urgency
from aquila.interface.hits import KnownPair
from aquila.protocol.encoding import framed
from services.kit.actor import Actor
from services.kit.errors import ForgedRowError, NotFoundError
from services.kit.log import entries
from services.kit.log.entries import Journal
from services.kit.storage.row_seals import REFUSED
from services.node.context import Clock
from services.node.round_memory import round_row
from services.node.rounds import work
from services.node.storage.states import Step
from services.node.storage.tables import STATUS_OF_HIT, HitRow, HitStatusRow, HitStepRow, WithdrawalRow

_KINDS: Mapping[LifecycleStepKind, EntryKind] = {
    LifecycleStepKind.CARRIED: EntryKind.HIT_DECIDED,
    LifecycleStepKind.REPLACED: EntryKind.HIT_DECIDED,
    LifecycleStepKind.ACKNOWLEDGED: EntryKind.HIT_ACKNOWLEDGED,
    LifecycleStepKind.DECIDED: EntryKind.HIT_DECIDED,
    LifecycleStepKind.UNDONE: EntryKind.HIT_DECIDED,
    LifecycleStepKind.ASSIGNED: EntryKind.HIT_ACKNOWLEDGED,
    LifecycleStepKind.REMARKED: EntryKind.HIT_DECIDED,
    LifecycleStepKind.OPENED: EntryKind.FOLLOW_UP,
    LifecycleStepKind.REFERENCED: EntryKind.FOLLOW_UP,
    LifecycleStepKind.REPLIED: EntryKind.FOLLOW_UP,
    LifecycleStepKind.PERMITTED: EntryKind.EXPORT_PERMITTED,
    LifecycleStepKind.EXPORTED: EntryKind.EXPORT,
    LifecycleStepKind.REMINDED: EntryKind.FOLLOW_UP,
    LifecycleStepKind.RECEIVED: EntryKind.FOLLOW_UP,
    LifecycleStepKind.ANSWERED: EntryKind.FOLLOW_UP,
    LifecycleStepKind.CLOSED: EntryKind.FOLLOW_UP_CLOSED,
    LifecycleStepKind.REOPENED: EntryKind.FOLLOW_UP,
    LifecycleStepKind.WITHDRAWN: EntryKind.WITHDRAWAL,
}
_ACTIONS: Mapping[LifecycleStepKind, Action] = dict.fromkeys(LifecycleStepKind, Action.DECIDE_HITS) | {
    LifecycleStepKind.EXPORTED: Action.EXPORT_HITS,
    LifecycleStepKind.WITHDRAWN: Action.WITHDRAW_HITS,
}
_VALUES: Mapping[LifecycleStepKind, Word] = {
    LifecycleStepKind.UNDONE: Word.UNDONE,
    LifecycleStepKind.ASSIGNED: Word.ASSIGNED,
    LifecycleStepKind.REMARKED: Word.REMARKED,
    LifecycleStepKind.REOPENED: Word.REOPENED,
    LifecycleStepKind.REPLIED: Word.REPLIED,
    LifecycleStepKind.REMINDED: Word.REMINDED,
    LifecycleStepKind.RECEIVED: Word.RECEIVED,
    LifecycleStepKind.ANSWERED: Word.ANSWERED,
}
"""The word of a step that shares its kind of entry with another one and has no word of its own as its value."""

_ENDS = frozenset({Stage.CLOSED, Stage.WITHDRAWN})
_TOLD_AFTER = 86_400  # seconds; ends are told with the outcomes


def start_lifecycle(session: Session, clock: Clock, hits: Iterable[HitRow], *, urgent: bool = False) -> None:
    """Begin the lives of hits that come now, in the transaction that stores them.

    `urgent` is for hits of a query that its asker signed as urgent.
    """
    now = clock()
    life = HitLifecycle.of(now)
    session.flush()  # the hits are there before what refers to them
    session.add_all(
        HitStatusRow(
            round_id=hit.round_id,
            hit_id=hit.hit_id,
            arrived_at=now,
            stage=life.stage.value,
            due_at=life.due_at,
            urgent=urgent,
        )
        for hit in hits
    )


def hit_row(session: Session, round_id: str, hit_id: str) -> HitRow:
    """Return a hit; raises NotFoundError if the node holds no such hit."""
    hit = session.get(HitRow, (round_id, hit_id))
    if hit is None:
        raise NotFoundError("hit_unknown")
    return hit


def status_row(session: Session, hit: HitRow) -> HitStatusRow:
    return session.get_one(HitStatusRow, (hit.round_id, hit.hit_id))


def steps_of(session: Session, hit: HitRow) -> Sequence[HitStepRow]:
    """Return the steps taken on a hit, in their order.

    Raises:
        ForgedRowError: The service did not write one of them: without it, the hit would have another history.
    """
    query = select(HitStepRow).where(HitStepRow.round_id == hit.round_id, HitStepRow.hit_id == hit.hit_id)
    return session.scalars(query.order_by(HitStepRow.step_id).execution_options(**{REFUSED: True})).all()


def lifecycle_of(session: Session, hit: HitRow) -> HitLifecycle:
    return HitLifecycle.of(status_row(session, hit).arrived_at, map(step_of, steps_of(session, hit)))


def apply_step(
    session: Session, journal: Journal, hit: HitRow, step: LifecycleStep, by: Actor | None, *, number: int | None = None
) -> int:
    """Take a hit one step further, with the log's entry, in the caller's transaction; return the step's number.

    `by` is None where the step is the statement of the counterpart. `number` is the first step of the decisions that
    are taken together with this one; None if it is the first.

    Raises:
        OrderError: The step is not possible now.
    """
    life = lifecycle_of(session, hit).after(step)
    taken = _row(hit, step)
    session.add(taken)
    session.flush()
    row = status_row(session, hit)
    row.stage, row.due_at = life.stage.value, life.due_at
    row.decision, row.outcome, row.assignee = life.decision, life.outcome, life.assignee or None
    undoable = life.before is not None
    row.undo_person, row.undo_number = (step.person, number or taken.step_id) if undoable else (None, None)
    if life.stage in _ENDS or step.kind is LifecycleStepKind.REOPENED:
        record_outcome(session, journal.clock, hit.round_id)
    elif step.kind is LifecycleStepKind.OPENED:
        tell_later(session, journal.clock, hit.round_id, _TOLD_AFTER)
    entries.append(session, _entry(journal.code, hit, step, by))
    return taken.step_id


def add_withdrawal(
    session: Session, round_id: str, hit_id: str, counterpart: str, ground: Ground, at: int, *, late: bool
) -> None:
    """Have the counterpart of a hit informed that this party withdraws it."""
    place = {"round_id": round_id, "hit_id": hit_id, "counterpart": counterpart}
    session.add(WithdrawalRow(own=True, ground=ground.value, late=late, at=at, known=True, **place))
    work.wake(session, round_id)


def record_outcome(session: Session, clock: Clock, round_id: str) -> None:
    """Mark the matcher's outcome counts as outdated; a step of the driver sends new ones some hours later."""
    row = round_row(session, round_id)
    if row.outcomes_changed_at is None:
        row.outcomes_changed_at = clock()
        work.put(session, round_id, Step.LOOK)  # which puts itself off for these hours


def tell_later(session: Session, clock: Clock, round_id: str, seconds: int) -> None:
    """Have counterparts told of hits in some time, so that one statement tells of many (PROTOCOL.md 3.11.6)."""
    row, at = round_row(session, round_id), clock() + seconds
    if row.follow_ups_at is None or at < row.follow_ups_at:
        row.follow_ups_at = at
        work.put(session, round_id, Step.LOOK)


def _entry(code: str, hit: HitRow, step: LifecycleStep, by: Actor | None) -> Entry:
    ids: dict[str, object] = {"hit": hit.hit_id, "counterpart": hit.counterpart}
    ids |= {"value": _VALUES.get(step.kind) or Word(step.value)} if step.value or step.kind in _VALUES else {}
    ids |= {"account": step.reference} if step.kind is LifecycleStepKind.ASSIGNED and step.reference else {}
    ids |= {"urgency": Word(step.urgency.value)} if step.urgency else {}
    person = {} if by is None else entries.actor_fields(by, _ACTIONS[step.kind])
    # Whose act it was: a withdrawal by the counterpart is the counterpart's, and ours is to have marked it.
    ids |= {} if person else {"party": hit.counterpart}
    to = (
        hit.counterpart
        if step.kind in {LifecycleStepKind.EXPORTED, LifecycleStepKind.WITHDRAWN} and by is not None
        else None
    )
    return Entry.of(
        _KINDS[step.kind], step.at, code, round=hit.round_id, recipient=to, counts={"hits": 1}, ids=ids, **person
    )


def newest(kind: LifecycleStepKind, of: InstrumentedAttribute[int]) -> ColumnElement[int]:
    """Return, for a query grouped by hits, the greatest number or time of their steps of a kind; 0 where none is."""
    return func.max(case((HitStepRow.kind == kind.value, of), else_=0))


def step_of(row: HitStepRow) -> LifecycleStep:
    return LifecycleStep(
        LifecycleStepKind(row.kind),
        row.at,
        row.person,
        row.value,
        row.reference,
        Urgency(row.urgency) if row.urgency else None,
        row.remark,
    )


_AT_ONCE = 500
_IDENTITY = ("given_names", "family_names", "full_name", "date_of_birth")
_ASKED = (LifecycleStepKind.RECEIVED.value, LifecycleStepKind.ANSWERED.value)
_UNDECIDED = (Stage.NEW.value, Stage.ACKNOWLEDGED.value)
_CARRYING = (Stage.DECIDED.value, Stage.FOLLOW_UP.value, Stage.CLOSED.value, Stage.KNOWN.value)

Pair = tuple[str, str, bool]
"""The digest of an own person, the counterpart, and whether the hit is a query's."""


def person_digest(record_id: str, record: Mapping[str, object]) -> str:
    """Return the digest of an own record's number, names and date of birth.

    The number alone does not identify a person: a list may number its rows, and then another person has the number in
    the next one. The digest is as personal as the record, and is erased with its hit.
    """
    identity = [record_id, *(record.get(name) for name in _IDENTITY)]
    content = json.dumps(identity, ensure_ascii=False, separators=(",", ":")).encode()
    return hashlib.sha256(framed("aquila/2 own person", content)).hexdigest()


def known_to(session: Session, persons: Collection[str | None]) -> dict[str, tuple[str, ...]]:
    """Return the parties that have a hit on each of these own persons, in any round; one query for all of them.

    Hits that were withdrawn, or decided to be about another person, do not count.
    """
    wanted = sorted({person for person in persons if person is not None})
    query = (
        select(HitRow.person, HitRow.counterpart)
        .join(HitStatusRow, STATUS_OF_HIT)
        .where(
            HitRow.person.in_(wanted),
            HitStatusRow.stage != Stage.WITHDRAWN.value,
            HitStatusRow.decision.is_distinct_from(Decision.OTHER.value),
        )
        .distinct()
        .order_by(HitRow.person, HitRow.counterpart)
    )
    found: dict[str, tuple[str, ...]] = {}
    for person, party in session.execute(query) if wanted else ():
        found[str(person)] = (*found.get(str(person), ()), party)
    return found


def carry(session: Session, journal: Journal, round_id: str, hits: Collection[HitRow]) -> int:
    """Carry earlier decisions to the hits that come now, and let these replace earlier ones without a decision.

    It is done in the transaction that stores the hits, whose lives have begun.

    Returns:
        How many decisions are carried.
    """
    now, coming = journal.clock(), [hit for hit in hits if hit.person is not None]
    carried, replaced = Counter[str](), Counter[str]()
    for stages, take, counts in ((_CARRYING, _carry, carried), (_UNDECIDED, _replace, replaced)):
        pairs, taken = _by_pair(coming), set[str]()
        for pair, earlier in _earlier(session, round_id, pairs, stages):
            for hit, before in _matched(pairs[pair], earlier):
                # One whose history somebody else changed is as if it were not there: then the hit is new.
                with suppress(ForgedRowError):
                    take(session, now, hit, before)
                    counts[hit.counterpart] += 1
                    taken.add(hit.hit_id)
        coming = [hit for hit in coming if hit.hit_id not in taken]
        word = Word.CARRIED if take is _carry else Word.REPLACED
        for counterpart, count in sorted(counts.items()):
            ids = {"value": word, "counterpart": counterpart}
            journal.log(session, EntryKind.HIT_DECIDED, round=round_id, counts={"hits": count}, ids=ids)
    if carried:
        record_outcome(session, journal.clock, round_id)
    return carried.total()


def mark_first(session: Session, hits: Collection[HitRow]) -> None:
    """Mark the hits of a standing query whose pair no earlier report had, in the transaction that stores them.

    The hits are those of one query, and their lives have begun.
    """
    coming = {hit.hit_id for hit in hits}
    persons = sorted({hit.person for hit in hits if hit.person is not None})
    query = (
        select(HitRow.hit_id, HitRow.person, HitRow.counterpart)
        .join(HitStatusRow, STATUS_OF_HIT)
        .where(HitRow.person.in_(persons), HitStatusRow.stage != Stage.WITHDRAWN.value)
    )
    earlier = {(person, party) for hit_id, person, party in session.execute(query) if hit_id not in coming}
    for hit in hits:
        if hit.person is not None and (hit.person, hit.counterpart) not in earlier:
            status_row(session, hit).first = True


def _by_pair(hits: Iterable[HitRow]) -> dict[Pair, list[HitRow]]:
    found: dict[Pair, list[HitRow]] = {}
    for hit in hits:
        found.setdefault((hit.person or "", hit.counterpart, hit.submission_id is not None), []).append(hit)
    return found


def _earlier(
    session: Session, round_id: str, wanted: Collection[Pair], stages: Collection[str]
) -> Iterator[tuple[Pair, list[HitRow]]]:
    """Yield each pair with its hits at some stages of the newest earlier round that has any."""
    persons = sorted({person for person, *_ in wanted})
    for first in range(0, len(persons), _AT_ONCE):
        query = (
            select(HitRow)
            .join(HitStatusRow, STATUS_OF_HIT)
            .where(
                HitRow.person.in_(persons[first : first + _AT_ONCE]),
                HitRow.round_id != round_id,
                HitStatusRow.stage.in_(stages),
            )
            .order_by(HitStatusRow.arrived_at.desc(), HitRow.round_id, HitRow.hit_id)
        )
        for pair, hits in _by_pair(session.scalars(query)).items():
            if pair in wanted:
                yield pair, [hit for hit in hits if hit.round_id == hits[0].round_id]


def _matched(coming: Sequence[HitRow], earlier: Sequence[HitRow]) -> Iterator[tuple[HitRow, HitRow]]:
    """Yield hits of one pair with those of which they are the return."""
    if len(coming) == len(earlier) == 1:
        yield coming[0], earlier[0]
        return
    alike: dict[tuple[str, frozenset[str]], tuple[list[HitRow], list[HitRow]]] = {}
    for place, hits in enumerate((coming, earlier)):
        for hit in hits:
            alike.setdefault((hit.certainty, frozenset(hit.families)), ([], []))[place].append(hit)
    for now, before in alike.values():
        if len(now) == len(before) == 1:
            yield now[0], before[0]


def _carry(session: Session, now: int, hit: HitRow, before: HitRow) -> None:
    """Carry the decision, the follow-up and the outcome of an earlier hit."""
    earlier, status = lifecycle_of(session, before), status_row(session, hit)
    step = LifecycleStepKind.CARRIED
    values = [(earlier.decision, ""), (earlier.channel, earlier.reference), (earlier.outcome, "")]
    steps = [LifecycleStep(step, now, "", value.value, reference) for value, reference in values if value is not None]
    life = HitLifecycle.of(status.arrived_at, steps)
    session.add_all(_row(hit, one) for one in steps)
    status.stage, status.due_at, status.decision, status.outcome = life.stage.value, None, life.decision, life.outcome
    status.known = _change(hit, before).value
    status.earlier_round_id, status.earlier_hit_id = before.round_id, before.hit_id


def _replace(session: Session, now: int, hit: HitRow, before: HitRow) -> None:
    """Let a hit stand for an earlier one without a decision, with its remarks and who looks after it.

    What the counterpart asked about the earlier one is still to be answered.
    """
    earlier, status, old = lifecycle_of(session, before), status_row(session, hit), status_row(session, before)
    steps = [
        LifecycleStep(LifecycleStepKind.REMARKED, step.at, step.person, remark=step.remark)
        for step in steps_of(session, before)
        if step.remark and step.kind not in _ASKED
    ]
    steps += [step_of(step) for step in steps_of(session, before) if step.kind in _ASKED]
    if earlier.assignee:
        steps.append(LifecycleStep(LifecycleStepKind.ASSIGNED, now, "", reference=earlier.assignee))
    session.add_all(_row(hit, one) for one in steps)
    session.add(_row(before, LifecycleStep(LifecycleStepKind.REPLACED, now, "")))
    life = HitLifecycle.of(status.arrived_at, steps)
    status.due_at = life.due_at
    status.assignee, status.earlier_round_id, status.earlier_hit_id = old.assignee, before.round_id, before.hit_id
    status.first = old.first  # what a standing query found still waits
    old.stage, old.due_at, old.undo_person, old.undo_number = Stage.REPLACED.value, None, None, None


def _row(hit: HitRow, step: LifecycleStep) -> HitStepRow:
    return HitStepRow(
        round_id=hit.round_id,
        hit_id=hit.hit_id,
        kind=step.kind.value,
        at=step.at,
        person=step.person,
        value=step.value,
        reference=step.reference,
        urgency=step.urgency and step.urgency.value,
        remark=step.remark,
    )


def _change(hit: HitRow, before: HitRow) -> KnownPair:
    if hit.certainty != before.certainty:
        return KnownPair.CHANGED_LEVEL
    return KnownPair.UNCHANGED if set(hit.families) == set(before.families) else KnownPair.CHANGED_EVIDENCE
