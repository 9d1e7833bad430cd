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
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from sqlalchemy import select

from aquila.errors import AquilaError
from aquila.protocol.messages.feed import LongPollAnswer
from aquila.protocol.registry import MATCHER
from services.kit.errors import PeerFullError, PeerUnavailableError
from services.kit.logging import Log
from services.kit.work.drivers import Driver, each, raise_last
from services.node.context import LongPollResult, NodeContext
from services.node.rounds import work
from services.node.rounds.due_steps import open_missing
from services.node.rounds.reported_hits import look_for_missing
from services.node.steps import close, consent, sync, verify_logs
from services.node.steps.advance import take, turn
from services.node.steps.consent import read_rounds
from services.node.storage.states import Step
from services.node.storage.tables import RoundRow

_LOG = Log("node.driver")
_LAST_DELAY = 10.0
_AT_ONCE = 4  # rounds that are at work, and feeds that travel, at the same time
_EXPIRY_SECONDS = 3_600


class RoundsDriver:
    """Takes the due steps of all rounds of a node, a few at the same time: a slow round does not hold up the others.

    What is due stands in the rows of `services.node.rounds.work`. News of a round, and a person's request, wake it
    there; all rounds are woken after a start, after a wait without news, when the state of the matcher's list has
    changed, and while the matcher's log forbids to sign.
    """

    def __init__(self, node: NodeContext) -> None:
        self._node = node
        self._busy = self._ends_early = False
        self._expires_at = 0

    def driver(self) -> Driver:
        """Return the driver that repeats `step`, and let handlers end its waits."""
        node = self._node
        driver = Driver(
            "rounds", self._turn, interval=node.settings.poll_seconds, last_delay=_LAST_DELAY, wait=Listener(node).wait
        )
        node.wake, node.stopping = driver.wake, lambda: driver.stopping
        return driver

    async def _turn(self) -> bool:
        """Take one step, finish the work that it makes possible, and return whether more is due already."""
        await self.step()
        ends, due = turn(self._node), await self._due()
        while due and not ends() and not any(Step.LOOK in steps for steps in due.values()):
            await each(due.items(), lambda one: self._take(*one), _AT_ONCE)
            due = await self._due()
        return bool(due)

    async def step(self) -> bool:
        """Look at the matcher's log, take each due step of every round once, and return whether there was any work.

        Raises:
            AquilaError: No round can go on now: the matcher is away, the disk is full, or a log was rewritten.
        """
        node = self._node
        held, node.contact.held = node.contact.held, None
        await to_thread(self._wake, held)
        due = await self._due()
        await to_thread(self._forget_resting)
        looks = [round_id for round_id, steps in due.items() if Step.LOOK in steps]
        # The feeds travel while the log is looked at, or have come with a long poll. Nothing of them counts before the
        # log was found right.
        pages = {one: create_task(sync.fetch(node, one, held)) for one in looks[:_AT_ONCE]}
        try:
            return await self._step(due, pages, held)
        finally:
            for page in pages.values():
                page.cancel()
            await gather(*pages.values(), return_exceptions=True)

    async def _due(self) -> dict[str, frozenset[Step]]:
        return await to_thread(work.due, self._node.store, self._node.clock)

    def _wake(self, held: LongPollResult | None) -> None:
        """Wake the rounds of which a long poll brought news; all of them where it does not say which."""
        node = self._node
        if node.contact.obstacle is not None:
            work.wake_all(node.store)
        if held is None:
            return
        feeds = held.news.feeds
        if feeds is None or held.news.state != node.contact.state:
            work.wake_all(node.store)
        elif told := [round_id for round_id, page in feeds.items() if page.events]:
            with node.store.transaction("work.news") as session:
                for round_id in told:
                    work.put(session, round_id, Step.LOOK)

    def _forget_resting(self) -> None:
        """Forget what is known of most rounds that are over: a node has years of them."""
        self._node.rounds.forget_resting(work.open_rounds(self._node.store))

    async def _step(
        self,
        due: Mapping[str, frozenset[Step]],
        pages: Mapping[str, Awaitable[sync.FeedPage]],
        held: LongPollResult | None,
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
            last = [partial(_each_hour, node)]
            self._expires_at = node.clock() + _EXPIRY_SECONDS
        self._busy = self._ends_early = False
        try:
            self._busy = await _in_turn(
                partial(each, first, self._other),
                partial(each, due.items(), lambda one: self._take(one[0], one[1], pages.get(one[0])), _AT_ONCE),
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

    async def _take(self, round_id: str, steps: frozenset[Step], page: Awaitable[sync.FeedPage] | None = None) -> bool:
        """Take each of these steps of a round once, and those that follow, if they are due then.

        Returns:
            Whether there was anything to do.
        """
        ends, busy, node = turn(self._node), False, self._node
        for step in Step:
            if step in steps and (taken := await to_thread(work.due_step, node.store, node.clock, round_id, step)):
                found = await take(node, taken, page, lambda: self._ends_early or ends())
                # A round lets the others have a look once one of them needs one.
                self._ends_early |= found.again and step is Step.LOOK
                busy, steps = busy | found.busy, steps | found.follows
        return busy

    async def _other(self, piece: Callable[[], Awaitable[bool]]) -> bool:
        """Take a piece that is about no round, and return whether it had anything to do; raises as the piece does."""
        busy = await piece()
        self._ends_early |= busy
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


async def _each_hour(node: NodeContext) -> bool:
    """Open rounds that have no row, erase what retention ends, and look for hits that are gone; raises as `expire`."""
    await to_thread(open_missing, node.store)
    erased = await to_thread(close.expire, node)
    await to_thread(look_for_missing, node.store)
    return erased


_LONGEST_HOLD = 3_600
_FIRST_LOOKS = 5  # of `poll_seconds`, until the first look at all rounds by itself
_GROWTH = 8
_MOST_ROUNDS = 300


class Listener:
    """Waits for news between two steps of the driver."""

    def __init__(self, node: NodeContext) -> None:
        self._node = node
        self._patience = self._first
        self._broken = False

    @property
    def _first(self) -> float:
        return _FIRST_LOOKS * self._node.settings.poll_seconds

    async def wait(self, seconds: float) -> None:
        """Wait until the matcher has news, or a step is due; where neither comes, all rounds are woken.

        Where no call can be held, that is after some seconds.
        """
        node, patience = self._node, self._patience
        self._patience = self._first
        if node.contact.obstacle is not None or node.contact.state is None:
            await asyncio.sleep(seconds)
            await to_thread(work.wake_all, node.store)
            return
        # A round that cannot go on has taken none of what came.
        rounds = await to_thread(work.open_rounds, node.store, without_failing=True)
        began = time.monotonic()
        ends = min(patience, await to_thread(work.seconds_left, node.store, node.clock))
        try:
            async with asyncio.timeout(ends):
                node.contact.held = await self._hold(rounds)
                node.contact.answered(node.clock())
            self._broken = False
        except TimeoutError:
            self._broken = False
            if ends == patience:
                self._patience = min(_GROWTH * patience, _LONGEST_HOLD)
                await to_thread(work.wake_all, node.store)
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
            await to_thread(work.wake_all, node.store)

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
