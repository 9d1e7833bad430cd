"""Lists of persons that come with a call: spooled to a file, and read as long as the caller is there."""

import asyncio
import tempfile
from collections.abc import Callable
from typing import BinaryIO, TypeVar

from fastapi import Request

from aquila.records.reading.endable import EndableFile
from services.kit.settings import MEBIBYTE
from services.kit.storage.files import leave_room
from services.kit.work import threads
from services.node.api.dependencies import node_of
from services.node.records import list_reading

R = TypeVar("R")

_LOOK_SECONDS = 1.0


async def read_sent_list(
    request: Request, delivery: str | None, work: Callable[[BinaryIO], R], key: str | None = None
) -> R:
    """Do work on a list that stores nothing; it ends with its caller.

    The caller is gone when the connection is closed, the call is given up, or nobody asks for the progress any more.
    """
    with await sent_list(request, delivery) as stream, EndableFile(stream) as file:
        watching = asyncio.create_task(_end_with_caller(request, file, key))
        try:
            return await threads.run_call(work, file)
        finally:
            watching.cancel()
            file.end()  # a thread that a call has given up still reads


async def _end_with_caller(request: Request, file: EndableFile, key: str | None) -> None:
    lists, is_gone = node_of(request).lists, False
    while not is_gone:
        await asyncio.sleep(_LOOK_SECONDS)
        is_gone = lists.is_forgotten(key) or await request.is_disconnected()
    file.end()


async def sent_list(request: Request, delivery: str | None) -> BinaryIO:
    """Return the list that a call is about: the body, or a file that was delivered."""
    if delivery is None:
        return await _spooled(request)
    return await threads.run_call(list_reading.open_delivery, node_of(request), delivery)


async def _spooled(request: Request) -> BinaryIO:
    """Return the body as a file: a list is read row by row in a thread, and may be larger than memory.

    The file has no name on the disk, so that a crash leaves nothing of it.
    """
    settings = node_of(request).settings
    spool: BinaryIO = tempfile.TemporaryFile(dir=settings.home)  # noqa: SIM115 - the caller closes it
    try:
        async for piece in request.stream():
            leave_room(settings.home, len(piece), settings.limits.free_mebibytes * MEBIBYTE)
            await threads.run_call(spool.write, piece)
        await threads.run_call(spool.seek, 0)
    except BaseException:
        spool.close()
        raise
    return spool
