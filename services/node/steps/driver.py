"""The driver of rounds: which of them a look is at, every one of these a step further, and the wait between two looks.

A node calls and is never called. While it has nothing to do, it holds one call, which says how far this node has read
the feed of each round; the matcher answers at the first event beyond that, with the feeds and the growth of its log
(PROTOCOL.md 9.6). Where the call breaks, or is answered at once again and again, the node looks every `poll_seconds`
instead. It also looks by itself when one of its own deadlines has passed, soon after it was last busy, and then ever
more rarely.
"""

import asyncio
import time
from asyncio import create_task, gather, to_thread
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial

from sqlalchemy import select, union

from aquila.errors import AquilaError
from aquila.protocol.messages.feed import Events, LongPollAnswer
from aquila.protocol.registry import MATCHER
from aquila.protocol.rounds.round_state import ENDED_PHASES, Phase
from services.kit.errors import PeerFullError, PeerUnavailableError
from services.kit.logging import Log
from services.kit.storage.store import Store
from services.kit.work.drivers import Driver, each, raise_last
from services.node.context import LongPollResult, NodeContext
from services.node.logs import checks
from services.node.rounds.reported_hits import look_for_missing
from services.node.rounds.requests import deadlines
from services.node.steps import close, consent, exchange_notes, sync, verify_logs, withdraw
from services.node.steps.advance import advance, concerns_all, turn
from services.node.steps.consent import read_rounds
from services.node.storage.states import LocalRoundState
from services.node.storage.tables import RoundRow, StatementRow

_LOG = Log("node.driver")
_LAST_DELAY = 10.0
_ONGOING = [phase.value for phase in Phase if phase not in ENDED_PHASES]
_AT_ONCE = 4  # rounds that are at work, and feeds that travel, at the same time
_EXPIRY_SECONDS = 3_600


class RoundsDriver:
    """Advances all rounds of a node, a few at the same time: one with much to do does not hold up the others.

    Nor does one that cannot go on: it is tried again after a while of its own, or when a person asks for something.

    A look at few open rounds is one at each. Where many are open, a look costs what has happened and not how many there
    are: it is one at the rounds in which there was something to do, and at those that the matcher has news of. All of
    them are looked at after the start, after a wait without news, when a person asked for something, when the state of
    the matcher's list has changed, and every `poll_seconds` while there is work.
    """

    def __init__(self, node: NodeContext) -> None:
        self._node = node
        self._busy = self._again = False
        self._working: list[str] = []
        self._unsettled: set[str] = set()
        self._looked_at: set[str] = set()
        self._all_at: float | None = None
        self._expires_at = 0
        node.wake = self._look_at_all

    def driver(self) -> Driver:
        """Return the driver that repeats `step`, and let handlers wake it."""
        node = self._node
        listener = Listener(node, self._listened_to)
        driver = Driver(
            "rounds", self._turn, interval=node.settings.poll_seconds, last_delay=_LAST_DELAY, wait=listener.wait
        )
        node.wake, node.stopping = partial(self._wake, driver), lambda: driver.stopping
        return driver

    def _look_at_all(self) -> None:
        """Let the next step look at every open round: a person asked for something in one of them."""
        self._all_at = None
        self._node.retries.end_waits()

    def _wake(self, driver: Driver) -> None:
        self._look_at_all()
        driver.wake()

    async def _turn(self) -> bool:
        """Take one step, finish the work that it makes possible, and return whether there is more to do already."""
        await self.step(self._node.retries.waiting())
        ends = turn(self._node)
        while self._working and not (self._again or ends()):
            working, self._working = self._working, []
            await each(working, partial(self._take, looked=True), _AT_ONCE)
        return self._again or bool(self._working)

    async def step(self, waiting: Collection[str] = ()) -> bool:
        """Take one step in every round, and return whether there was anything to do.

        Rounds that wait for a retry, whose time has not come, are left out.

        Raises:
            AquilaError: No round can go on now: the matcher is away, the disk is full, or a log was rewritten.
        """
        node = self._node
        held, node.contact.held = node.contact.held, None
        known = await to_thread(self._open_rounds)
        node.retries.forget_others(known)
        rounds = [one for one in self._due(known, held) if one not in waiting]
        # The feeds travel while the log is looked at, or have come with a long poll. Nothing of them counts before the
        # log was found right.
        pages = {one: create_task(sync.fetch(node, one, held)) for one in rounds[:_AT_ONCE]}
        try:
            return await self._step(rounds, pages, held)
        finally:
            for page in pages.values():
                page.cancel()
            await gather(*pages.values(), return_exceptions=True)

    def _open_rounds(self) -> list[str]:
        """Return the open rounds, and forget what is known of most others: a node has years of them."""
        found = open_rounds(self._node)
        self._node.rounds.forget_resting(found)
        return found

    def _listened_to(self) -> list[str]:
        """Return the open rounds of which news is waited for: a round that cannot go on has taken none of what came."""
        waiting = self._node.retries.waiting()
        return [one for one in open_rounds(self._node) if one not in waiting]

    def _due(self, rounds: list[str], held: LongPollResult | None) -> list[str]:
        """Return which of the open rounds the next look is at."""
        node, now = self._node, time.monotonic()
        known, self._looked_at = self._looked_at, set(rounds)
        feeds = None if held is None else held.news.feeds
        is_enough = (
            len(rounds) > _AT_ONCE
            and self._all_at is not None
            and node.contact.obstacle is None
            # With a long poll the matcher says where there is news; without one only work is a reason to look again.
            and (
                self._busy and now - self._all_at < node.settings.poll_seconds
                if held is None
                else feeds is not None and held.news.state == node.contact.state
            )
        )
        if not is_enough:
            self._all_at = now
            return rounds
        return [one for one in rounds if one in self._unsettled or one not in known or self._has_news(one, feeds or {})]

    def _has_news(self, round_id: str, feeds: Mapping[str, Events]) -> bool:
        """Return whether the page of a feed that came with a long poll has anything that this node does not know."""
        page, memory = feeds.get(round_id), self._node.rounds.of(round_id)
        if page is None:
            return False
        return bool(page.events) or frozenset(page.ready) != memory.ready or page.late != memory.late

    async def _step(
        self, rounds: list[str], pages: Mapping[str, Awaitable[sync.FeedPage]], held: LongPollResult | None
    ) -> bool:
        node = self._node
        # A matcher that is away keeps no round from being destroyed by our own clock, or at the operator's word.
        # While there is work, what others named and the matcher promised is proved where a signature needs it.
        await verify_logs.verify_logs(node, prove=not self._busy and held is None, held=held)
        # While there is work, new rounds can wait, but for those that a long poll told of.
        was_quiet = not self._busy
        first, last = list[Callable[[], Awaitable[bool]]](), list[Callable[[], Awaitable[bool]]]()
        if (was_quiet or held) and node.contact.obstacle is None:
            listed = None if held is None else held.news
            first = [partial(consent.discover, node, listed)]
        if node.clock() >= self._expires_at:
            last = [partial(_look_after_hits, node)]
            self._expires_at = node.clock() + _EXPIRY_SECONDS
        self._busy = self._again = False
        self._working = []
        self._unsettled.difference_update(rounds)
        try:
            self._busy = await _in_turn(
                partial(each, first, self._other),
                partial(each, rounds, lambda one: self._take(one, pages.get(one)), _AT_ONCE),
                partial(each, last, self._other),
            )
            if not self._busy and node.contact.obstacle is None:
                await verify_logs.prove_at_rest(node)
            if not self._busy and node.contact.obstacle is None:
                await verify_logs.send_cosignature(node)
                if was_quiet:  # what others check of this node's log can wait until the work is done
                    await verify_logs.publish_log(node)
        except PeerUnavailableError as error:
            if isinstance(error, PeerFullError):
                node.contact.answered(node.clock())
            else:
                node.contact.lost(node.clock(), error)
            raise
        return self._busy

    async def _take(self, round_id: str, page: Awaitable[sync.FeedPage] | None = None, *, looked: bool = False) -> bool:
        """Advance a round, and return whether it had anything to do; raises what `advance` does and concerns all."""
        self._unsettled.add(round_id)
        try:
            busy = await advance(self._node, round_id, page, looked=looked, ends=self._turn_of_round())
        except AquilaError as error:
            if concerns_all(error) or self._node.contact.obstacle is not None:
                raise
            write = _LOG.warning if self._node.retries.failed(round_id, error) else _LOG.debug
            write("round_failed", round=round_id, error=error)
            return False
        if failures := self._node.retries.succeeded(round_id):
            _LOG.info("round_recovered", round=round_id, count=failures)
        memory = self._node.rounds.of(round_id)
        if not busy and not memory.goes_on:
            self._unsettled.discard(round_id)
        # What is waited for from others comes with news; another step is for what this one has left to do here.
        self._again |= busy and memory.goes_on
        if busy and memory.works_on:
            self._working.append(round_id)
        return busy

    def _turn_of_round(self) -> Callable[[], bool]:
        """Return whether a round lets the others have a look: after a while, or once one of them needs one."""
        ends = turn(self._node)
        return lambda: self._again or ends()

    async def _other(self, piece: Callable[[], Awaitable[bool]]) -> bool:
        """Take a piece that is about no round, and return whether it had anything to do; raises as the piece does."""
        busy = await piece()
        self._again |= busy
        return busy


async def _in_turn(*parts: Callable[[], Awaitable[bool]]) -> bool:
    """Do parts one after another, whatever becomes of those before, and return whether there was anything to do.

    Raises:
        AquilaError: The last failure; the others are logged.
    """
    busy, failed = False, list[AquilaError]()
    for part in parts:
        try:
            busy |= await part()
        except AquilaError as error:
            failed.append(error)
    raise_last(failed)
    return busy


def open_rounds(node: NodeContext) -> list[str]:
    """Return the rounds that are not over here.

    They are active, being destroyed, or not ended; or there is something to say or to hear in them after their end.
    """
    told = [round_id for round_id, newest in node.contact.news.items() if _is_behind(node.store, round_id, newest)]
    # Each part by an index of its own: among years of rounds those that are over would all be read otherwise.
    known = select(RoundRow.round_id)
    going = union(
        known.where(RoundRow.state.in_([LocalRoundState.ACTIVE, LocalRoundState.DESTROYING])),
        known.where(RoundRow.state == LocalRoundState.DESTROYED, RoundRow.phase.in_(_ONGOING)),
        select(StatementRow.round_id).where(StatementRow.own, ~StatementRow.sent, StatementRow.refusal.is_(None)),
        withdraw.rounds_to_correct(node.clock, node.settings.outcome_hours),
        *exchange_notes.rounds_to_exchange(),
        checks.rounds_with_pending(),
        known.where(RoundRow.round_id.in_(told)),
    )
    query = select(RoundRow.round_id).where(RoundRow.round_id.in_(going))
    with node.store.reading("rounds.open") as session:
        return list(session.scalars(query.order_by(RoundRow.discovered_at, RoundRow.round_id)))


async def _look_after_hits(node: NodeContext) -> bool:
    """Erase what retention ends, and look whether hits are gone; raises as `close.expire` does."""
    erased = await to_thread(close.expire, node)
    await to_thread(look_for_missing, node.store)
    return erased


def _is_behind(store: Store, round_id: str, newest: int) -> bool:
    """Return whether a round's feed has something about withdrawals that this node has not read."""
    with store.reading("rounds.behind") as session:
        row = session.get(RoundRow, round_id)
    return row is not None and row.refused is None and row.cursor < newest


_LONGEST_HOLD = 3_600
_FIRST_LOOKS = 5  # of `poll_seconds`, until the first look by itself
_GROWTH = 8
_MOST_ROUNDS = 300


class Listener:
    """Waits for news between two steps of the driver."""

    def __init__(self, node: NodeContext, rounds: Callable[[], Sequence[str]]) -> None:
        self._node = node
        self._rounds = rounds
        self._patience = self._first
        self._broken = False

    @property
    def _first(self) -> float:
        return _FIRST_LOOKS * self._node.settings.poll_seconds

    async def wait(self, seconds: float) -> None:
        """Wait until the matcher has news, or it is time to look.

        Where no call can be held, that is after some seconds.
        """
        node, patience = self._node, self._patience
        self._patience = self._first
        if node.contact.obstacle is not None or node.contact.state is None:
            await asyncio.sleep(seconds)
            return
        rounds = await to_thread(self._rounds)
        began = time.monotonic()
        ends = min(patience, node.retries.seconds(), await to_thread(_until_deadline, node, rounds))
        try:
            async with asyncio.timeout(ends):
                node.contact.held = await self._hold(rounds)
                node.contact.answered(node.clock())
            self._broken = False
        except TimeoutError:
            self._broken = False
            if ends == patience:
                self._patience = min(_GROWTH * patience, _LONGEST_HOLD)
        except AquilaError as error:
            # A look shows whether the matcher is away. Where calls break again and again, looks have their usual pace.
            if isinstance(error, PeerUnavailableError):
                node.contact.lost(node.clock(), error)
            else:
                node.contact.answered(node.clock())
            again, self._broken = self._broken, True
            _LOG.info("long_poll_broke", seconds=round(time.monotonic() - began), error=error)
            if again:
                await asyncio.sleep(max(0.0, seconds - (time.monotonic() - began)))

    async def _hold(self, rounds: Sequence[str]) -> LongPollResult:
        """Hold a call and return its answer, with what the next step would ask for at once.

        Raises:
            PeerUnavailableError: The connection broke, or the matcher went away.
            AquilaError: The matcher refuses it, or the answer cannot be read.
        """
        node, asked_at = self._node, self._node.clock()
        read = await to_thread(_cursors, node, rounds[-_MOST_ROUNDS:])
        size = await to_thread(node.log.witness.seen_size, MATCHER)
        query = {
            "wait": _LONGEST_HOLD,
            "state": node.contact.state or "",
            "read": [f"{round_id}:{cursor}" for round_id, cursor in read.items()],
            "feeds": True,
            "log": size,
            "changes": True,
        }
        answer = await node.peer.call("GET", "/v1/rounds", params=query)
        return LongPollResult(read_rounds(answer.content, LongPollAnswer), asked_at, read, size)


def _cursors(node: NodeContext, rounds: Sequence[str]) -> dict[str, int]:
    """Return for each round the newest event that was read."""
    query = select(RoundRow.round_id, RoundRow.cursor).where(RoundRow.round_id.in_(rounds))
    with node.store.reading("listen.cursors") as session:
        return {row.round_id: row.cursor for row in session.execute(query)}


def _until_deadline(node: NodeContext, rounds: Sequence[str]) -> float:
    """Return the seconds until a deadline of one of the rounds passes, or sending may go on; at most an hour."""
    now, times = node.clock(), list[int]()
    for round_id in rounds:
        memory = node.rounds.of(round_id)
        with memory.reading() as round_:
            times += [*deadlines(round_.manifest), round_.notes_expire]
        times.append(memory.full_until)
    # A deadline has passed when its last second is over.
    return min((1.0 + at - now for at in times if at >= now), default=float(_LONGEST_HOLD))
