"""Use case: a party holds one call open, and hears at once of news in any of its rounds (PROTOCOL.md 9.6).

A long poll takes no thread and no place of a stranger: its caller is known by its signature, the event loop waits, and
a thread is used for the moment of a look. A look asks the database whether there is an event that the party has not
read; the list of its rounds is compared less often. While nothing happens, a space is sent now and then, which JSON
allows before a value (RFC 8259 section 2): so both sides, and whatever stands between, notice when the connection has
gone.
"""

import asyncio
import base64
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from aquila.errors import PolicyError, ProtocolError
from aquila.protocol.encoding import canonical
from aquila.protocol.messages.feed import LARGEST_CONTENT, Event, EventKind, Events, LongPollAnswer, Rounds
from services.kit.errors import NotFoundError, RoundDamagedError, StoreError
from services.kit.http.signed_calls import Contacts, SignedCall
from services.kit.work import threads
from services.matcher.context import MatcherContext
from services.matcher.events import FOLLOWED_BY_BYTES, REPORT, newest_late_events, visible_to
from services.matcher.rounds.chunks import ChunkAddress, get_chunk, is_crowded
from services.matcher.rounds.feed import page_of, rounds_of
from services.matcher.rounds.progress import has_all_blinded, waits_for
from services.matcher.storage.tables import EventRow

LONGEST_HOLD = 3_600
"""Seconds for which a call may be held."""

SIGN_OF_LIFE_SECONDS = 15.0
"""Seconds between two signs of life."""

_STATE_SECONDS = 1.0  # between two looks at the list, while other parties' events come
_IDLE_STATE_SECONDS = 60.0  # while nothing comes
_LOOK_SECONDS = 0.02  # between two looks that found nothing
_PAGE = 500  # events of a feed that come with news
_MOST_FEEDS = 4  # as many pages, each as long as one that is asked for
_MOST_LOOKED_AT = 200  # events: more are news whatever they are
_FEW_CHUNKS = 8
_BYTES_OF_FEED = 1 << 18  # that come with the events of one page
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class ReadState:
    """Knowledge of a party before it waits."""

    state: str
    """The state of the list that it had last; empty before the first."""
    read: Mapping[str, int]
    """The newest event that it has read, of each round that it follows."""
    feeds: bool = False
    """Whether it wants the next pages of these feeds with the news."""
    log: int | None = None
    """The size of the matcher's log that it saw last, where it wants a proof of its growth with the news."""
    changes: bool = False
    """Whether it wants the list only where its state is another one."""


async def answer_long_poll(
    context: MatcherContext, contacts: Contacts, call: SignedCall, known: ReadState, wait: float
) -> Rounds | AsyncIterator[bytes]:
    """Return the caller's rounds with their state where there is something that it does not know, or wait for that.

    Returns:
        The rounds, or signs of life until there is news and then the rounds as JSON. It ends without news when the time
        is over, when the service stops, and when the caller holds too many other calls; and without the rounds when the
        caller's key was replaced, or the party has left.
    """
    caller = call.party
    state, mine = await threads.run_call(_state, context, caller)
    known = replace(known, read={round_id: event for round_id, event in known.read.items() if round_id in mine})
    if not wait or state != known.state or await threads.run_call(_has_unread, context, caller, known):
        return await threads.run_call(_answer, context, caller, known, state)
    return _held(context, contacts, call, known, wait)


async def _held(
    context: MatcherContext, contacts: Contacts, call: SignedCall, known: ReadState, wait: float
) -> AsyncIterator[bytes]:
    caller = call.party
    state = known.state  # what changes of the list after it was compared is news of the next call
    with context.held.hold(caller) as replaced:
        ends = time.monotonic() + wait
        compared = time.monotonic()
        compare_at, alive_at = compared + _STATE_SECONDS, compared + SIGN_OF_LIFE_SECONDS
        while call.counts() and not (context.wakeup.down or replaced.is_set() or time.monotonic() >= ends):
            # The event is taken before the look, so that nothing is missed in between.
            notified = context.wakeup.listen(caller)
            if await threads.run_call(_has_unread, context, caller, known):
                break
            if time.monotonic() >= compare_at:
                state, _ = await threads.run_call(_state, context, caller)
                if state != known.state:
                    break
                compared = time.monotonic()
                compare_at = compared + _IDLE_STATE_SECONDS
            while not await _happens(notified, replaced, min(ends, compare_at, alive_at) - time.monotonic()):
                if time.monotonic() >= alive_at:
                    contacts.record_sign_of_life(caller)
                    yield b" "
                    alive_at = time.monotonic() + SIGN_OF_LIFE_SECONDS
                if time.monotonic() >= min(ends, compare_at):
                    break
            else:
                compare_at = min(compare_at, compared + _STATE_SECONDS)
                await asyncio.sleep(_LOOK_SECONDS)
    if call.counts():
        answer = await threads.run_call(_answer, context, caller, known, state)
        yield answer.model_dump_json().encode()


async def _happens(notified: asyncio.Event, replaced: asyncio.Event, seconds: float) -> bool:
    """Wait until one of two events is set, and return whether it was in time."""
    waiting = [asyncio.ensure_future(notified.wait()), asyncio.ensure_future(replaced.wait())]
    try:
        done, _ = await asyncio.wait(waiting, timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()
    return bool(done)


def _has_unread(context: MatcherContext, caller: str, known: ReadState) -> bool:
    """Return whether there is an event for the caller beyond what it has read, in rounds that name it.

    Bytes of few chunks are news when all of them are there, so that a party is woken once and not for each.
    """
    if not known.read:
        return False
    columns = EventRow.kind, EventRow.round_id, EventRow.submission_id, EventRow.party
    with context.store.reading("held.look") as session:
        found = session.execute(_unread(caller, known, *columns).limit(_MOST_LOOKED_AT)).all()
    if len(found) == _MOST_LOOKED_AT or any(event.kind == EventKind.STATEMENT for event in found):
        return True
    return any(_of_whole(partial(_is_whole, context, *event)) for event in set(found))


def _of_whole(look: Callable[[], Found]) -> Found | None:
    """Take a look at a round; None if it is damaged. Its parties hear of the others all the same."""
    try:
        return look()
    except RoundDamagedError:
        return None


def _is_whole(context: MatcherContext, kind: str, round_id: str, submission_id: str, party: str) -> bool:
    """Return whether a party's bytes of a kind are all there, or a submission has many and each is worth a look."""
    with context.round_cache.reading(round_id) as turn:
        submission = turn.round.submissions.get(submission_id)
        if submission is None or len(submission.chunks) > _FEW_CHUNKS:
            return True
        if kind == EventKind.BLINDED:
            return has_all_blinded(turn.cached, submission_id)
        # Evaluations that fill the place of others are worth a look by themselves: what is fetched makes room.
        return is_crowded(context, turn) or party not in waits_for(turn.cached, submission_id)


def _unread(caller: str, known: ReadState, *columns: InstrumentedAttribute[Any]) -> Select[Any]:
    """Return the query for columns of the events that are beyond what the caller has read."""
    beyond = [and_(EventRow.round_id == one, EventRow.event_id > event) for one, event in known.read.items()]
    # What the caller itself has said it knows; reports are for it, and so bear its name.
    news = or_(EventRow.party != caller, EventRow.statement == REPORT)
    acts = or_(EventRow.statement.is_(None), EventRow.statement.not_in(FOLLOWED_BY_BYTES))
    return select(*columns).where(or_(*beyond), visible_to(caller), news, acts)


def _answer(context: MatcherContext, caller: str, known: ReadState, state: str) -> LongPollAnswer:
    """Return an answer: the list, the pages of feeds and the log's growth, as far as the caller wants them.

    Args:
        state: Of the list, from before the list is read: what is added meanwhile is news of the next call.
    """
    is_left_out = known.changes and state == known.state
    found = Rounds(rounds=()) if is_left_out else rounds_of(context, caller)
    feeds: dict[str, Events] | None = None
    if known.feeds:
        with context.store.reading("held.unread") as session:
            unread = set(session.scalars(_unread(caller, known, EventRow.round_id).distinct())) if known.read else set()
        first = sorted(known.read, key=lambda one: one not in unread)[:_MOST_FEEDS]
        pages = {one: _of_whole(partial(_with_bytes, context, one, caller, known.read[one])) for one in first}
        feeds = {one: page for one, page in pages.items() if page is not None}
    grown = None if known.log is None else context.log.own.update(known.log)
    log = None if grown is None else grown.to_bytes().decode()
    return LongPollAnswer(rounds=found.rounds, news=found.news, state=state, feeds=feeds, log=log)


def _state(context: MatcherContext, caller: str) -> tuple[str, AbstractSet[str]]:
    """Return the name of the state of the caller's list, and its rounds.

    It names the rounds and news. Nothing of it is made for each round that is over.
    """
    with context.store.reading("held.state") as session:
        mine = context.terms.rounds_naming(session, caller)
        news = newest_late_events(session, caller)
    content: dict[str, object] = {"rounds": hashlib.sha256("".join(sorted(mine)).encode()).hexdigest(), "news": news}
    return hashlib.sha256(canonical(content)).hexdigest(), mine


def _with_bytes(context: MatcherContext, round_id: str, caller: str, after: int) -> Events:
    """Return the next page of a feed, with the bytes of its events where these are few."""
    page = page_of(context, round_id, caller, after, _PAGE)
    events, room = [], _BYTES_OF_FEED
    for event in page.events:
        content = None if event.kind is EventKind.STATEMENT or not room else _content(context, round_id, caller, event)
        if content is not None and len(content) <= room:
            room -= len(content)
            events.append(event.model_copy(update={"content": base64.b64encode(content).decode()}))
        else:
            events.append(event)
    return page.model_copy(update={"events": tuple(events)})


def _content(context: MatcherContext, round_id: str, caller: str, event: Event) -> bytes | None:
    """Return the bytes of an event, unless they are gone, many, or for another party."""
    party = "" if event.kind is EventKind.BLINDED else event.party or ""
    address = ChunkAddress(round_id, event.submission_id or "", event.kind, party, event.index or 0)
    try:
        return get_chunk(context, caller, address, LARGEST_CONTENT * 3 // 4)
    except (NotFoundError, PolicyError, ProtocolError, StoreError):
        return None  # a call that asks for them is told why
