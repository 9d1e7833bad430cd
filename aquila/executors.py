"""The seam through which independent pieces of work go: any `concurrent.futures.Executor`.

On one machine it is a pool of processes (`local_pool`), for short work this process itself (`InProcess`), on several
machines what a service hands in, such as that of Dask's `Client.get_executor()`. A piece of work is a function at the
top level of a module, and not of the program that is run; its argument and its result travel pickled, so it must last
well over ten milliseconds to be worth the way. Whoever runs the executor sees what travels: it belongs to the same
trust as the caller.
"""

import ctypes
import gc
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cache
from multiprocessing import forkserver, get_all_start_methods, get_context, parent_process, resource_tracker
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from threading import Lock, Thread
from types import ModuleType
from typing import ParamSpec, TypeVar

from aquila.crypto.backend import Backend, load_group, usable_cores
from aquila.crypto.group import Group
from aquila.errors import ExecutorError

Parameters = ParamSpec("Parameters")

_MOST_UNUSED = 256 << 10  # bytes that a process with threads keeps free at the end of its heap at most
_OWN_PIECE = 256 << 10  # bytes from which on such a process takes each piece from the system by itself
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # of mallopt(3)
_FEW_COLLECTIONS = 100_000  # objects that are made before Python looks for cycles, instead of 700

_STARTING = Lock()  # held while a process is started: `_without_program` exchanges a module meanwhile

Item = TypeVar("Item")
Label = TypeVar("Label")
Result = TypeVar("Result")


def in_order(
    executor: Executor, function: Callable[[Item], Result], items: Iterable[Item], ahead: int
) -> Iterator[Result]:
    """Yield the results of a function for many items, in their order, with a bounded number of them in flight.

    Items are drawn only when there is room for them, so a chain of such streams is bounded as a whole. When a task
    fails, its error is raised where its result would have come; then, and when the caller stops listening, tasks that
    have not begun are cancelled.

    Args:
        executor: Where the work goes.
        function: At the top level of a module, or a `partial` of one.
        items: Each is the argument of one task.
        ahead: How many tasks at most are handed in and not yet yielded; twice the number of workers keeps all busy.

    Raises:
        ExecutorError: A worker ended without an answer, such as one that the system stopped for want of memory.
        Exception: Whatever `items` and the function raise.
    """
    for _, result in labelled(executor, function, ((None, item) for item in items), ahead):
        yield result


def labelled(
    executor: Executor, function: Callable[[Item], Result], items: Iterable[tuple[Label, Item]], ahead: int
) -> Iterator[tuple[Label, Result]]:
    """Do as `in_order`; each item comes with a label that stays here and is yielded with its result."""
    waiting: deque[tuple[Label, Future[Result]]] = deque()
    try:
        for label, item in items:
            waiting.append((label, _submit(executor, function, item)))
            if len(waiting) >= ahead:
                yield _answer(*waiting.popleft())
        while waiting:
            yield _answer(*waiting.popleft())
    finally:
        for _, future in waiting:
            future.cancel()


def with_group(function: Callable[[Group, Item], Result], backend: Backend, item: Item) -> Result:
    """Call a task that computes in the group, with the group of the process in which this runs.

    `partial(with_group, function, "auto")` is what an executor can be given.
    """
    return function(group_of(backend), item)


@cache
def group_of(backend: Backend) -> Group:
    """Return the group of this process, made once; it uses one thread, because the processes share the cores.

    Raises:
        InputError: This machine cannot run the backend.
    """
    return load_group(1, backend)


def local_pool(workers: int | None = None, preload: Sequence[str] = ()) -> Executor:
    """Return an executor of this machine; leaving its `with` block ends its processes.

    Args:
        workers: How many processes; by default one for each core that this process may use. With one, the work is
            done in this process.
        preload: Modules that every worker needs; they are imported once and shared by all.
    """
    count = usable_cores() if workers is None else workers
    if count <= 1:
        return InProcess()
    return _FreshPool(count, mp_context=_context(preload), initializer=begin_worker)


def forked_pool(workers: int) -> Executor:
    """Return an executor as `local_pool` does, whose processes begin as copies of this one, with all that it imported.

    That saves the time of importing everything in another process. For a process that has no thread and no secret yet:
    a copy has this one's locks, in whatever state they are, and its memory.

    Args:
        workers: How many processes; with one, the work is done in this process.
    """
    if workers <= 1 or sys.platform != "linux":  # elsewhere libraries of the system have threads of their own
        return local_pool(workers)
    pool = _Pool(workers, mp_context=get_context("fork"), initializer=begin_worker)
    # All processes are started with the first piece of work. Ctrl-C stays blocked in them, as it does in `_context`.
    masked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        pool.submit(os.getpid)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, masked)
    return pool


class _Pool(ProcessPoolExecutor):
    """A pool of processes that is broken, and no error of the system, when one more of them cannot be started.

    A pool starts its processes when pieces of work are handed in. If one of them ends at that moment, the pipes that
    the next one needs are closed already, and `submit` of the standard library raises an `OSError`.
    """

    def submit(
        self, fn: Callable[Parameters, Result], /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Future[Result]:
        """Hand in a piece of work.

        Raises:
            BrokenProcessPool: A process has ended, or none can be started.
        """
        try:
            return super().submit(fn, *args, **kwargs)
        except OSError as error:
            raise BrokenProcessPool from error


class _FreshPool(_Pool):
    """A pool whose processes have what they import and nothing of this one, not even its program."""

    def submit(
        self, fn: Callable[Parameters, Result], /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Future[Result]:
        """Hand in a piece of work, which may start a process; raises as `_Pool.submit` does."""
        with _without_program():
            return super().submit(fn, *args, **kwargs)


class InProcess(Executor):
    """An executor that does every piece of work at once, where it is handed in."""

    def submit(
        self, fn: Callable[Parameters, Result], /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Future[Result]:
        """Call the function; its result or error is in the future already."""
        future: Future[Result] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  # it is raised again by whoever asks for the result
            future.set_exception(error)
        return future


@contextmanager
def few_collections() -> Iterator[None]:
    """Let Python look for cycles seldom within a block that makes very many small objects without any."""
    before = gc.get_threshold()
    gc.set_threshold(_FEW_COLLECTIONS)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def share_freed_memory() -> bool:
    """Have all threads of this process take memory from one heap, and give large pieces back to the system at once.

    By default the C library has up to eight heaps for each core, and what one thread frees is of no use to a thread
    with another heap. It also raises by itself how much each heap keeps, with each larger piece that is freed. So the
    memory of a service rises for many rounds with nothing in it. For a process that runs for months; to be called
    before it has threads. Their work is done one after another anyhow, as Python has it.

    Returns:
        Whether the C library of this system can be told so; where not, nothing changes.
    """
    mallopt = getattr(ctypes.pythonapi, "mallopt", None)  # the functions of all libraries of this process
    if mallopt is None:  # pragma: no cover  # another C library than glibc
        return False
    options = {_ARENA_MAX: 1, _TRIM_THRESHOLD: _MOST_UNUSED, _MMAP_THRESHOLD: _OWN_PIECE}
    return all(mallopt(option, value) for option, value in options.items())


def begin_worker() -> None:
    """Prepare a process of the pool: Ctrl-C is its parent's business, and without its parent it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # by which a pool ends its processes, whatever its own process does
    # Records and inputs are many small objects without cycles: looking for cycles among them costs a fifth of reading.
    gc.freeze()
    gc.set_threshold(_FEW_COLLECTIONS)
    parent = parent_process()
    if parent is not None:
        Thread(target=end_with, args=(parent.sentinel, os._exit), daemon=True).start()


def end_with(sentinel: int, leave: Callable[[int], object]) -> None:
    """Wait until a process has ended, then leave: a worker whose parent was killed would wait for work for ever."""
    wait([sentinel])
    leave(1)


def _context(preload: Sequence[str]) -> BaseContext:
    """Return how workers are started: from a small server process that holds no thread, lock or secret of ours.

    A plain fork would copy the locks of DuckDB's and of the group's threads in whatever state they are.
    """
    if "forkserver" not in get_all_start_methods():  # pragma: no cover  # Windows
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    # It imports them while the caller goes on. Ctrl-C is blocked meanwhile, and so it stays in the new process and in
    # all workers: from a terminal it goes to each of them, and would show a traceback of every one.
    resource_tracker.ensure_running()  # which unblocks it when it starts
    masked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, masked)
    return context


@contextmanager
def _without_program() -> Iterator[None]:
    """Let processes that are started within the block not run the program of this one once more.

    Python does so in each new process, for what the program itself defines. The functions of tasks are in modules, and
    a command line imports much that no task needs.
    """
    with _STARTING:
        program = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")  # has no file and no name by which it could be run
        try:
            yield
        finally:
            sys.modules["__main__"] = program


def _submit(executor: Executor, function: Callable[[Item], Result], item: Item) -> Future[Result]:
    try:
        return executor.submit(function, item)
    except BrokenExecutor:
        raise _lost() from None


def _answer(label: Label, future: Future[Result]) -> tuple[Label, Result]:
    try:
        return label, future.result()
    except BrokenExecutor:
        raise _lost() from None


def _lost() -> ExecutorError:
    return ExecutorError("worker_process_ended")
