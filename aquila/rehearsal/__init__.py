"""A whole real round in one process: every party, the matcher and every cryptographic step, without a network.

It is what `aquila rehearse` runs, the world of the scenario tests, and the reference that the services must agree
with. The parties here are honest; tests make them lie by replacing one of their answers.
"""

from __future__ import annotations

from aquila.rehearsal.measuring import Measurements, Watch
from aquila.rehearsal.play import Rehearsal
from aquila.rehearsal.seats import RehearsedHit, Seat
from aquila.rehearsal.sources import ListFile, RecordList, Source
from aquila.rehearsal.terms import (
    CHUNK_ELEMENTS,
    DEFAULT_PADDING,
    NO_PADDING,
    REHEARSED,
    Terms,
    make_manifest,
)

TASK_MODULES = ("aquila.rehearsal.passes", "aquila.rehearsal.measuring", "aquila.rehearsal.stored")
"""What a process imports to do the tasks of a rehearsal."""

__all__ = [
    "CHUNK_ELEMENTS",
    "DEFAULT_PADDING",
    "NO_PADDING",
    "REHEARSED",
    "TASK_MODULES",
    "ListFile",
    "Measurements",
    "RecordList",
    "Rehearsal",
    "RehearsedHit",
    "Seat",
    "Source",
    "Terms",
    "Watch",
    "make_manifest",
]
