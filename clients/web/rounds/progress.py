"""Progress of a round: its phases, the time that is left, and changes while somebody watches (server-sent events)."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
from anyio import to_thread
from fastapi.responses import StreamingResponse

from aquila.errors import AquilaError
from aquila.interface.rounds import MatcherRoundView, NodeRoundView, PairProgress, PairState, PartyAtNode, Progress
from aquila.protocol.rounds.round_state import ENDED_PHASES, Phase
from clients.web.app.visit import SignInNeededError, Visit
from clients.web.i18n.languages import Language, n_
from clients.web.text.labels import AWAITED
from services.kit.http.connections import mark_caller_known

Values = dict[str, object]
RoundView = MatcherRoundView | NodeRoundView

_STEPS = (
    (Phase.PROPOSED, n_("Consents")),
    (Phase.OPEN, n_("Lists")),
    (Phase.MATCHING, n_("Comparison")),
    (Phase.REPORTING, n_("Reports")),
    (Phase.CLOSED, n_("Closed")),
)


@dataclass(frozen=True, slots=True)
class ProgressStep:
    """A step of a round's way: what it is called, and whether the round is there or beyond."""

    name: str
    now: bool
    done: bool


def steps_of(view: RoundView) -> list[ProgressStep]:
    """Return the way of a round; one that was aborted is nowhere on it."""
    order = [phase.value for phase, _ in _STEPS]
    at = order.index(view.entry.phase) if view.entry.phase in order else -1
    over = view.entry.phase in ENDED_PHASES
    return [
        ProgressStep(name, now=index == at and not over, done=index < at or (index == at and over))
        for index, (_, name) in enumerate(_STEPS)
    ]


@dataclass(frozen=True, slots=True)
class Deadline:
    """The deadline that counts now: for what the time is, and the seconds that are left of it, 0 where it is over."""

    name: str
    left: int


def deadline(view: RoundView, now: float) -> Deadline:
    """Return the deadline that counts now.

    In `open` lists and evaluations come one after the other (PROTOCOL.md 3.10): the time is for lists until they are
    all there or their time is over, then for evaluations.
    """
    window, phase = view.manifest.window, view.entry.phase
    listed = all(one.listed for one in view.parties if one.takes_part)
    if phase == Phase.PROPOSED:
        name, end = n_("Time left for consents:"), window.consent_by
    elif phase == Phase.OPEN and not listed and now <= window.submit_by:
        name, end = n_("Time left for lists:"), window.submit_by
    elif phase == Phase.OPEN and now <= window.evaluate_by:
        name, end = n_("Time left for evaluations:"), window.evaluate_by
    else:
        name, end = n_("Time left until the round ends:"), window.closes_at
    return Deadline(name, max(0, int(end - now)))


def node_values(view: RoundView, language: Language) -> Values:
    assert isinstance(view, NodeRoundView)
    values = _time(view, language)
    for one in view.submissions:
        for name in ("prepared", "sent", "evaluated", "tokens_sent"):
            values |= _counted(f"{one.submission_id}-{name}", getattr(one, name))
    for party in view.parties:
        values |= _counted(f"{party.party}-evaluated", party.evaluated)
        values |= _counted(f"{party.party}-tokens", party.tokens)
        values |= {f"{party.party}-{name}": language.say(text) for name, text in words_of(party).items()}
        values[f"{party.party}-since"] = language.moment(party.since) if party.since else ""
        values[f"{party.party}-queries"] = language.number(party.queries)
    return values | _counted("evaluated_for_others", view.evaluated_for_others)


def words_of(party: PartyAtNode) -> dict[str, str]:
    """Return the description of a party in English, by the names of its parts on the page."""
    yes, no, unknown = n_("yes"), n_("not yet"), n_("not known here")
    return {
        "consented": yes if party.consented else no,
        "listed": yes if party.listed else no,
        "awaited": AWAITED[party.awaited.value],
        "has_hits": unknown if party.has_hits is None else yes if party.has_hits else no,
    }


def pair_table(view: MatcherRoundView) -> dict[str, dict[str, PairProgress | None]]:
    """Return each participant's pairs by the other party; None for itself, and for those that are not compared."""
    found = {frozenset((one.left, one.right)): one for one in view.pairs}
    return {
        party: {other: found.get(frozenset((party, other))) for other in view.participants}
        for party in view.participants
    }


def parties_over(view: MatcherRoundView) -> set[str]:
    """Return the parties all of whose pairs are over: nothing is awaited from them."""
    going = {party for one in view.pairs if one.state is not PairState.OVER for party in (one.left, one.right)}
    return {party for one in view.pairs for party in (one.left, one.right)} - going


def matcher_values(view: RoundView, language: Language) -> Values:
    assert isinstance(view, MatcherRoundView)
    values = _time(view, language)
    for one in view.parties:
        for name in ("blinded", "evaluated", "tokens"):
            values |= _counted(f"{one.party}-{name}", getattr(one, name))
    moments = {f"{one.left}-{one.right}-since": language.moment(one.since) for one in view.pairs if one.since}
    return values | moments


def shape_of(view: RoundView) -> str:
    """Return the structure of a page; when it changes, the page is loaded again."""
    if isinstance(view, NodeRoundView):
        counted = set(PartyAtNode.model_fields) - {"party", "takes_part"}
    else:
        counted = {"blinded", "evaluated", "tokens"}
    progressless: dict[str, Any] = {
        "submissions": {"__all__": {"prepared", "sent", "evaluated", "tokens_sent", "records", "elements"}},
        "parties": {"__all__": counted},
        "pairs": {"__all__": {"since"}},
        "evaluated_for_others": True,
    }
    names = type(view).model_fields
    return view.model_dump_json(exclude={name: rule for name, rule in progressless.items() if name in names})


def live_state(view: RoundView, language: Language) -> LiveState:
    """Return the state of a round for those who watch its page."""
    values = node_values if isinstance(view, NodeRoundView) else matcher_values
    return LiveState(shape_of(view), values(view, language), ended=view.entry.phase in ENDED_PHASES)


def _time(view: RoundView, language: Language) -> Values:
    now = deadline(view, time.time())
    return {"deadline": language.say(now.name), "left": language.span(now.left) if now.left else language.say("over")}


def _counted(name: str, count: Progress) -> Values:
    return {name: [count.done, count.of or 1], f"{name}-text": f"{count.done}/{count.of}"}


_LOOK_SECONDS = 1.0
_WATCH_SECONDS = 300  # then the browser comes back by itself; a session that ended meanwhile is found out
_DIGITS = 16


@dataclass(frozen=True, slots=True)
class LiveState:
    """One look at what a page shows."""

    shape: str
    """The structure of the page; when it changes, the page is loaded again."""
    values: Mapping[str, object] = field(default_factory=dict)
    """The changing values, by their names on the page."""
    ended: bool = False
    """Whether nothing will change any more."""

    @property
    def mark(self) -> str:
        """A short digest of the shape, which is in the address of the events of the page that was made from it."""
        return hashlib.sha256(self.shape.encode()).hexdigest()[:_DIGITS]


def live(visit: Visit, look: Callable[[], LiveState], seconds: float = _LOOK_SECONDS) -> StreamingResponse:
    """Answer with changes as they happen (server-sent events), for some minutes.

    A change between the making of the page and the first look is not missed where the address says by `shown` from
    which shape the page was made.

    Args:
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
        except (AquilaError, SignInNeededError):
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
