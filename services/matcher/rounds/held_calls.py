"""Use case: a party holds one call open, and hears at once of news in any of its rounds (PROTOCOL.md 9.6).

A held call takes no thread and no place of a stranger: its caller is known by its signature, the event loop waits, and
a thread is used for the moment of a look. A look asks the database whether there is an event that the party has not
read; what is due is compared less often, since it can only change with events of others or with time. While nothing
happens, a space is sent now and then, which JSON allows before a value (RFC 8259 section 2): so both sides, and
whatever stands between, notice when the connection has gone.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import and_, or_, select

from aquila.protocol.encoding import canonical
from services.kit.work import threads
from services.matcher.events import REPORT, visible_to
from services.matcher.rounds.feed import rounds_of
from services.matcher.rounds.progress import late, ready_submissions
from services.matcher.storage.tables import EventRow, RoundRow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from aquila.protocol.messages.feed import Rounds
    from services.kit.http.signed_calls import Contacts
    from services.matcher.context import MatcherContext

LONGEST_HOLD = 3_600
"""Seconds for which a call may be held."""

SIGN_OF_LIFE_SECONDS = 15.0
"""Seconds between two signs of life."""

_STATE_SECONDS = 1.0  # between two looks at what is due, while other parties' events come
_IDLE_STATE_SECONDS = 60.0  # while nothing comes: time alone makes parties late
_LOOK_SECONDS = 0.02  # between two looks that found nothing


@dataclass(frozen=True, slots=True)
class ReadState:
    """Knowledge of a party before it waits.

    Attributes:
        state: The state of the list that it had last; empty before the first.
        read: The newest event that it has read, of each round that it follows.
    """

    state: str
    read: Mapping[str, int]


async def news_for(
    desk: MatcherContext, contacts: Contacts, caller: str, known: ReadState, wait: float
) -> Rounds | AsyncIterator[bytes]:
    """Return the caller's rounds with their state where there is something that it does not know, or wait for that.

    Args:
        desk: The matcher's parts.
        contacts: Where it is kept that the caller is there.
        caller: Who asks.
        known: What it knows already.
        wait: For how many seconds.

    Returns:
        The rounds, or signs of life until there is news and then the rounds as JSON. It ends without news when the time
        is over, when the service stops, and when the caller holds too many other calls.
    """
    found = await threads.run_call(_with_state, desk, caller)
    mine = {one.round_id for one in found.rounds}
    known = replace(known, read={round_id: event for round_id, event in known.read.items() if round_id in mine})
    if not wait or found.state != known.state or await threads.run_call(_has_unread, desk, caller, known):
        return found
    return _held(desk, contacts, caller, known, wait)


async def _held(
    desk: MatcherContext, contacts: Contacts, caller: str, known: ReadState, wait: float
) -> AsyncIterator[bytes]:
    with desk.held.hold(caller) as replaced:
        ends = time.monotonic() + wait
        compared = time.monotonic()
        compare_at, alive_at = compared + _STATE_SECONDS, compared + SIGN_OF_LIFE_SECONDS
        while not (desk.bell.down or replaced.is_set() or time.monotonic() >= ends):
            # The bell is taken before the look, so that nothing is missed in between.
            rung = desk.bell.listen()
            if await threads.run_call(_has_unread, desk, caller, known):
                break
            if time.monotonic() >= compare_at:
                if (await threads.run_call(_with_state, desk, caller)).state != known.state:
                    break
                compared = time.monotonic()
                compare_at = compared + _IDLE_STATE_SECONDS
            while not await _happens(rung, replaced, min(ends, compare_at, alive_at) - time.monotonic()):
                if time.monotonic() >= alive_at:
                    contacts.note_alive(caller)
                    yield b" "
                    alive_at = time.monotonic() + SIGN_OF_LIFE_SECONDS
                if time.monotonic() >= min(ends, compare_at):
                    break
            else:
                compare_at = min(compare_at, compared + _STATE_SECONDS)
                await asyncio.sleep(_LOOK_SECONDS)
    yield (await threads.run_call(_with_state, desk, caller)).model_dump_json().encode()


async def _happens(rung: asyncio.Event, replaced: asyncio.Event, seconds: float) -> bool:
    """Wait until one of two events is set, and return whether it was in time."""
    waiting = [asyncio.ensure_future(rung.wait()), asyncio.ensure_future(replaced.wait())]
    try:
        done, _ = await asyncio.wait(waiting, timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()
    return bool(done)


def _has_unread(desk: MatcherContext, caller: str, known: ReadState) -> bool:
    """Return whether there is an event for the caller beyond what it has read, in rounds that name it."""
    beyond = [and_(EventRow.round_id == one, EventRow.event_id > event) for one, event in known.read.items()]
    if not beyond:
        return False
    # What the caller itself has said it knows; reports are for it, and so bear its name.
    news = or_(EventRow.party != caller, EventRow.statement == REPORT)
    query = select(EventRow.event_id).where(or_(*beyond), visible_to(caller), news).limit(1)
    with desk.store.reading("held.look") as session:
        return session.scalar(query) is not None


def _with_state(desk: MatcherContext, caller: str) -> Rounds:
    """Return the caller's rounds with the name of their state: rounds, news, answers, and what is due."""
    found = rounds_of(desk, caller)
    with desk.store.reading("held.open") as session:
        going_on = set(session.scalars(select(RoundRow.round_id).where(RoundRow.ended_at.is_(None))))
    due = {one.round_id: _due(desk, one.round_id, caller) for one in found.rounds if one.round_id in going_on}
    content: dict[str, object] = {
        "rounds": sorted(one.round_id for one in found.rounds),
        "news": found.news,
        "answers": [one.model_dump(mode="json") for one in found.answers],
        "due": due,
    }
    return found.model_copy(update={"state": hashlib.sha256(canonical(content)).hexdigest()})


def _due(desk: MatcherContext, round_id: str, caller: str) -> list[list[str]]:
    """Return the caller's submissions whose tokens are waited for, and the parties that are late."""
    with desk.known.reading(round_id) as turn:
        ready = [one for one in ready_submissions(turn.known, caller) if one not in turn.round.tokens]
        return [ready, list(late(turn.known, desk.clock()))]
