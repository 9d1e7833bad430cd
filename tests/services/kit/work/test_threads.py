"""Threads by kind of caller: whoever holds all of one kind keeps no other caller waiting."""

import asyncio
import threading

import pytest

from services.kit.errors import BusyError
from services.kit.http.signed_calls import _Signature
from services.kit.people.permissions import Permission
from services.kit.work import threads
from services.kit.work.threads import Pool


@pytest.mark.parametrize("held", Pool)
async def test_a_kind_of_caller_waits_for_no_other(held: Pool) -> None:
    release = threading.Event()
    holding = [asyncio.ensure_future(threads.run(held, release.wait)) for _ in range(threads._THREADS[held])]
    try:
        for pool in set(Pool) - {held}:
            assert await threads.run(pool, lambda pool=pool: pool) is pool
        assert not any(one.done() for one in holding)
    finally:
        release.set()
        await asyncio.gather(*holding)


@pytest.mark.parametrize("pool", [Pool.PASSWORDS, Pool.PROVIDER])
async def test_what_anybody_may_ask_for_has_a_short_queue(pool: Pool) -> None:
    """Whoever comes when it is full is refused at once, and the number of those who wait stays what it was."""
    release, most = threading.Event(), threads._THREADS[pool] + threads._MOST_WAITING[pool]
    waiting = [asyncio.ensure_future(threads.run(pool, release.wait)) for _ in range(most)]
    await asyncio.sleep(0)
    try:
        for _ in range(3):
            with pytest.raises(BusyError):
                await threads.run(pool, release.wait)
        assert not any(one.done() for one in waiting)
    finally:
        release.set()
        await asyncio.gather(*waiting)


def test_parties_and_people_have_threads_of_their_own() -> None:
    """Signed calls and calls with a session are told apart by the check of their caller."""
    assert _Signature.pool is Pool.PARTIES
    assert Permission.pool is Pool.PEOPLE
