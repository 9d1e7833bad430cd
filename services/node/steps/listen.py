"""Between two steps: one call held open at the matcher, answered as soon as there is news (PROTOCOL.md 9.6).

A node calls and is never called. While it has nothing to do, it holds one call, which says how far this node has read
the feed of each round; the matcher answers at the first event beyond that, with the feeds and the growth of its log.
Where the call breaks, or is answered at once again and again, the node looks every `poll_seconds` instead. It also
looks by itself when one of its own deadlines has passed, soon after it was last busy, and then ever more rarely.
"""

from __future__ import annotations

import asyncio
import time
from asyncio import to_thread
from collections.abc import Callable, Sequence

from sqlalchemy import select

from aquila.errors import AquilaError
from aquila.protocol.messages.feed import LongPollAnswer
from aquila.protocol.registry import MATCHER
from services.kit.errors import PeerUnavailableError
from services.kit.logging import Log
from services.node.context import LongPollResult, NodeContext
from services.node.rounds.requests import deadlines
from services.node.steps.discover import read_rounds
from services.node.storage.tables import RoundRow

_LOG = Log("node.listen")
_LONGEST_HOLD = 3_600
_FIRST_LOOKS = 5  # of `poll_seconds`, until the first look by itself
_GROWTH = 8
_MOST_ROUNDS = 300


class Listener:
    """Waits for news between two steps of the driver."""

    def __init__(self, node: NodeContext, rounds: Callable[[], Sequence[str]]) -> None:
        """Prepare.

        Args:
            node: The node.
            rounds: Gives the rounds that are not over here, but for those that wait for a retry.
        """
        self._node = node
        self._rounds = rounds
        self._patience = self._first
        self._broken = False

    @property
    def _first(self) -> float:
        return _FIRST_LOOKS * self._node.settings.poll_seconds

    async def wait(self, seconds: float) -> None:
        """Wait until the matcher has news, or it is time to look.

        Args:
            seconds: Between two looks where no call can be held.
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
                node.contact.takes_consignments = node.contact.held.news.feeds is not None
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
