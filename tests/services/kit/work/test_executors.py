"""The workers of a service: opened when needed, opened again when lost, closed for good."""

import asyncio
import os
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pytest

from aquila.errors import DigestError, ExecutorError
from aquila.sentences import quoted
from services.kit.settings import ServiceSettings
from services.kit.work.executors import ExecutorHandle, executor_handle_of, open_local
from services.kit.work.open_executor import OpenExecutor


def double(number: int) -> int:
    return 2 * number


def refuse(number: int) -> int:
    raise DigestError(quoted("no"), got=number)


def leave(_: int) -> int:
    os._exit(1)


class Breaking(Executor):
    """An executor whose pieces never come back, in one of several ways."""

    def __init__(self, way: str) -> None:
        self.way = way

    def submit(self, fn: object, /, *args: object, **kwargs: object) -> Future[Any]:
        del fn, args, kwargs
        if self.way == "at once":
            raise BrokenProcessPool
        future: Future[Any] = Future()
        if self.way == "cancelled":
            future.cancel()
            future.set_running_or_notify_cancel()
        elif self.way == "later":
            future.set_exception(BrokenProcessPool())
        return future


def opener(*executors: Executor) -> tuple[ExecutorHandle, list[Executor]]:
    closed: list[Executor] = []
    left = list(executors)

    def open_next() -> OpenExecutor:
        executor = left.pop(0)
        return OpenExecutor(executor, 3, lambda: closed.append(executor))

    return ExecutorHandle(open_next), closed


@pytest.mark.parametrize("way", ["at once", "later", "cancelled"])
async def test_a_lost_executor_is_opened_again(way: str) -> None:
    """The piece is lost with an error that says so, and the next one goes to a new executor."""
    with ThreadPoolExecutor(1) as good:
        broken = Breaking(way)
        workers, closed = opener(broken, good)
        with pytest.raises(ExecutorError, match="gone"):
            await workers.run(double, 1)
        assert closed == [broken]
        assert await workers.run(double, 2) == 4
        workers.close()
        assert closed == [broken, good]


async def test_an_error_of_the_piece_is_its_own() -> None:
    with ThreadPoolExecutor(1) as good:
        workers, closed = opener(good)
        with pytest.raises(DigestError):
            await workers.run(refuse, 1)
        with pytest.raises(DigestError), workers.lend() as lend:
            lend.executor.submit(refuse, 1).result()
        assert await workers.run(double, 2) == 4
        assert closed == []


async def test_who_waits_can_be_cancelled() -> None:
    workers, closed = opener(Breaking("never"))
    task = asyncio.create_task(workers.run(double, 1))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed == []


def test_a_lent_executor_that_breaks_is_let_go() -> None:
    """A thread that hands in pieces by itself hears the same."""
    broken = Breaking("later")
    workers, closed = opener(broken)
    with pytest.raises(ExecutorError), workers.lend() as lend:
        lend.executor.submit(double, 1).result()
    assert closed == [broken]


async def test_nothing_is_taken_after_the_end() -> None:
    workers, _ = opener()
    workers.close()
    workers.close()
    with pytest.raises(ExecutorError, match="stopping"):
        await workers.run(double, 1)


async def test_one_local_worker_is_a_thread(tmp_path: Path) -> None:
    """No process is started for it, and two pieces at most are in flight."""
    workers = executor_handle_of(ServiceSettings(home=tmp_path, workers=1), [])
    assert isinstance(workers.start().executor, ThreadPoolExecutor)
    assert workers.start().ahead == 2
    assert await workers.run(double, 4) == 8
    workers.close()


async def test_small_work_opens_nothing() -> None:
    workers, _ = opener()
    assert await workers.run(double, 2, small=True) == 4
    with pytest.raises(DigestError):
        await workers.run(refuse, 2, small=True)


async def test_a_process_that_was_killed_is_noticed_by_a_look() -> None:
    """Between pieces too: the look gives the broken pool back, counts the loss, and the next piece works."""
    workers = ExecutorHandle(lambda: open_local(2, ()))
    assert workers.current_state().workers == 0
    assert await workers.run(double, 2) == 4
    assert workers.current_state().workers == 2
    assert workers.current_state().lost == 0
    opened = workers.start()
    with pytest.raises(ExecutorError):
        await workers.run(leave, 0)
    assert workers.current_state().lost == 1
    assert workers.current_state().workers == 0
    assert await workers.run(double, 3) == 6
    again = workers.start()
    assert again is not opened
    with pytest.raises(BrokenProcessPool):  # as if it were killed between two pieces: nobody here is told
        await asyncio.wrap_future(again.executor.submit(leave, 0))
    found = workers.current_state()
    assert found.lost == 2
    assert found.lost_seconds is not None
    assert found.error is None
    assert found.piece_seconds == 0
    workers.close()


async def test_workers_that_cannot_start_say_why() -> None:
    """The reason stays until they start; a piece in hand has an age, and its end is progress."""
    refusals = [ExecutorError(quoted("away"))]

    def open_() -> OpenExecutor:
        if refusals:
            raise refusals.pop()
        return open_local(1, ())

    workers = ExecutorHandle(open_)
    with pytest.raises(ExecutorError):
        workers.start()
    assert str(workers.current_state().error) == "away"
    with workers.lend() as opened:
        assert workers.current_state().piece_seconds > 0
        before = workers.quiet_seconds
        assert opened.executor.submit(double, 4).result() == 8
        assert opened.ahead == 2
    assert workers.quiet_seconds < before + 60
    assert workers.current_state().error is None
    workers.close()
