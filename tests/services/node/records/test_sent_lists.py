"""A list that is read for a caller: the reading ends when the caller is gone."""

import asyncio
from threading import Event
from typing import BinaryIO

import pytest
from fastapi import Request
from starlette.types import Message

from aquila.errors import InputError
from aquila.records.reading.endable import EndableFile
from services.kit.work import threads
from services.kit.work.memory import PATIENCE
from services.kit.work.threads import Pool
from services.node.api import rounds
from services.node.api.rounds import read_sent_list
from services.node.context import NodeContext
from tests.support.node_world import World

KEY = "ab" * 16


def request_of(gone: asyncio.Event) -> Request:
    waiting = [b"record_id"]

    async def receive() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop()}
        await gone.wait()
        return {"type": "http.disconnect"}

    scope = {"type": "http"}
    threads.begin_call(scope, Pool.PEOPLE)
    return Request(scope, receive)


class Work:
    def __init__(self, node: NodeContext, key: str | None = None) -> None:
        self.node, self.key = node, key
        self.begun, self.ended = Event(), Event()

    def __call__(self, file: BinaryIO) -> None:
        assert isinstance(file, EndableFile)
        file.at_end(self.ended.set)
        with self.node.lists.reading(self.key):
            self.begun.set()
            self.ended.wait()
            file.check()


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "_LOOK_SECONDS", 0.05)


async def test_a_caller_that_hangs_up(world: World) -> None:
    node, gone = world.nodes["AL"].node, asyncio.Event()
    work = Work(node)
    reading = asyncio.create_task(read_sent_list(request_of(gone), node, None, work))
    await asyncio.to_thread(work.begun.wait)
    assert not await asyncio.to_thread(work.ended.wait, 0.3)
    gone.set()
    with pytest.raises(InputError, match="its caller is gone"):
        await reading


async def test_a_caller_that_asks_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    node, now = world.nodes["AL"].node, [0.0]
    monkeypatch.setattr(node.lists, "clock", lambda: now[0])
    work = Work(node, KEY)
    reading = asyncio.create_task(read_sent_list(request_of(asyncio.Event()), node, None, work, KEY))
    await asyncio.to_thread(work.begun.wait)
    now[0] += PATIENCE
    node.lists.find(KEY)
    now[0] += PATIENCE
    assert not await asyncio.to_thread(work.ended.wait, 0.3)
    now[0] += 1
    with pytest.raises(InputError, match="its caller is gone"):
        await reading


async def test_a_call_that_is_given_up(world: World) -> None:
    node = world.nodes["AL"].node
    work = Work(node)
    reading = asyncio.create_task(read_sent_list(request_of(asyncio.Event()), node, None, work))
    await asyncio.to_thread(work.begun.wait)
    reading.cancel()
    assert await asyncio.to_thread(work.ended.wait, 20)
    with pytest.raises(asyncio.CancelledError):
        await reading
