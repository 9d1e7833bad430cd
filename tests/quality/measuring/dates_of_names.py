"""How many dates of birth one name has in lists of persons, beside the bounds above which a list is refused.

`python -m tests.quality.measuring.dates_of_names [FEBRL_FOLDER]` writes how near each set comes to them, in about five
minutes; it ends with 1 where a list of persons would be refused.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from aquila.protocol.submissions.tasks import digest_records
from aquila.records.entropy import most_dates_of_a_name, most_dates_of_persons
from aquila.records.person import Record
from aquila.records.rules import RuleTable, load_rules
from tests.quality.measuring.common_lists import common_lists
from tests.quality.measuring.hard_sets import hard_sets
from tests.quality.measuring.labelled_sets import LabelledSet
from tests.quality.measuring.report import markdown
from tests.quality.measuring.set_files import febrl4, region

_REGION = Path("tests/quality/region")
_BATCH = 2_048


def most_dates(records: Sequence[Record], table: RuleTable) -> tuple[int, int]:
    """Return the most dates of birth of one name, as the rules on names alone read it: within one year, and in all."""
    alone = [rule.number for rule in table.rules if rule.reads_names_alone]
    names, born = [], []
    for first in range(0, len(records), _BATCH):
        outline = digest_records(bytes(32), table, records[first : first + _BATCH]).outline()
        bears = np.isin(outline.rules, alone)
        names.append(outline.entries[bears])
        born.append(np.repeat(outline.traits["born"], outline.counts)[bears])
    return most_dates_of_a_name(np.concatenate(names), np.concatenate(born))


def _sets(febrl: Sequence[str]) -> Iterator[LabelledSet]:
    yield region(_REGION)
    yield from (febrl4(Path(folder)) for folder in febrl)
    yield common_lists(20_000, 31)
    yield from hard_sets()


def main() -> int:
    """Measure all sets; return the exit status."""
    table = load_rules("default")
    rows, refused = [], False
    for labelled in _sets(sys.argv[1:]):
        found = [most_dates(records, table) for records in labelled.lists.values()]
        allowed = [most_dates_of_persons(len(records)) for records in labelled.lists.values()]
        refused |= any(most > bound for of in zip(found, allowed, strict=True) for most, bound in zip(*of, strict=True))
        numbers = (*map(max, zip(*found, strict=True)), *max(allowed))
        rows.append((labelled.name, *(f"{number:,}" for number in numbers)))
    header = ("set", "of one year, most", "in all, most", "allowed of one year", "allowed in all")
    sys.stdout.write(markdown(header, rows))
    return int(refused)


if __name__ == "__main__":
    sys.exit(main())
