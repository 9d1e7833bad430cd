"""Following a round until it reaches the awaited phase."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from aquila.interface.progress import Progress
from aquila.interface.rounds import MatcherRoundView, NodeRoundView
from aquila.protocol.rounds.round_state import ENDED_PHASES, Phase

ReportProgress = Callable[[str, str, int, int], None]
V = TypeVar("V", bound=MatcherRoundView | NodeRoundView)

POLL_SECONDS = 1.0
_ORDER = list(Phase)
_AT_MATCHER = ("blinded elements sent", "evaluated for others", "tokens sent")
_AT_NODE = ("prepared", "sent", "evaluated by others", "tokens sent")


def watch(
    look: Callable[[], V], told: ReportProgress, until: Phase, pause: Callable[[float], object] = time.sleep
) -> V:
    """Poll a round, report the progress of each party, and return the view that reached the phase.

    Args:
        look: Fetches the view.
        told: Is called with phase, party, done and of.
        until: The phase to wait for; a round that ended is waited for no longer.
        pause: Waits between two looks.
    """
    while True:
        view = look()
        report_progress(view, told)
        phase = Phase(view.entry.phase)
        if phase in ENDED_PHASES or _ORDER.index(phase) >= _ORDER.index(until):
            return view
        pause(POLL_SECONDS)


def report_progress(view: MatcherRoundView | NodeRoundView, told: ReportProgress) -> None:
    """Report the progress in a view: of each party the steps that are done, and the first that is not."""
    for who, steps in _steps(view):
        for name, done, of in steps:
            if of:
                told(name, who, done, of)
            if done < of:
                break


def _steps(view: MatcherRoundView | NodeRoundView) -> Iterator[tuple[str, list[tuple[str, int, int]]]]:
    """Return whose steps a view shows, and of each its name, how much is done, and of how much."""
    if isinstance(view, MatcherRoundView):
        for party in view.parties:
            counts = party.blinded, party.evaluated, party.tokens
            yield party.party, [("consent", int(party.consented), 1), *_named(_AT_MATCHER, counts)]
        return
    for known in (one for one in view.parties if one.takes_part):
        came = [("consent", int(known.consented), 1), ("list", int(known.listed), 1)]
        yield known.party, [*came, *_named(("evaluated", "tokens"), (known.evaluated, known.tokens))]
    for one in view.submissions:
        counts_here = one.prepared, one.sent, one.evaluated, one.tokens_sent
        yield f"{one.kind.value} {one.submission_id[:8]}", _named(_AT_NODE, counts_here)
    yield "others", _named(("evaluated for others",), (view.evaluated_for_others,))


def _named(names: Sequence[str], counts: Sequence[Progress]) -> list[tuple[str, int, int]]:
    return [(name, count.done, count.of) for name, count in zip(names, counts, strict=True)]
