"""The seam of executors: order, bound, errors, and what happens when a worker or its parent is gone."""

import errno
import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from multiprocessing import Pipe, forkserver
from pathlib import Path
from types import SimpleNamespace

import pytest

from aquila.crypto.backend import usable_cores
from aquila.crypto.group import Group
from aquila.errors import DigestError, ExecutorError
from aquila.executors import (
    InProcess,
    begin_worker,
    end_with,
    few_collections,
    forked_pool,
    group_of,
    in_order,
    local_pool,
    share_freed_memory,
    with_group,
)
from aquila.sentences import quoted


def twice(number: int) -> int:
    time.sleep(0.002 * (5 - number % 5))
    return 2 * number


def fail_at_three(number: int) -> int:
    if number == 3:
        raise DigestError(quoted("no three", "take another"), got=number)
    return number


def leave_at_three(number: int) -> int:
    if number == 3:
        os._exit(1)
    return number


def process_of(_number: int) -> int:
    return os.getpid()


def name_of(group: Group, number: int) -> tuple[str, int]:
    return group.name, number


class Late(InProcess):
    """An executor whose futures are answered when they are asked; it knows how many wait and which were cancelled."""

    def __init__(self) -> None:
        self.waiting: list[LateFuture] = []
        self.most = 0

    def submit(self, fn: Callable[[int], int], /, *args: int, **_: int) -> Future[int]:
        future = LateFuture(self, partial(fn, *args))
        self.waiting.append(future)
        self.most = max(self.most, len(self.waiting))
        return future


class LateFuture(Future[int]):
    def __init__(self, executor: Late, call: Callable[[], int]) -> None:
        super().__init__()
        self.executor, self.call = executor, call

    def result(self, timeout: float | None = None) -> int:
        self.executor.waiting.remove(self)
        self.set_result(self.call())
        return super().result(timeout)


@pytest.mark.parametrize("ahead", [1, 2, 7, 100])
def test_results_come_in_order(ahead: int) -> None:
    """Whichever task ends first, results have the order of their items."""
    with local_pool(2) as pool:
        assert list(in_order(pool, twice, range(20), ahead)) == [2 * number for number in range(20)]


def test_nothing_to_do() -> None:
    assert list(in_order(InProcess(), twice, [], 3)) == []


def test_no_more_than_so_many_are_in_flight() -> None:
    """Items are drawn and handed in only when there is room, also through a chain of streams."""
    late, drawn = Late(), []

    def items() -> Iterator[int]:
        for number in range(12):
            drawn.append(number)
            yield number

    stream = in_order(late, twice, in_order(late, twice, items(), 3), 2)
    assert (next(stream), len(drawn)) == (0, 4)
    assert list(stream) == [4 * number for number in range(1, 12)]
    assert late.most == 4


def test_what_has_not_begun_is_cancelled() -> None:
    """Who stops listening, or meets an error, leaves no work behind."""
    late = Late()
    stream = in_order(late, fail_at_three, range(10), 4)
    assert next(stream) == 0
    stream.close()
    assert [future.cancelled() for future in late.waiting] == [True] * 3
    late = Late()
    with pytest.raises(DigestError):
        list(in_order(late, fail_at_three, range(10), 4))
    assert [future.cancelled() for future in late.waiting] == [True] * 3


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_comes_at_its_place(workers: int) -> None:
    with local_pool(workers) as pool:
        stream = in_order(pool, fail_at_three, range(10), 4)
        assert [next(stream) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(DigestError, match="no three") as caught:
            next(stream)
    assert (caught.value.hint, caught.value.fields) == ("take another", {"got": 3})


def test_a_worker_that_is_gone() -> None:
    """A process that dies is an error of our tree, when its result is asked for and when more is handed in."""
    with local_pool(2) as pool:
        stream = in_order(pool, leave_at_three, range(10), 10)
        with pytest.raises(ExecutorError, match="without an answer"):
            list(stream)
        with pytest.raises(ExecutorError, match="without an answer"):
            list(in_order(pool, twice, range(10), 1))


def test_a_pool_that_breaks_while_it_starts_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pipes for one more process are closed already when another one ends: that is a lost worker, too."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    with local_pool(2) as pool:
        monkeypatch.setattr(forkserver, "connect_to_new_process", refuse)
        with pytest.raises(ExecutorError, match="without an answer"):
            list(in_order(pool, twice, range(10), 1))


def test_a_task_gets_the_group_of_its_process() -> None:
    named = partial(with_group, name_of, "libsodium")
    with local_pool(2, ["aquila.crypto.backend"]) as pool:
        assert list(in_order(pool, named, range(3), 2)) == [("libsodium", number) for number in range(3)]
    assert list(in_order(InProcess(), named, range(3), 2)) == [("libsodium", number) for number in range(3)]
    assert group_of("libsodium") is group_of("libsodium")


def test_one_worker_is_this_process() -> None:
    assert isinstance(local_pool(1), InProcess)
    with local_pool() as pool:
        assert isinstance(pool, InProcess) == (usable_cores() == 1)


def test_a_pool_of_copies_of_this_process() -> None:
    ours = os.getpid()
    with forked_pool(2) as pool:
        assert list(in_order(pool, twice, range(20), 5)) == [2 * number for number in range(20)]
        assert ours not in set(in_order(pool, process_of, range(4), 2))
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert isinstance(forked_pool(1), InProcess)


def test_in_process_keeps_an_error_for_its_place() -> None:
    future = InProcess().submit(fail_at_three, 3)
    with pytest.raises(DigestError):
        future.result()


def _number_of(program: str) -> int:
    return int(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout)


def test_threads_use_freed_memory_of_each_other() -> None:
    """Sixteen threads that take and free memory one after another need that of one, once larger pieces were freed."""
    program = (
        "import threading\n"
        "from aquila.executors import share_freed_memory\n"
        "def resident():\n"
        "    with open('/proc/self/statm') as file: return int(file.read().split()[1]) * 4096 >> 20\n"
        "if {shared}: assert share_freed_memory()\n"
        "before, together, turn = resident(), threading.Barrier(16), threading.Lock()\n"
        "large = b'a' * (30 << 20)\n"
        "del large\n"
        "def work():\n"
        "    together.wait()\n"
        "    with turn: [b'a' * 60_000 for _ in range(100)]\n"
        "    together.wait()\n"
        "threads = [threading.Thread(target=work) for _ in range(16)]\n"
        "[thread.start() for thread in threads]\n"
        "[thread.join() for thread in threads]\n"
        "print(resident() - before)"
    )
    kept = [_number_of(program.format(shared=shared)) for shared in (False, True)]
    assert kept[1] < kept[0] / 4


@pytest.mark.parametrize("answer", [1, 0])
def test_the_c_library_is_told_of_one_heap(monkeypatch: pytest.MonkeyPatch, answer: int) -> None:
    """It says whether it took what it was told; a service runs on where it did not."""
    told: list[int] = []

    def mallopt(option: int, _value: int) -> int:
        told.append(option)
        return answer

    monkeypatch.setattr("aquila.executors.ctypes", SimpleNamespace(pythonapi=SimpleNamespace(mallopt=mallopt)))
    assert share_freed_memory() is bool(answer)
    assert told[0] == -8  # M_ARENA_MAX of glibc's malloc.h


def test_few_collections_within_a_block() -> None:
    threshold = gc.get_threshold()
    with few_collections():
        assert gc.get_threshold() > threshold
    assert gc.get_threshold() == threshold
    with pytest.raises(DigestError), few_collections():
        fail_at_three(3)
    assert gc.get_threshold() == threshold


def test_a_worker_leaves_ctrl_c_to_its_parent() -> None:
    before, ended, threshold = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM), gc.get_threshold()
    try:
        begin_worker()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        assert gc.get_threshold() > threshold
    finally:
        signal.signal(signal.SIGINT, before)
        signal.signal(signal.SIGTERM, ended)
        gc.set_threshold(*threshold)
        gc.unfreeze()


def test_a_worker_ends_with_its_parent() -> None:
    ours, theirs = Pipe()
    left: list[int] = []
    theirs.close()
    end_with(ours.fileno(), left.append)
    ours.close()
    assert left == [1]


def test_a_worker_does_not_run_the_program_once_more(tmp_path: Path) -> None:
    """What a command line imports costs each worker a tenth of a second; tasks are in modules."""
    program = tmp_path / "program.py"
    program.write_text(
        "import operator\n"
        "from aquila.executors import local_pool\n"
        "print('runs')\n"
        "if __name__ == '__main__':\n"
        "    with local_pool(2) as pool:\n"
        "        print(pool.submit(operator.add, 1, 2).result())\n"
        "    import __main__\n"
        "    print(__main__.__file__ == __file__)\n"
    )
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["runs", "3", "True"]
