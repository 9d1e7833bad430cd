"""Threads for what blocks, in pools that do not wait for each other.

A service's event loop never blocks: what reads a database, a disk or a peer runs in a thread. Each kind of caller has
threads of its own, so that strangers cannot take those of parties, of people or of the drivers. What anybody may ask
for without an account has a short queue besides: whoever comes when it is full is asked to come again.

The process's default pool, in which a framework runs handlers that are plain functions, is used by no call of a
service. So a page's handler that lands there by mistake can wait for the service, and the service still answers.
"""

import functools
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from starlette.types import Scope

from services.kit.errors import BusyError

P = ParamSpec("P")
R = TypeVar("R")


class Pool(StrEnum):
    """The callers for whom a pool's threads are."""

    DRIVERS = "drivers"
    PARTIES = "parties"
    PEOPLE = "people"
    PAGES = "pages"
    SESSIONS = "sessions"
    PASSWORDS = "passwords"
    PROVIDER = "provider"
    HEALTH = "health"
    READY = "ready"


_THREADS: Mapping[Pool, int] = MappingProxyType(
    {
        Pool.DRIVERS: 32,
        Pool.PARTIES: 12,
        Pool.PEOPLE: 12,
        Pool.PAGES: 12,
        Pool.SESSIONS: 4,
        # Each takes tens of MiB: a thousand sign-ins at once do not take the machine's memory.
        Pool.PASSWORDS: 2,
        Pool.PROVIDER: 4,
        Pool.HEALTH: 1,
        Pool.READY: 1,
    }
)
_MOST_WAITING: Mapping[Pool, int] = MappingProxyType({Pool.PASSWORDS: 6, Pool.PROVIDER: 4})

MOST_STRANGERS = sum(_THREADS[pool] + waiting for pool, waiting in _MOST_WAITING.items())
"""How many callers without an account can be in the pools that have a queue; the pages keep more threads than that."""


@dataclass(slots=True)
class _Line:
    """The callers in a pool of an event loop: those with a thread and those who wait for one.

    anyio counts those who wait a moment after they came, which is too late for a limit.
    """

    limiter: CapacityLimiter
    most: int | None
    callers: int = 0


_LINES: RunVar[dict[Pool, _Line]] = RunVar("services.kit.work.threads")
_CALL: ContextVar[Pool] = ContextVar("services.kit.work.threads.call")
_SCOPE_KEY = "aquila.pool"


async def run(pool: Pool, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Do work in a thread of a pool."""
    line = _line_of(pool)
    if line.callers == line.most:
        raise BusyError("callers_too_many", pool=pool.value)
    line.callers += 1
    try:
        return await to_thread.run_sync(functools.partial(work, *args, **kwargs), limiter=line.limiter)
    finally:
        line.callers -= 1


async def run_call(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Do work of the present call in a thread of the pool that `begin_call` chose."""
    return await run(_CALL.get(), work, *args, **kwargs)


def begin_call(scope: Scope, pool: Pool) -> None:
    """Choose the threads of a call: those of its kind of caller, or of the pages where one of them makes it."""
    _CALL.set(scope.get(_SCOPE_KEY, pool))


def mark_page_call(scope: Scope) -> Scope:
    """Return the scope of a call that a page of this process makes: it gets threads of its own."""
    return {**scope, _SCOPE_KEY: Pool.PAGES}


def _line_of(pool: Pool) -> _Line:
    """Return the line of a pool in the running event loop."""
    lines = _LINES.get(None)
    if lines is None:
        lines = {one: _Line(CapacityLimiter(threads), _most_of(one)) for one, threads in _THREADS.items()}
        _LINES.set(lines)
    return lines[pool]


def _most_of(pool: Pool) -> int | None:
    return _THREADS[pool] + _MOST_WAITING[pool] if pool in _MOST_WAITING else None
