"""Drivers: they go on, wait longer after failures, and stop when they are told to."""

import asyncio
import json
import time

import pytest

from aquila.errors import OrderError
from aquila.sentences import quoted
from services.kit.errors import PeerUnavailableError, StoreError
from services.kit.work.drivers import Driver, each, stop_all
from tests.support.log_lines import Lines


async def _until(condition: object) -> None:
    assert callable(condition)
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.005)


async def _fail(error: Exception) -> bool:
    raise error


async def test_a_busy_step_runs_again_at_once_and_an_idle_one_waits() -> None:
    work = [1, 2, 3]
    steps = 0

    async def step() -> bool:
        nonlocal steps
        steps += 1
        return bool(work) and bool(work.pop())

    driver = Driver("d", step, interval=60)
    driver.start()
    await _until(lambda: steps == 4)
    await asyncio.sleep(0.05)
    assert steps == 4
    driver.wake()
    await _until(lambda: steps == 5)
    await driver.stop()


async def test_a_wake_during_a_step_is_not_lost() -> None:
    """What arrives while a driver looks elsewhere is seen at once."""
    steps = 0

    async def step() -> bool:
        nonlocal steps
        steps += 1
        if steps == 1:
            driver.wake()
        return False

    driver = Driver("d", step, interval=60)
    driver.start()
    await _until(lambda: steps == 2)
    await driver.stop()


@pytest.mark.parametrize(
    "error",
    [
        PeerUnavailableError(quoted("away")),
        StoreError(quoted("failed")),
        OrderError(quoted("x")),
        ValueError("Muhamed"),
    ],
)
async def test_a_failing_step_is_logged_and_tried_again(error: Exception, lines: Lines) -> None:
    steps = 0

    async def step() -> bool:
        nonlocal steps
        steps += 1
        if steps < 3:
            raise error
        return False

    driver = Driver("d", step, interval=60, last_delay=0.01)
    driver.start()
    await _until(lambda: steps == 3)
    await asyncio.sleep(0.01)
    await driver.stop()
    parsed = [json.loads(line) for line in str(lines).splitlines()]
    assert [(line["event"], line["count"]) for line in parsed] == [
        ("step_failed", 1),
        ("step_failed", 2),
        ("step_recovered", 2),
    ]
    assert "Muhamed" not in str(lines)


async def test_an_item_of_a_peer_that_is_away_is_no_line_of_its_own(lines: Lines) -> None:
    away = PeerUnavailableError("peer_answer_failed", status_code=503)
    with pytest.raises(StoreError):
        await each([away, OrderError(quoted("x")), StoreError(quoted("y"))], _fail)
    parsed = [json.loads(line) for line in str(lines).splitlines()]
    assert [line["level"] for line in parsed] == ["debug", "warning"]


async def test_a_failure_is_logged_once(lines: Lines) -> None:
    one, other = OrderError(quoted("x")), StoreError(quoted("y"))
    with pytest.raises(OrderError):
        await each([one, one], _fail)
    assert not str(lines)
    with pytest.raises(OrderError):
        await each([one, other, other, one], _fail)
    assert [json.loads(line)["event"] for line in str(lines).splitlines()] == ["item_failed"]


async def test_stopping_waits_for_the_step() -> None:
    finished = False

    async def step() -> bool:
        nonlocal finished
        await asyncio.sleep(0.05)
        finished = True
        return True

    driver = Driver("d", step)
    driver.start()
    await asyncio.sleep(0.01)
    await driver.stop()
    assert finished


async def test_a_step_that_hangs_is_cancelled() -> None:
    """Stopping ends, even if a peer never answers."""

    async def step() -> bool:
        await asyncio.sleep(60)
        return True

    drivers = [Driver("a", step), Driver("b", step)]
    for driver in drivers:
        driver.start()
    await asyncio.sleep(0.01)
    started = time.monotonic()
    await stop_all(drivers, grace=0.1)
    assert time.monotonic() - started < 30


async def test_a_driver_can_be_started_again_and_stopping_twice_is_nothing() -> None:
    steps = 0

    async def step() -> bool:
        nonlocal steps
        steps += 1
        return False

    driver = Driver("d", step, interval=60)
    await driver.stop()
    for expected in (1, 2):
        driver.start()
        await _until(lambda expected=expected: steps == expected)
        await driver.stop()
        await driver.stop()


async def test_one_failing_item_does_not_stop_the_others() -> None:
    done: list[int] = []

    async def work(item: int) -> bool:
        if item == 2:
            raise OrderError(quoted("not due"), round="r2")
        done.append(item)
        return item == 1

    with pytest.raises(OrderError) as caught:
        await each([1, 2, 3], work)
    assert done == [1, 3]
    assert caught.value.fields["round"] == "r2"
    assert await each([1, 3], work) is True
    assert await each([3], work) is False


async def test_quiet_looks_become_rare() -> None:
    """A driver that finds nothing waits twice as long each time, up to its longest; a wake or work begins that anew."""
    waits: list[float] = []
    work = [False] * 4 + [True] + [False] * 2

    async def step() -> bool:
        return work.pop(0)

    async def wait(seconds: float) -> None:
        waits.append(seconds)
        if not work:
            await asyncio.sleep(60)

    driver = Driver("d", step, interval=1, longest=4, wait=wait)
    driver.start()
    await _until(lambda: len(waits) == 6)
    assert waits == [1, 2, 4, 4, 1, 2]
    work.append(False)
    driver.wake()
    await _until(lambda: len(waits) == 7)
    assert waits[-1] == 1
    await driver.stop()


async def test_a_wait_ends_when_the_driver_is_woken() -> None:
    begun = ended = 0

    async def step() -> bool:
        return False

    async def wait(_seconds: float) -> None:
        nonlocal begun, ended
        begun += 1
        try:
            await asyncio.sleep(60)
        finally:
            ended += 1

    driver = Driver("d", step, wait=wait)
    driver.start()
    await _until(lambda: begun == 1)
    driver.wake()
    await _until(lambda: (begun, ended) == (2, 1))
    await driver.stop()
    assert ended == 2


async def test_a_wait_that_fails_is_logged_and_slept(lines: Lines) -> None:
    """The driver does not run without a pause; the failure has lines, ever more rarely, and a wake ends the sleep."""
    steps = waits = 0

    async def step() -> bool:
        nonlocal steps
        steps += 1
        return False

    async def wait(_seconds: float) -> None:
        nonlocal waits
        waits += 1
        raise ValueError("Muhamed")

    driver = Driver("d", step, interval=3_600, wait=wait)
    driver.start()
    for number in (1, 2, 3):
        await _until(lambda number=number: (steps, waits) == (number, number))
        for _ in range(20):  # turns of the loop, in which a driver without a pause would take further steps
            await asyncio.sleep(0)
        assert steps == number
        driver.wake()
    await driver.stop()
    parsed = [json.loads(line) for line in str(lines).splitlines()]
    assert [(line["event"], line["count"], line["level"]) for line in parsed][:3] == [
        ("wait_failed", 1, "warning"),
        ("wait_failed", 2, "warning"),
        ("wait_failed", 3, "debug"),
    ]
    assert "Muhamed" not in str(lines)
