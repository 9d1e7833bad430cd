"""What the figures of the soak's parts have to be: enough kills, every kind of fault, and no error that nobody foresaw.

Hits, logs, files, processes and memory are judged where they are found: they end the part.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from tests.support.faults import Fault

KILLS_AN_HOUR: Mapping[str, int] = {"kills": 800, "sqlite": 120, "postgresql": 80, "memory": 0}
"""Kills that each part has at least where all parts take an hour together; 1,000 in all."""


def needed_kills(part: str, seconds: float, usual_share: float) -> int:
    return round(KILLS_AN_HOUR[part] * seconds / (3_600 * usual_share))


def never_made(kinds: Collection[Fault], made: Mapping[Fault, int]) -> list[str]:
    return sorted(kind.name.lower() for kind in kinds if not made.get(kind))


def failures(played: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what the figures of all parts show that must not be, a line each; nothing where all is as it has to be."""
    found = [line for figures in played for line in _failures_of(figures)]
    kills, needed = (sum(figures[word] for figures in played) for word in ("kills", "needed_kills"))
    if kills < needed:
        found.append(f"{kills} kills in all, and {needed} are needed")
    return found


def left_out(played: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return which kinds of faults were not made because this machine cannot make them, a line each with the reason."""
    return [
        f"{figures['part']}: NOT MADE: {kind}, because {reason}"
        for figures in played
        for kind, reason in figures["not_made"].items()
    ]


def _failures_of(figures: Mapping[str, Any]) -> Iterator[str]:
    for kind in figures["never_made"]:
        yield f"{figures['part']}: a kind of fault never came: {kind}"
    for error in figures["unexpected_errors"]:
        yield f"{figures['part']}: an error that nobody foresaw: {error}"
