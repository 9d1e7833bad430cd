"""Generations of terms: which revision, normalizer and match rules a release can agree to (PROTOCOL.md 3.1.6).

A release reads a range of generations and says so with each of its calls, behind its number: `0.2.0+terms.1-2`. A round
goes by the newest generation that all of its participants read, so parties need not upgrade on the same day. The first
release said nothing of the kind; it reads the first generation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from aquila.errors import PolicyError
from aquila.protocol.messages import LOG_HEADS, WITHHELD_ANSWERS
from aquila.records.conformance import known_normalizers
from aquila.records.rules import BUILT_IN, earlier_tables, load_rules

if TYPE_CHECKING:
    from collections.abc import Mapping

OLDEST, NEWEST = 1, 2
"""The generations that this release reads."""

FIRST = range(1, 2)
"""What a party reads whose release says nothing: 0.2.0."""

_SAID = re.compile(r"[^+]*\+terms\.([0-9]{1,4})-([0-9]{1,4})")


@dataclass(frozen=True, slots=True)
class Generation:
    """Terms that belong together.

    Attributes:
        revision: Of the manifest (PROTOCOL.md 3.1.5).
        normalizer: Its name in a manifest.
        tables: Digests of the built-in tables of match rules by their names.
    """

    revision: Literal[2, 3]
    normalizer: str
    tables: Mapping[str, str]


@cache
def generation(number: int) -> Generation:
    """Return a generation between `OLDEST` and `NEWEST`."""
    newest, *earlier = known_normalizers()
    tables = {name: load_rules(name).digest for name in BUILT_IN}
    if number == NEWEST:
        return Generation(WITHHELD_ANSWERS, newest, tables)
    return Generation(LOG_HEADS, earlier[0], tables | {table.name: table.digest for table in earlier_tables()})


def named(version: str) -> str:
    """Return a release's number with what it reads, as its calls name it."""
    return f"{version}+terms.{OLDEST}-{NEWEST}"


def readable(release: str) -> range:
    """Return the generations that a release reads, as its calls name it; those of 0.2.0 where it names none.

    Of a party that never called nothing is known, and it is taken to have this release.
    """
    if not release:
        return range(OLDEST, NEWEST + 1)
    said = _SAID.fullmatch(release)
    return range(int(said[1]), int(said[2]) + 1) if said else FIRST


def common(releases: Mapping[str, str]) -> int:
    """Return the newest generation that this release and all parties read.

    Args:
        releases: What each party's calls name.

    Raises:
        PolicyError: There is none; it names the parties that have to upgrade, or says that this release has to.
    """
    reads = {party: readable(release) for party, release in releases.items()}
    both = set(range(OLDEST, NEWEST + 1)).intersection(*reads.values())
    if both:
        return max(both)
    newest = min(NEWEST, *(max(read, default=0) for read in reads.values()))
    oldest = max(OLDEST, *(min(read, default=0) for read in reads.values()))
    behind = sorted(party for party, read in reads.items() if max(read, default=0) < oldest)
    if oldest > NEWEST:
        raise PolicyError("matcher_must_upgrade", needed=oldest, newest=NEWEST)
    raise PolicyError("parties_must_upgrade", parties=", ".join(behind), needed=oldest, newest=newest)
