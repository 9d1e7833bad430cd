"""Known pairs: a hit on a pair that was decided on in an earlier round carries that decision, and is not new work.

A pair is an own person and a counterpart. The counterpart's record has no name that lasts: a hit's id and its sealed
reference are drawn anew in each round. So where a person has several hits with one counterpart, only those that agree
in level and evidence are paired, and the others are new.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.entries import Entry, EntryKind, Word
from aquila.followup.lifecycle import Decision, HitLifecycle, LifecycleStep, LifecycleStepKind, Stage
from aquila.interface.hits import KnownPair
from aquila.protocol.encoding import framed
from services.kit.errors import ForgedRowError
from services.kit.log import entries
from services.node.context import Journal
from services.node.hits import lifecycle
from services.node.storage.tables import STATUS_OF_HIT, HitRow, HitStatusRow, HitStepRow

_AT_ONCE = 500
_IDENTITY = ("given_names", "family_names", "full_name", "date_of_birth")
_CARRYING = (Stage.DECIDED.value, Stage.FOLLOW_UP.value, Stage.CLOSED.value, Stage.KNOWN.value)

Pair = tuple[str, str, bool]
"""The digest of an own person, the counterpart, and whether the hit is a query's."""


def person_digest(record_id: str, record: Mapping[str, object]) -> str:
    """Return the digest of an own record's number, names and date of birth.

    The number alone does not identify a person: a list may number its rows, and then another person has the number in
    the next one. The digest is as personal as the record, and is erased with its hit.

    Args:
        record_id: The party's own identifier of the record.
        record: Its fields, as stored.
    """
    identity = [record_id, *(record.get(name) for name in _IDENTITY)]
    content = json.dumps(identity, ensure_ascii=False, separators=(",", ":")).encode()
    return hashlib.sha256(framed("aquila/1 own person", content)).hexdigest()


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
    """Carry earlier decisions to the hits that come now, in the transaction that stores them; return how many.

    Args:
        session: A transaction in which the lives of the hits have begun.
        journal: What dates and writes the entries.
        round_id: The round of the hits.
        hits: Those that come now.
    """
    coming = _by_pair(hit for hit in hits if hit.person is not None)
    carried: Counter[str] = Counter()
    for pair, earlier in _earlier(session, round_id, coming):
        for hit, before in _matched(coming[pair], earlier):
            # One whose history somebody else changed is as if it were not there: then the hit is new.
            with suppress(ForgedRowError):
                _carry(session, journal.clock(), hit, before)
                carried[hit.counterpart] += 1
    for counterpart, count in sorted(carried.items()):
        entry = Entry.of(
            EntryKind.HIT_DECIDED,
            journal.clock(),
            journal.code,
            round=round_id,
            counts={"hits": count},
            ids={"value": Word.CARRIED, "counterpart": counterpart},
        )
        entries.append(session, entry)
    if carried:
        lifecycle.record_outcome(session, journal.clock, round_id)
    return carried.total()


def mark_first(session: Session, hits: Collection[HitRow]) -> None:
    """Mark the hits of a standing query whose pair no earlier report had, in the transaction that stores them.

    Args:
        session: A transaction in which the lives of the hits have begun.
        hits: Those of one query that come now.
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
            lifecycle.status_row(session, hit).first = True


def _by_pair(hits: Iterable[HitRow]) -> dict[Pair, list[HitRow]]:
    found: dict[Pair, list[HitRow]] = {}
    for hit in hits:
        found.setdefault((hit.person or "", hit.counterpart, hit.submission_id is not None), []).append(hit)
    return found


def _earlier(session: Session, round_id: str, wanted: Collection[Pair]) -> Iterator[tuple[Pair, list[HitRow]]]:
    """Yield each pair with its decided hits of the newest earlier round that has any."""
    persons = sorted({person for person, *_ in wanted})
    for first in range(0, len(persons), _AT_ONCE):
        query = (
            select(HitRow)
            .join(HitStatusRow, STATUS_OF_HIT)
            .where(
                HitRow.person.in_(persons[first : first + _AT_ONCE]),
                HitRow.round_id != round_id,
                HitStatusRow.stage.in_(_CARRYING),
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
    earlier, status = lifecycle.lifecycle_of(session, before), lifecycle.status_row(session, hit)
    step = LifecycleStepKind.CARRIED
    values = [(earlier.decision, ""), (earlier.channel, earlier.reference), (earlier.outcome, "")]
    steps = [LifecycleStep(step, now, "", value.value, reference) for value, reference in values if value is not None]
    life = HitLifecycle.of(status.arrived_at, steps)
    session.add_all(
        HitStepRow(
            round_id=hit.round_id,
            hit_id=hit.hit_id,
            kind=one.kind.value,
            at=one.at,
            person=one.person,
            value=one.value,
            reference=one.reference,
            urgency=None,
            remark="",
        )
        for one in steps
    )
    status.stage, status.due_at, status.decision, status.outcome = life.stage.value, None, life.decision, life.outcome
    status.known = _change(hit, before).value
    status.earlier_round_id, status.earlier_hit_id = before.round_id, before.hit_id


def _change(hit: HitRow, before: HitRow) -> KnownPair:
    if hit.certainty != before.certainty:
        return KnownPair.CHANGED_LEVEL
    return KnownPair.UNCHANGED if set(hit.families) == set(before.families) else KnownPair.CHANGED_EVIDENCE
