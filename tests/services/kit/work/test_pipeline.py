"""Lanes: what overlaps, what keeps its order, and what a failure leaves."""

import asyncio
import json
from collections.abc import Awaitable

import pytest

from aquila.errors import DigestError, OrderError
from aquila.sentences import quoted
from services.kit.work.drivers import Failures, run_in_order, side_by_side, until
from tests.support.log_lines import Lines


class Lane:
    def __init__(self, fails_at: int = -1) -> None:
        self.fails_at = fails_at
        self.begun = 0
        self.most = 0
        self.finished: list[int] = []
        self.cancelled: list[int] = []

    async def begin(self, number: int) -> int:
        """Wait a turn or more of the loop, later pieces less often."""
        self.begun += 1
        self.most = max(self.most, self.begun - len(self.finished))
        try:
            for _ in range(20 - number if number % 2 else 1):
                await asyncio.sleep(0)
            if number == self.fails_at:
                raise DigestError(quoted("piece"), got=number)
            if 0 <= self.fails_at < number:
                await asyncio.sleep(3_600)
            return 2 * number
        except asyncio.CancelledError:
            self.cancelled.append(number)
            raise

    async def finish(self, number: int, begun: Awaitable[int]) -> None:
        assert await begun == 2 * number
        self.finished.append(number)


@pytest.mark.parametrize("ahead", [1, 3, 100])
async def test_pieces_are_finished_in_order_and_begun_ahead(ahead: int) -> None:
    """Whichever is ready first; never more than so many are in flight."""
    lane = Lane()
    assert await run_in_order(range(10), lane.begin, lane.finish, ahead) == 10
    assert lane.finished == list(range(10))
    assert lane.most == min(ahead, 10)


async def test_a_failure_cancels_what_was_begun_behind_it() -> None:
    lane = Lane(fails_at=2)
    with pytest.raises(DigestError):
        await run_in_order(range(10), lane.begin, lane.finish, 4)
    assert lane.finished == [0, 1]
    assert lane.cancelled
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_nothing_to_do() -> None:
    lane = Lane()
    assert await run_in_order([], lane.begin, lane.finish, 4) == 0


async def test_lanes_run_side_by_side(lines: Lines) -> None:
    ended, failures = [], Failures(0)

    async def lane(name: str, error: Exception | None = None) -> bool:
        await asyncio.sleep(0)
        ended.append(name)
        if error:
            raise error
        return name == "busy"

    assert await side_by_side(lane("busy"), lane("idle"), failures=failures)
    assert not await side_by_side(lane("idle"), lane("idle"), failures=failures)
    first, second = DigestError(quoted("x")), OrderError(quoted("y"))
    for _ in range(3):
        with pytest.raises(DigestError):
            await side_by_side(
                lane("first", first), lane("second", second), lane("third"), lane("fourth", first), failures=failures
            )
    assert ended[-4:] == ["first", "second", "third", "fourth"]
    parsed = [json.loads(line) for line in str(lines).splitlines()]
    assert [(line["event"], line["level"]) for line in parsed] == [
        ("lane_failed", "warning"),
        ("lane_failed", "warning"),
        ("lane_failed", "debug"),
    ]
    await side_by_side(lane("idle"), failures=failures)
    assert failures.count == 0


def test_a_turn_ends_and_takes_one_piece_at_least() -> None:
    """Even a turn that is over at once goes one piece further, so that there is progress."""
    assert list(until(lambda: True, [1, 2, 3])) == [1]
    assert list(until(lambda: False, [1, 2, 3])) == [1, 2, 3]
    assert list(until(lambda: False, [])) == []
