"""Lanes: many pieces of one kind in flight at once, each finished alone and in order.

What may overlap (fetching, computing, sending) is begun ahead; what must not (a transaction that counts) is finished
one after the other, in the order of the pieces. Nothing is remembered between two lanes: a step opens a lane over what
is stored, and the next step opens another one over what is then stored.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from typing import TypeVar

from services.kit.logging import Log
from services.kit.work.failures import Failures

_LOG = Log("kit.lanes")

Item = TypeVar("Item")
Result = TypeVar("Result")


async def run_in_order(
    items: Iterable[Item],
    begin: Callable[[Item], Coroutine[object, object, Result]],
    finish: Callable[[Item, Awaitable[Result]], Awaitable[None]],
    ahead: int,
) -> int:
    """Start up to `ahead` items concurrently, finish them in order, and return how many were finished.

    Items are drawn only when there is room for them. Where finishing one fails, those that were begun behind it are
    cancelled, and none of them is finished.

    Args:
        items: What is to be done.
        begin: Does the part that may overlap.
        finish: Awaits what `begin` gave for its item, and stores it; it decides what is done about an error.
        ahead: How many items at most are begun and not finished.

    Raises:
        Exception: What `finish` raises.
    """
    waiting: deque[tuple[Item, asyncio.Task[Result]]] = deque()
    done, left = 0, iter(items)
    try:
        while True:
            while len(waiting) < ahead and (item := next(left, None)) is not None:
                waiting.append((item, asyncio.create_task(begin(item))))
            if not waiting:
                return done
            await finish(*waiting[0])
            waiting.popleft()
            done += 1
    finally:
        begun = [task for _, task in waiting]
        for task in begun:
            task.cancel()
        await asyncio.gather(*begun, return_exceptions=True)


async def side_by_side(*lanes: Awaitable[bool], failures: Failures) -> bool:
    """Let lanes run at the same time, whatever becomes of the others, and return whether any had work.

    Args:
        lanes: They begin in their order.
        failures: Those of earlier calls that were not raised: what is no news is no warning.

    Raises:
        Exception: The first lane's error, in the order of the arguments; others are logged.
    """
    outcomes = await asyncio.gather(*lanes, return_exceptions=True)
    errors = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    others = [error for error in errors[1:] if error is not errors[0]]
    for error in others:
        is_news = not isinstance(error, Exception) or failures.add(error)
        (_LOG.warning if is_news else _LOG.debug)("lane_failed", error=error)
    if not others:
        failures.clear()
    if errors:
        raise errors[0]
    return any(outcomes)


def until(ends: Callable[[], bool], items: Iterable[Item]) -> Iterator[Item]:
    """Hand out items until it is time to end, and one at least; what is left is for the next turn."""
    for number, item in enumerate(items):
        if number and ends():
            return
        yield item
