"""Letters about hits, between parties and by existing channels: outbox, inbox and clocks, and what is recorded of them.

A request is a bundle: the hits of a round about which one party was asked in one step. The matcher sees no letter, and
no party is told of one: a request of another party is known here once an analyst has recorded it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from aquila.errors import InputError
from aquila.followup.lifecycle import HOUR, HitLifecycle, LifecycleStep, LifecycleStepKind, Stage
from aquila.interface import hits as forms
from aquila.interface.sentence import SentenceView
from aquila.sentences import Sentence
from services.kit.actor import Actor
from services.node.context import NodeContext
from services.node.hits import lifecycle
from services.node.hits.notes import references
from services.node.hits.review import by_round
from services.node.hits.views import log_consultation
from services.node.rounds.reported_hits import Key, refused, some_of, unlike_reports, untrusted
from services.node.storage.tables import EXCHANGE_OF_HIT, STATUS_OF_HIT, ExchangeRow, HitRow, HitStatusRow, HitStepRow

_EASTERNMOST = timedelta(hours=14)
"""How far local time may be ahead of UTC: a date is in the future only where it is so everywhere."""

_AT_ONCE = 100
_DAY = 24 * HOUR
_ID = re.compile(r"\b[0-9a-f]{32}\b")
_NUMBER = re.compile(r"\b[A-Z]{2}(?:-[0-9A-F]{4}){3}\b")
"""A party's own number of a hit, as `draw_reference` makes it."""

_DATED = frozenset({LifecycleStepKind.REPLIED, LifecycleStepKind.RECEIVED, LifecycleStepKind.ANSWERED})
_OF_STEP = (HitStepRow.round_id == HitRow.round_id) & (HitStepRow.hit_id == HitRow.hit_id)


class _Asked(NamedTuple):
    """A hit with its life, and both parties' numbers of it."""

    hit: HitRow
    life: HitLifecycle
    numbers: tuple[str, str]


def follow_ups(node: NodeContext, actor: Actor) -> forms.FollowUps:
    """Return outbox and inbox, those whose answer is due first at the top; a look at their hits is logged."""
    now = node.clock()
    with node.store.reading("hit.correspondence_keys") as session:
        sent, received = _sent_keys(session), _received_keys(session, now)
    with node.store.reading("hit.correspondence") as session:
        lives = dict(_read(session, [*{*sent, *received}]))
        wrong = refused(session)
    wrong |= unlike_reports(node.journal, node.rounds, [one.hit for one in lives.values()])
    lives = {key: one for key, one in lives.items() if key not in wrong}
    with node.store.reading("hit.correspondence_closed") as session:
        out = _bundled([lives[key] for key in sent if key in lives], _request)
        closed = _closed(session, [life.opened_at for _, life, _ in lives.values() if life.opened_at is not None])
    own = [_sent_bundle(hits, closed.get(key, 0), now) for key, hits in out.items()]
    others = [
        _received_bundle(hits, now)
        for hits in _bundled([lives[key] for key in received if key in lives], _received_request).values()
    ]
    shown = forms.FollowUps(
        at=now,
        sent=tuple(sorted(own, key=_by_due)[: forms.MOST_BUNDLES]),
        sent_total=len(own),
        received=tuple(sorted(others, key=_by_due)[: forms.MOST_BUNDLES]),
        received_total=len(others),
        problems=(SentenceView.of(Sentence.of("hits_not_authentic", count=len(wrong))),) if wrong else (),
    )
    seen = {(hit.round_id, hit.hit_id) for one in (*shown.sent, *shown.received) for hit in one.hits}
    if seen:
        with node.store.transaction("hit.correspondence_consulted") as session:
            for round_id, hits in by_round(seen):
                log_consultation(session, node.journal, actor, round_id, hits)
    return shown


def answers_due(session: Session, now: int) -> list[int]:
    """Return for each hit about which another party waits for an answer, when it is due."""
    read = (one.life.received for _, one in _read(session, _received_keys(session, now)))
    return [received.due_at for received in read if received is not None and received.due_at is not None]


def record(node: NodeContext, actor: Actor, wanted: forms.CorrespondenceRequest) -> forms.CorrespondenceResult:
    """Record a letter at several hits; those at which it is not possible now are left out."""
    kind, now = LifecycleStepKind(wanted.step.value), node.clock()
    if bool(wanted.hits) == bool(wanted.letter):
        raise InputError("letter_hits_ambiguous")
    if kind is LifecycleStepKind.REFERENCED and not wanted.number.strip():
        raise InputError("letter_number_missing")
    day = check_date(wanted.on, now) if kind in _DATED else ""
    urgency = wanted.urgency if kind is LifecycleStepKind.RECEIVED else None
    step = LifecycleStep(kind, now, actor.person, day, wanted.number.strip(), urgency, wanted.remark)
    keys = [(key.round_id, key.hit_id) for key in dict.fromkeys(wanted.hits)]
    if wanted.letter:
        with node.store.reading("hit.named") as session:
            keys = _named(session, wanted.letter)
    if not keys:
        raise InputError("letter_names_no_hit")
    wrong = untrusted(node.journal, node.rounds, keys)
    trusted, done = [key for key in keys if key not in wrong], list[forms.HitKey]()
    for first in range(0, len(trusted), _AT_ONCE):
        with node.store.transaction(f"hit.{kind.value}_many") as session:
            for key in trusted[first : first + _AT_ONCE]:
                hit = lifecycle.hit_row(session, *key)
                if kind in lifecycle.lifecycle_of(session, hit).possible():
                    lifecycle.apply_step(session, node.journal, hit, step, actor)
                    done.append(forms.HitKey(round_id=hit.round_id, hit_id=hit.hit_id))
    return forms.CorrespondenceResult(hits=tuple(done), left_out=len(keys) - len(done))


def check_date(day: date | None, now: int) -> str:
    """Return the date of a letter (ISO 8601)."""
    if day is None:
        raise InputError("letter_date_missing")
    if day > (datetime.fromtimestamp(now, UTC) + _EASTERNMOST).date():
        raise InputError("letter_date_in_future")
    return day.isoformat()


def _named(session: Session, text: str) -> list[Key]:
    """Return the hits that a text names by id or by either party's number; of one that was replaced, the later one."""
    ids, numbers = set(_ID.findall(text.lower())), set(_NUMBER.findall(text.upper()))
    query = select(HitRow.round_id, HitRow.hit_id, HitStatusRow.stage).join(HitStatusRow, STATUS_OF_HIT)
    noted = or_(ExchangeRow.reference.in_(numbers), ExchangeRow.note["reference"].as_string().in_(numbers))
    found = query.outerjoin(ExchangeRow, EXCHANGE_OF_HIT).where(or_(HitRow.hit_id.in_(ids), noted))
    rows = session.execute(found.order_by(HitRow.round_id, HitRow.hit_id)).all()
    keys = [_latest(session, (round_id, hit_id), stage) for round_id, hit_id, stage in rows]
    return list(dict.fromkeys(keys))[: forms.MOST_CHOSEN]


def _latest(session: Session, key: Key, stage: str) -> Key:
    """Return a hit, or the one of a later round that stands for it."""
    if stage != Stage.REPLACED:
        return key
    later = HitStatusRow.earlier_round_id == key[0], HitStatusRow.earlier_hit_id == key[1]
    row = session.scalars(select(HitStatusRow).where(*later)).first()
    return _latest(session, (row.round_id, row.hit_id), row.stage) if row is not None else key


def _sent_keys(session: Session) -> list[Key]:
    in_follow_up = HitStatusRow.stage == Stage.FOLLOW_UP.value
    query = select(HitStatusRow.round_id, HitStatusRow.hit_id).where(in_follow_up)
    return [(one, other) for one, other in session.execute(query)]


def _received_keys(session: Session, now: int) -> list[Key]:
    """Return the hits with a request of the counterpart that has no answer, or one of the last days."""
    received, answered = LifecycleStepKind.RECEIVED, LifecycleStepKind.ANSWERED
    of_hit = HitStepRow.round_id, HitStepRow.hit_id
    unanswered = lifecycle.newest(received, HitStepRow.step_id) > lifecycle.newest(answered, HitStepRow.step_id)
    recent = lifecycle.newest(answered, HitStepRow.at) > now - forms.ANSWERED_DAYS * _DAY
    query = select(*of_hit).where(HitStepRow.kind.in_([received.value, answered.value])).group_by(*of_hit)
    asked = query.having(or_(unanswered, recent)).subquery()
    over = HitStatusRow.stage.in_([Stage.REPLACED.value, Stage.WITHDRAWN.value])
    alive = select(HitStatusRow.round_id, HitStatusRow.hit_id).where(~over)
    of_asked = (HitStatusRow.round_id == asked.c.round_id) & (HitStatusRow.hit_id == asked.c.hit_id)
    return [(one, other) for one, other in session.execute(alive.join(asked, of_asked))]


def _read(session: Session, keys: Sequence[Key]) -> Iterator[tuple[Key, _Asked]]:
    """Yield hits with their lives; those of which a row was not written by this service are left out."""
    steps = dict[Key, list[HitStepRow]]()
    for some in some_of(keys, HitStepRow):
        for step in session.scalars(select(HitStepRow).where(some).order_by(HitStepRow.step_id)):
            steps.setdefault((step.round_id, step.hit_id), []).append(step)
    wrong = refused(session)  # without one of its steps a hit would have another life
    query = select(HitRow, HitStatusRow, ExchangeRow).join(HitStatusRow, STATUS_OF_HIT)
    for some in some_of(keys, HitRow):
        for hit, status, row in session.execute(query.outerjoin(ExchangeRow, EXCHANGE_OF_HIT).where(some)):
            key = hit.round_id, hit.hit_id
            if key in wrong:
                continue
            life = HitLifecycle.of(status.arrived_at, map(lifecycle.step_of, steps.get(key, ())))
            yield key, _Asked(hit, life, references(row))


def _bundled(
    hits: Sequence[_Asked], of: Callable[[_Asked], tuple[object, ...]]
) -> dict[tuple[object, ...], list[_Asked]]:
    found = dict[tuple[object, ...], list[_Asked]]()
    for one in sorted(hits, key=lambda one: one.hit.hit_id):
        found.setdefault(of(one), []).append(one)
    return found


def _request(one: _Asked) -> tuple[object, ...]:
    life = one.life
    return one.hit.round_id, one.hit.counterpart, life.channel, life.urgency, life.opened_at


def _received_request(one: _Asked) -> tuple[object, ...]:
    received = one.life.received
    return one.hit.round_id, one.hit.counterpart, received and (received.number, received.urgency, received.began_at)


def _closed(session: Session, opened: Sequence[int]) -> dict[tuple[object, ...], int]:
    """Return by request how many of its hits are closed, of the requests that were opened at some times."""
    of = HitRow.round_id, HitRow.counterpart, HitStepRow.value, HitStepRow.urgency, HitStepRow.at
    query = select(*of, func.count(HitRow.hit_id.distinct())).join(HitStepRow, _OF_STEP)
    query = query.join(HitStatusRow, STATUS_OF_HIT).where(HitStatusRow.stage == Stage.CLOSED.value)
    query = query.where(HitStepRow.kind == LifecycleStepKind.OPENED.value, HitStepRow.at.in_(sorted(set(opened))))
    return {tuple(request): hits for *request, hits in session.execute(query.group_by(*of))}


def _each_once(numbers: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(number for number in numbers if number))


def _hits_of(hits: Sequence[_Asked], answered: Callable[[HitLifecycle], bool]) -> tuple[forms.BundledHit, ...]:
    return tuple(
        forms.BundledHit(
            round_id=hit.round_id, hit_id=hit.hit_id, own_number=own, other_number=other, answered=answered(life)
        )
        for hit, life, (own, other) in hits
    )


def _by_due(one: forms.Bundle) -> tuple[bool, int, str]:
    return one.due_at is None, one.due_at or -one.asked_at, one.counterpart


def _sent_bundle(hits: Sequence[_Asked], closed: int, now: int) -> forms.SentBundle:
    lives = [one.life for one in hits]
    first, waiting = lives[0], [life for life in lives if life.replied_at is None]
    due_at = min((life.own_due_at for life in waiting if life.own_due_at is not None), default=None)
    replied = max(lives, key=lambda life: life.replied_on)
    return forms.SentBundle(
        counterpart=hits[0].hit.counterpart,
        hits=_hits_of(hits, lambda life: life.replied_at is not None),
        numbers=_each_once(life.reference for life in lives),
        urgency=first.urgency,
        asked_at=first.opened_at,
        due_at=due_at,
        overdue=due_at is not None and due_at < now,
        reminders=max(life.reminders for life in lives),
        answered=len(lives) - len(waiting),
        answered_on=replied.replied_on,
        answers=_each_once(life.reply for life in lives),
        channel=first.channel,
        sent_at=min((life.sent_at for life in lives if life.sent_at is not None), default=None),
        reminded_at=max((life.reminded_at for life in lives if life.reminded_at is not None), default=None),
        closed=closed,
    )


def _received_bundle(hits: Sequence[_Asked], now: int) -> forms.ReceivedBundle:
    of = [one.life.received for one in hits if one.life.received is not None]
    first = of[0]
    due_at = min((one.due_at for one in of if one.due_at is not None), default=None)
    return forms.ReceivedBundle(
        counterpart=hits[0].hit.counterpart,
        hits=_hits_of(hits, lambda life: life.received is not None and bool(life.received.answered_on)),
        numbers=_each_once([first.number]),
        urgency=first.urgency,
        asked_at=first.began_at,
        due_at=due_at,
        overdue=due_at is not None and due_at < now,
        reminders=max(one.reminders for one in of),
        answered=sum(bool(one.answered_on) for one in of),
        answered_on=max(one.answered_on for one in of),
        answers=_each_once(one.answer for one in of),
        date=first.date,
    )
