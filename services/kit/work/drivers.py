"""Drivers: the loops that advance what handlers stored.

A driver repeats one step. A step that did something runs again at once, one that found nothing to do waits for its
interval or for `wake`, and longer each time where that is asked for. A failure is logged and waited out, longer each
time up to a limit, and never ends the driver:
what cannot be done now is still there at the next step, because steps start from what is stored.

Lanes are many pieces of one kind in flight at once, each finished alone and in order. What may overlap (fetching,
computing, sending) is begun ahead; what must not (a transaction that counts) is finished one after the other, in the
order of the pieces. Nothing is remembered between two lanes: a step opens a lane over what is stored, and the next step
opens another one over what is then stored.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from random import SystemRandom
from typing import TypeVar

from aquila.errors import AquilaError
from services.kit.errors import PeerUnavailableError
from services.kit.logging import Log
from services.kit.work import threads
from services.kit.work.threads import Pool

_FIRST_DELAY = 0.5
_LEAST_SPREAD, MOST_SPREAD = 0.75, 1.25


class Failures:
    """The failures in a row of one thing that is tried again until it succeeds."""

    def __init__(self, last_delay: float) -> None:
        """Begin without any; `last_delay` is the longest wait in seconds."""
        self.count = 0
        self.error: Exception | None = None
        self._last_delay = last_delay

    def add(self, error: Exception) -> bool:
        """Count a failure, and return whether it is news (`is_news`)."""
        self.count += 1
        news = is_news(self.count, is_other=_reason(self.error) != _reason(error))
        self.error = error
        return news

    def clear(self) -> None:
        """Forget them: it succeeded."""
        self.count, self.error = 0, None

    def delay(self) -> float:
        """Return the seconds to the next try, as `delay_after` does."""
        return delay_after(self.count, self.error, self._last_delay)


def is_news(count: int, *, is_other: bool) -> bool:
    """Return whether the last of some failures in a row is news: another one than before, or the 1st, 2nd, 4th, 8th...

    A peer that is away for a day fails thousands of steps, and one reason each hour says as much.
    """
    return is_other or count & (count - 1) == 0


def delay_after(count: int, error: Exception | None, last_delay: float) -> float:
    """Return the seconds to the next try after failures: doubled each time, spread so that parties do not come in step.

    A peer that asks for a longer wait gets it, but no peer can put anything to sleep for longer than the limit. The
    waits of `services.kit.errors.RETRY_AFTER` are for callers of this service: a connection that broke is tried again
    at once.
    """
    asked = error.fields.get("retry_after") if isinstance(error, AquilaError) else None
    doubled = _FIRST_DELAY * 2.0 ** min(count - 1, 16)
    wanted = max(doubled, float(asked if isinstance(asked, int) else 0))
    return min(last_delay, wanted) * SystemRandom().uniform(_LEAST_SPREAD, MOST_SPREAD)


def _reason(error: Exception | None) -> str:
    return error.sentence.code if isinstance(error, AquilaError) else type(error).__name__


_LOG = Log("kit.drivers")
_LAST_DELAY = 60.0

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class DriverState:
    """The progress of a driver."""

    failures: int
    """Failed steps since the start."""
    failing: int
    """Failed steps in a row, up to now."""
    error: Exception | None
    """The last failure, while steps fail."""
    step_seconds: float
    """Seconds that the present step has taken; 0 between steps."""


class Driver:
    """One loop. Making one starts nothing; `start` needs a running event loop."""

    def __init__(
        self,
        name: str,
        step: Callable[[], Awaitable[bool]],
        interval: float = 5.0,
        last_delay: float = _LAST_DELAY,
        *,
        longest: float | None = None,
        wait: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Prepare a driver.

        Args:
            name: For logs.
            step: Does one small piece of work, and tells whether there was any. It may be cancelled between two of
                its transactions, and must be repeatable from there.
            interval: Seconds to wait when there was nothing to do.
            last_delay: Seconds to wait at most after a failure.
            longest: Seconds to wait at most when there was nothing to do again and again: each such wait is twice the
                one before, until the driver is woken or has something to do. `interval` if not given.
            wait: Waits for so many seconds when there was nothing to do, or until something else that it knows of
                happens; it is cancelled when the driver is woken. Where it fails, the driver sleeps for the seconds.
        """
        self.name = name
        self._step = step
        self._interval = interval
        self._longest = max(interval, longest or interval)
        self._quiet = 0
        self._pause = wait
        self._failures, self._all_failures = Failures(last_delay), 0
        self._failed_waits = Failures(last_delay)
        self._step_began: float | None = None
        self._woken = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    @property
    def stopping(self) -> bool:
        """Return whether `stop` was called: a step of many pieces then ends after the current one."""
        return self._stopping

    @property
    def state(self) -> DriverState:
        """Return the driver's progress. Safe in threads."""
        began = self._step_began
        seconds = 0.0 if began is None else time.monotonic() - began
        return DriverState(self._all_failures, self._failures.count, self._failures.error, seconds)

    def start(self) -> None:
        self._stopping = False
        self._task = asyncio.create_task(self._run(), name=f"driver {self.name}")

    def wake(self) -> None:
        """End the current wait: there is something to do. To be called in the event loop's thread."""
        self._woken.set()

    async def stop(self, grace: float = 10.0) -> None:
        """End after the current step, and cancel that step when it takes longer than `grace` seconds."""
        if self._task is None:
            return
        self._stopping = True
        self.wake()
        _, late = await asyncio.wait([self._task], timeout=grace)
        if late:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._task = None

    async def _run(self) -> None:
        while not self._stopping:
            delay = await self._attempt()
            await self._wait(self._pause if not self._failures.count else asyncio.sleep, delay)

    async def _attempt(self) -> float:
        """Take one step and return the seconds to wait for the next."""
        self._step_began = time.monotonic()
        try:
            busy = await self._step()
        except Exception as error:  # noqa: BLE001 - a driver never ends by itself; the failure is logged
            self._all_failures += 1
            write = _LOG.warning if self._failures.add(error) else _LOG.debug
            delay = self._failures.delay()
            write("step_failed", driver=self.name, count=self._failures.count, seconds=round(delay), error=error)
            return delay
        finally:
            self._step_began = None
        if self._failures.count:
            _LOG.info("step_recovered", driver=self.name, count=self._failures.count)
            self._failures.clear()
        if busy:
            self._quiet = 0
            return 0.0
        self._quiet += 1
        return min(self._longest, self._interval * 2.0 ** min(self._quiet - 1, 16))

    async def _wait(self, pause: Callable[[float], Awaitable[object]], seconds: float) -> None:
        """Pause, or go on at once when woken; a pause that fails is logged, and slept instead."""
        if not seconds or self._woken.is_set():
            await asyncio.sleep(0)
        else:
            try:
                await self._until_woken(pause(seconds))
                self._failed_waits.clear()
            except Exception as error:  # noqa: BLE001 - a driver never ends by itself; the failure is logged
                write = _LOG.warning if self._failed_waits.add(error) else _LOG.debug
                write("wait_failed", driver=self.name, count=self._failed_waits.count, error=error)
                await self._until_woken(asyncio.sleep(seconds))
        if self._woken.is_set():
            self._quiet = 0
            self._woken.clear()

    async def _until_woken(self, pause: Awaitable[object]) -> None:
        """Wait for the end of a pause, or until the driver is woken; raises as the pause does."""
        ways = [asyncio.ensure_future(self._woken.wait()), asyncio.ensure_future(pause)]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            _, outcome = await asyncio.gather(*ways, return_exceptions=True)
        if isinstance(outcome, Exception):
            raise outcome


async def each(items: Iterable[Item], work: Callable[[Item], Awaitable[bool]], at_once: int = 1) -> bool:
    """Do the work for every item, whatever becomes of the others, and return whether there was any.

    Args:
        items: They begin in their order.
        work: Does the work of one item, and returns whether there was any.
        at_once: How many items may be at work at the same time, so that a slow one does not hold up the others.

    Raises:
        AquilaError: The work failed for an item; the last such error, after all items had their turn, so that the
            driver waits. The others are logged.
    """
    places = asyncio.Semaphore(at_once)

    async def one(item: Item) -> bool:
        async with places:
            return await work(item)

    busy, failed = False, list[AquilaError]()
    for outcome in await asyncio.gather(*map(one, items), return_exceptions=True):
        if isinstance(outcome, AquilaError):
            failed.append(outcome)
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            busy |= outcome
    raise_last(failed)
    return busy


def raise_last(failed: Sequence[AquilaError]) -> None:
    """Raise the last failure, if there is one, and log the others: the driver logs the one that is raised, as news.

    One error that is the failure of many items is one failure.
    """
    if not failed:
        return
    for error in {id(error): error for error in failed if error is not failed[-1]}.values():
        # A peer that is away is the step's failure, and is logged there.
        write = _LOG.debug if isinstance(error, PeerUnavailableError) else _LOG.warning
        write("item_failed", error=error)
    raise failed[-1]


def threaded(step: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    """Return the step of a driver that works in a thread, and so may wait for database and disk."""
    return partial(threads.run, Pool.DRIVERS, step)


async def stop_all(drivers: Sequence[Driver], grace: float = 10.0) -> None:
    """Stop drivers, all at the same time."""
    await asyncio.gather(*(driver.stop(grace) for driver in drivers))


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
