"""Where a round stands: the steps of its way, the time that is left, and what changes while one watches."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio
from anyio import to_thread
from fastapi.responses import StreamingResponse

from aquila.errors import AquilaError
from aquila.protocol.messages.views import MatcherRoundView, NodeRoundView, Progress
from aquila.protocol.state import Phase
from clients.web.visit import SignInNeeded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from aquila.protocol.messages import Manifest
    from clients.web.visit import Visit

    Values = dict[str, object]
    RoundView = MatcherRoundView | NodeRoundView

ENDED = frozenset({Phase.CLOSED.value, Phase.ABORTED.value})
_LOOK_SECONDS = 1.0
_WATCH_SECONDS = 300  # then the browser comes back by itself; a session that ended meanwhile is found out


def _n(message: str) -> str:
    """Mark a message for the catalogue; it is translated where it is shown."""
    return message


_STEPS = (
    (Phase.PROPOSED, _n("Consents")),
    (Phase.OPEN, _n("Lists")),
    (Phase.MATCHING, _n("Comparison")),
    (Phase.REPORTING, _n("Results")),
    (Phase.CLOSED, _n("Closed")),
)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a round's way: what it is called, and whether the round is there or beyond."""

    name: str
    now: bool
    done: bool


def steps_of(view: RoundView) -> list[Step]:
    """Return the way of a round; one that was aborted is nowhere on it."""
    order = [phase.value for phase, _ in _STEPS]
    at = order.index(view.entry.phase) if view.entry.phase in order else -1
    over = view.entry.phase in ENDED
    return [
        Step(name, now=index == at and not over, done=index < at or (index == at and over))
        for index, (_, name) in enumerate(_STEPS)
    ]


def seconds_left(manifest: Manifest, phase: str, now: float) -> int:
    """Return the seconds to the deadline of a phase; 0 where it is over or has none."""
    window = manifest.window
    ends = {
        Phase.PROPOSED.value: window.consent_by,
        Phase.OPEN.value: window.submit_by,
        Phase.MATCHING.value: window.evaluate_by,
        Phase.REPORTING.value: window.closes_at,
    }
    return max(0, int(ends.get(phase, 0) - now))


def node_values(view: RoundView) -> Values:
    """Return what changes in a node's view, by the names that the page has for it."""
    assert isinstance(view, NodeRoundView)
    values: Values = {}
    for one in view.submissions:
        for name in ("prepared", "sent", "evaluated", "tokens_sent"):
            values |= _counted(f"{one.submission_id}-{name}", getattr(one, name))
    return values | _counted("evaluated_for_others", view.evaluated_for_others)


def matcher_values(view: RoundView) -> Values:
    """Return what changes in the matcher's view, by the names that the page has for it."""
    assert isinstance(view, MatcherRoundView)
    values: Values = {}
    for one in view.parties:
        for name in ("blinded", "evaluated", "tokens"):
            values |= _counted(f"{one.party}-{name}", getattr(one, name))
    return values


def shape_of(view: RoundView) -> str:
    """Return what a page is made of; where it changes, the page is loaded anew."""
    progressless: dict[str, Any] = {
        "submissions": {"__all__": {"prepared", "sent", "evaluated", "tokens_sent", "records", "elements"}},
        "parties": {"__all__": {"blinded", "evaluated", "tokens"}},
        "evaluated_for_others": True,
    }
    names = type(view).model_fields
    return view.model_dump_json(exclude={name: rule for name, rule in progressless.items() if name in names})


def live(visit: Visit, look: Callable[[], RoundView], values: Callable[[RoundView], Values]) -> StreamingResponse:
    """Answer with what changes in a round as it changes (server-sent events), for some minutes.

    Args:
        visit: Who watches.
        look: Fetches the round with the visitor's session.
        values: Takes what changes from it.
    """
    return StreamingResponse(_events(visit, look, values), media_type="text/event-stream")


async def _events(
    visit: Visit, look: Callable[[], RoundView], values: Callable[[RoundView], Values]
) -> AsyncIterator[str]:
    shape, told = "", ""
    for _ in range(_WATCH_SECONDS):
        if visit.site.ended:
            return
        try:
            view = await to_thread.run_sync(look, limiter=visit.site.threads)
        except (AquilaError, SignInNeeded):
            yield _event("ended")
            return
        if shape and shape != shape_of(view):
            yield _event("changed")
            return
        shape, fresh = shape_of(view), json.dumps(values(view))
        if fresh != told:
            yield _event("values", fresh)
            told = fresh
        if view.entry.phase in ENDED:
            yield _event("ended")
            return
        await anyio.sleep(_LOOK_SECONDS)


def _event(name: str, data: str = "{}") -> str:
    return f"event: {name}\ndata: {data}\n\n"


def _counted(name: str, count: Progress) -> Values:
    return {name: [count.done, count.of or 1], f"{name}-text": f"{count.done}/{count.of}"}
