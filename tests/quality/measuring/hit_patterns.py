"""Under which rules hits meet: the lines `hits` of a rule table, measured on labelled lists.

Canaries are drawn from these lines (PROTOCOL.md 3.7.12), so that they meet as hits do. The command
`python -m tests.quality.measuring.hit_patterns FOLDER` prints them for a folder's lists; whoever changes rules puts
them there.
"""

from __future__ import annotations

import sys
from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from aquila.matching.grading import grade_lists
from aquila.matching.join import MatchedPair
from aquila.matching.learning import ListPair, learn
from aquila.records.rules import load_rules, numbers_of
from tests.quality.measuring.plaintext_matching import meet, send
from tests.quality.measuring.set_files import region

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aquila.records.rules import RuleTable
    from tests.quality.measuring.labelled_sets import LabelledSet

LEAST = 3  # of a thousand hits; rarer patterns are left out


def hit_patterns(labelled: LabelledSet, table: RuleTable) -> Counter[int]:
    """Count the masks of rules under which the hits of all pairs of lists meet, right ones and wrong ones."""
    sent = {party: send(tuple(records), table) for party, records in labelled.lists.items()}
    meetings = meet(sent)
    grading_bases = learn(table, [ListPair(one.patterns(), one.size_a, one.size_b) for one in meetings])
    counted: Counter[int] = Counter()
    for meeting, grading_basis in zip(meetings, grading_bases, strict=True):
        pairs = [
            MatchedPair(0, 1, met.pair.record_a.encode(), met.pair.record_b.encode(), met.rules) for met in meeting.met
        ]
        _, standing = grade_lists(table, grading_basis, pairs)
        counted.update(found.pair.rules for found in standing)
    return counted


def lines(counted: Mapping[int, int]) -> Iterator[str]:
    """Yield the patterns as a table has them, the most frequent first."""
    total = sum(counted.values())
    for mask, often in sorted(counted.items(), key=lambda item: (-item[1], item[0])):
        per_thousand = round(1_000 * often / total)
        if per_thousand >= LEAST:
            yield f"{per_thousand}: {_ranges(numbers_of(mask))}"


def _ranges(numbers: list[int]) -> str:
    """Return numbers as `1-6 9 11`."""
    runs = [[number for _, number in run] for _, run in groupby(enumerate(numbers), lambda item: item[1] - item[0])]
    return " ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


if __name__ == "__main__":
    for line in lines(hit_patterns(region(Path(sys.argv[1])), load_rules("default"))):
        print(f'    "{line}",')  # noqa: T201 - what the command is for
