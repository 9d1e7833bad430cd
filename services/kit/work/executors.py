"""Executors of a service's heavy work: a pool of processes of this machine, or a Dask cluster of the same party.

A service makes one `ExecutorHandle` and hands pieces of work to it; `aquila.executors` says what such a piece may be.
The owner of the machine sees what travels there, so a cluster belongs to the party's own security zone.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, ParamSpec, TypeVar

from aquila.crypto.backend import usable_cores
from aquila.errors import AquilaError, ExecutorError, InputError
from aquila.executors import local_pool
from services.kit.logging import Log
from services.kit.settings import ServiceSettings
from services.kit.work.open_executor import OpenExecutor

_LOG = Log("kit.executors")
_LONGEST_SECONDS = 900  # a cluster that lost all its workers waits for new ones for ever

Item = TypeVar("Item")
Result = TypeVar("Result")
Parameters = ParamSpec("Parameters")


@dataclass(frozen=True, slots=True)
class WorkersState:
    """The state of a service's workers."""

    workers: int
    """How many there are; 0 while none were needed."""
    lost: int
    """How often they were lost since the start."""
    lost_seconds: float | None
    """Seconds since they were lost last, or None."""
    pieces: int
    """Pieces of work in hand: with a worker, or waiting for one."""
    piece_seconds: float
    """Seconds that the oldest piece of work in hand has taken; 0 without one."""
    error: AquilaError | None
    """Why they could not be started the last time, or None."""


class _Watched(Executor):
    """An executor that reports each piece of work that ends; it is closed by its owner."""

    def __init__(self, inner: Executor, ended: Callable[[Future[Any]], None]) -> None:
        self._inner = inner
        self._ended = ended

    def submit(
        self, fn: Callable[Parameters, Result], /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Future[Result]:
        """Hand in a piece of work."""
        future = self._inner.submit(fn, *args, **kwargs)
        future.add_done_callback(self._ended)
        return future


class ExecutorHandle:
    """A service's executor, opened when it is first needed and again after it was lost. Safe in threads."""

    def __init__(self, opener: Callable[[], OpenExecutor]) -> None:
        self._opener = opener
        self._open: OpenExecutor | None = None
        self._closed = False
        self._lock = threading.Lock()
        self._lost_count = 0
        self._lost_at: float | None = None
        self._used = False
        self._pieces: dict[int, float] = {}
        self._progress_at = time.monotonic()
        self._error: AquilaError | None = None

    def start(self) -> OpenExecutor:
        """Return the open executor.

        Raises:
            ExecutorError: It cannot be reached now, or the service is stopping.
            InputError: It cannot be used at all.
        """
        with self._lock:
            if self._closed:
                raise ExecutorError("service_stopping")
            if self._open is None:
                try:
                    self._open = self._opener()
                except (ExecutorError, InputError) as error:
                    self._error = error
                    raise
                self._error = None
            return self._open

    @property
    def quiet_seconds(self) -> float:
        """Return the seconds since a piece of work ended last, or since the start."""
        return time.monotonic() - self._progress_at

    def current_state(self) -> WorkersState:
        """Return the state of the workers; an executor that was lost is given back here, and opened when needed.

        An executor reports a lost process to its next caller: here that is an empty piece, handed in between others.
        Before the first piece there is no process to lose.
        """
        with self._lock:
            opened = self._open if self._used and not self._pieces else None
        if opened is not None:
            try:
                opened.executor.submit(_nothing, None)
            except RuntimeError:  # broken, or closed meanwhile
                if self._release(opened):
                    # The end of its processes may take a while: nobody who looks waits for that.
                    threading.Thread(target=opened.close, daemon=True).start()
        with self._lock:
            now, opened = time.monotonic(), self._open
            return WorkersState(
                workers=0 if opened is None else opened.workers,
                lost=self._lost_count,
                lost_seconds=None if self._lost_at is None else now - self._lost_at,
                pieces=len(self._pieces),
                piece_seconds=now - min(self._pieces.values(), default=now),
                error=self._error,
            )

    async def run(self, function: Callable[[Item], Result], item: Item, *, small: bool = False) -> Result:
        """Do one piece of work and return its result; the event loop goes on meanwhile.

        Args:
            function: At the top level of a module.
            small: Whether the work takes a few milliseconds, less than the way to a worker: a thread does it here.

        Raises:
            ExecutorError: The worker or the whole executor is gone; the same piece can be handed in again.
            Exception: What the function raises.
        """
        if small:
            return await asyncio.to_thread(function, item)
        opened = await asyncio.to_thread(self.start)
        with self._in_hand():
            return await self._run_on(opened, function, item)

    async def _run_on(self, opened: OpenExecutor, function: Callable[[Item], Result], item: Item) -> Result:
        """Do one piece of work on an open executor; raises as `run` does."""
        try:
            # Handing in may take a while too: the item is pickled, or goes over a network.
            future = await asyncio.to_thread(opened.executor.submit, function, item)
        except RuntimeError:
            raise await asyncio.to_thread(self._lost, opened) from None  # broken, or closed meanwhile
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                return await asyncio.wrap_future(future)
        except (BrokenExecutor, TimeoutError):
            raise await asyncio.to_thread(self._lost, opened) from None
        except asyncio.CancelledError:
            if future.cancelled() and not _is_cancelled():
                raise await asyncio.to_thread(self._lost, opened) from None  # nobody here did it: the executor ended
            raise

    @contextlib.contextmanager
    def lend(self) -> Iterator[OpenExecutor]:
        """Lend the executor to a thread that hands in pieces by itself; raises as `run` does."""
        opened = self.start()
        try:
            with self._in_hand():
                yield replace(opened, executor=_Watched(opened.executor, self._note_progress))
        except (BrokenExecutor, CancelledError, ExecutorError):
            raise self._lost(opened) from None

    def close(self) -> None:
        """End: pieces that have not begun are cancelled, and nothing is taken any more."""
        with self._lock:
            self._closed, opened, self._open = True, self._open, None
        if opened is not None:
            opened.close()

    @contextlib.contextmanager
    def _in_hand(self) -> Iterator[None]:
        """Note that a piece of work is in hand, until the block ends."""
        with self._lock:
            self._used, piece = True, object()
            self._pieces[id(piece)] = time.monotonic()
        try:
            yield
        finally:
            self._note_progress()
            with self._lock:
                del self._pieces[id(piece)]

    def _note_progress(self, _done: object = None) -> None:
        self._progress_at = time.monotonic()

    def _lost(self, opened: OpenExecutor) -> ExecutorError:
        """Release a broken executor, so that the next piece opens a new one; return the error to raise."""
        if self._release(opened):
            opened.close()
        return ExecutorError("dask_worker_gone")

    def _release(self, opened: OpenExecutor) -> bool:
        """Stop using a broken executor; return whether it was in use, so that it is closed once."""
        with self._lock:
            ours = self._open is opened
            if ours:
                self._open = None
                self._lost_count, self._lost_at = self._lost_count + 1, time.monotonic()
        if ours:
            _LOG.warning("executor_lost", count=opened.workers)
        return ours


def executor_handle_of(settings: ServiceSettings, preload: Sequence[str]) -> ExecutorHandle:
    """Return the workers of the settings, with modules that each process of a pool loads; nothing runs yet."""
    if settings.executor == "dask":
        return ExecutorHandle(lambda: open_cluster(settings))
    return ExecutorHandle(lambda: open_local(settings.workers, preload))


def open_local(workers: int, preload: Sequence[str]) -> OpenExecutor:
    """Return a pool of this machine, by default a worker for each core; a single worker is a thread of the service."""
    count = workers or usable_cores()
    pool = ThreadPoolExecutor(1, "worker") if count == 1 else local_pool(count, preload)
    return OpenExecutor(pool, count, lambda: pool.shutdown(wait=True, cancel_futures=True))


def open_cluster(settings: ServiceSettings) -> OpenExecutor:
    """Connect to the Dask cluster of the settings.

    Raises:
        ExecutorError: The scheduler cannot be reached, or has no workers.
    """
    try:
        # A service that does not ask for Dask neither imports nor needs it.
        from services.kit.work import cluster  # noqa: PLC0415 - only here
    except ModuleNotFoundError:
        raise InputError("dask_not_installed") from None
    return cluster.connect(settings)


def _nothing(_item: None) -> None:
    """Do nothing: a piece of work that only finds out whether the workers take one."""


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
