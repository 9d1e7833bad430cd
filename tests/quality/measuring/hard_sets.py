"""Lists on which the levels do not keep all their promises.

`python -m tests.quality.measuring.hard_sets` measures them again. They are no part of `make bench-quality`, which fails
where a promise is broken; LIMITATIONS.md states their figures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila.records.rules import load_rules
from clients.people.invent import MOSTLY_ARABIC
from clients.people.lists import Making, common_lists
from tests.quality.measuring.bench import measure_set
from tests.quality.measuring.report import level_table
from tests.quality.measuring.set_files import NAMES_AND_DATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clients.people.labelled_sets import LabelledSet

RECORDS = 5_000


def hard_sets(records: int = RECORDS) -> Iterator[LabelledSet]:
    """Yield lists in which 70 of 100 names are Arabic, and two that share 95 of 100 persons; names and dates only."""
    arabic = common_lists(records, 127, making=Making(cultures=MOSTLY_ARABIC))
    yield arabic.only(NAMES_AND_DATE, f"mostly Arabic, 5 x {records:,}")
    shared = common_lists(records, 124, ("BA", "RS"), Making(in_lists={2: 0.95}))
    yield shared.only(NAMES_AND_DATE, f"95 of 100 shared, 2 x {records:,}")


if __name__ == "__main__":
    table = load_rules("default")
    print(level_table([measure_set(one, table) for one in hard_sets()]))  # noqa: T201 - what the command is for
