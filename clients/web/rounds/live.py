"""Changes while somebody watches a page: server-sent events, from looks at the service in short intervals."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field

import anyio
from anyio import to_thread
from fastapi.responses import StreamingResponse

from aquila.errors import AquilaError
from clients.web.app.visit import SignInNeeded, Visit
from services.kit.http.connections import mark_caller_known

_LOOK_SECONDS = 1.0
_WATCH_SECONDS = 300  # then the browser comes back by itself; a session that ended meanwhile is found out
_DIGITS = 16


@dataclass(frozen=True, slots=True)
class LiveState:
    """One look at what a page shows.

    Attributes:
        shape: The structure of the page; when it changes, the page is loaded again.
        values: The changing values, by their names on the page.
        ended: Whether nothing will change any more.
    """

    shape: str
    values: Mapping[str, object] = field(default_factory=dict)
    ended: bool = False

    @property
    def mark(self) -> str:
        """A short digest of the shape, which is in the address of the events of the page that was made from it."""
        return hashlib.sha256(self.shape.encode()).hexdigest()[:_DIGITS]


def live(visit: Visit, look: Callable[[], LiveState], seconds: float = _LOOK_SECONDS) -> StreamingResponse:
    """Answer with changes as they happen (server-sent events), for some minutes.

    A change between the making of the page and the first look is not missed where the address says by `shown` from
    which shape the page was made.

    Args:
        visit: Who watches.
        look: Looks at the service with the visitor's session.
        seconds: The time between two looks.
    """
    return StreamingResponse(_events(visit, look, seconds), media_type="text/event-stream")


async def _events(visit: Visit, look: Callable[[], LiveState], seconds: float) -> AsyncIterator[str]:
    mark_caller_known(visit.request.scope)
    mark, sent = visit.request.query_params.get("shown", ""), ""
    for _ in range(int(_WATCH_SECONDS / seconds)):
        if visit.site.ended:
            return
        try:
            seen = await to_thread.run_sync(look, limiter=visit.site.threads)
        except (AquilaError, SignInNeeded):
            yield _event("ended")
            return
        if mark and mark != seen.mark:
            yield _event("changed")
            return
        mark, fresh = seen.mark, json.dumps(seen.values)
        if fresh != sent:
            yield _event("values", fresh)
            sent = fresh
        if seen.ended:
            yield _event("ended")
            return
        await anyio.sleep(seconds)


def _event(name: str, data: str = "{}") -> str:
    return f"event: {name}\ndata: {data}\n\n"
