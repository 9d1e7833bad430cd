"""What lists of another length would find, foreseen from lists that were measured.

Of pairs that met in one way, those of one person grow with the lists, and those of two persons with their square. A way
then has the level that the share of right pairs earns. That a pair of names is rare depends on the length, so ways that
differ only by it count as one; long lists find a little more than is foreseen.

`python -m tests.quality.measuring.growth` writes the table of `docs/MATCHING.md`, in about three minutes.
"""

import sys
from collections.abc import Mapping
from typing import NamedTuple

from aquila.matching.certainty import Level
from aquila.records.rules import RuleTable, load_rules, mask_of
from tests.quality.measuring.labelled_sets import LabelledSet
from tests.quality.measuring.measures import LEVELS, Counts, Measured
from tests.quality.measuring.plaintext_matching import meet, send
from tests.quality.measuring.report import markdown
from tests.quality.measuring.set_files import NAMES_AND_DATE
from tests.quality.populations import populated_lists

MEASURED, FORESEEN, SEED = 200_000, 1_000_000, 41
SHARES = (0.1, 0.01, 0.001)
_UNSEEN = 0.5  # pairs of two persons that are added to those of each way: none seen is not none


class Ways(NamedTuple):
    """Right and wrong pairs of two lists by the mask of rules that met, and the pairs that are one person."""

    counts: Mapping[int, tuple[int, int]]
    persons: int


def count_ways(labelled: LabelledSet, table: RuleTable) -> Ways:
    """Count right and wrong pairs of two lists by the rules that met; rules for rare values are left out."""
    lasting = mask_of(rule.number for rule in table.rules if rule.most_records is None)
    counts: dict[int, tuple[int, int]] = {}
    for meeting in meet({code: send(records, table) for code, records in labelled.lists.items()}):
        for pair, mask in meeting.met:
            right, wrong = counts.get(mask & lasting, (0, 0))
            same = pair in labelled.same
            counts[mask & lasting] = (right + same, wrong + (not same))
    return Ways(counts, len(labelled.same))


def forecast(ways: Ways, longer: float, share: float = 1.0) -> Measured:
    """Foresee the levels of lists that are longer.

    Args:
        longer: How many times as long the lists are.
        share: How many times as large the share of common persons is.
    """
    found = dict.fromkeys(LEVELS, Counts(0, 0, round(ways.persons * longer * share)))
    for seen in ways.counts.values():
        right, wrong = seen[0] * longer * share, (seen[1] + _UNSEEN) * longer**2
        level = max((one for one in Level if right / (right + wrong) >= one.least), default=None)
        if level is not None:
            found[level] += Counts(round(right), round(wrong), 0)
    return Measured(found)


def main() -> int:
    """Foresee lists of a million from lists of 200,000; return the exit status."""
    made = populated_lists(dict.fromkeys(("BA", "RS"), MEASURED), SEED).only(NAMES_AND_DATE)
    ways = count_ways(made, load_rules("default"))
    rows = []
    for share in SHARES:
        cuts = forecast(ways, FORESEEN / MEASURED, share / SHARES[0]).at_cuts.values()
        cells = (cell for cut in cuts for cell in (f"{cut.recall:.2f}", f"{100 * (1 - cut.precision):.1f}"))
        rows.append((f"{share * 1_000:g} of 1,000", *cells))
    columns = ("common persons", "high: found", "wrong", "high and medium: found", "wrong", "all: found", "wrong")
    print(markdown(columns, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
