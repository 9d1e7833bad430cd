"""How often the surest agreements are right between lists that have few persons in common.

Persons are counted in lists that have many in common, and thinned out. Of strangers those are counted who agree in
names; so few of them agree in the whole date too that they are not counted: whether two strangers are born on one day
does not depend on their names, so it is the share of all pairs of strangers that are.

`python -m tests.quality.measuring.surest` writes the table in about three minutes; `docs/MATCHING.md` has two of its
lines.
"""

import sys
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from aquila.matching.certainty import rules_of, strongest_parts
from aquila.records.person import Record
from aquila.records.rules import RuleTable, load_rules, mask_of
from tests.quality.measuring.labelled_sets import LabelledSet
from tests.quality.measuring.plaintext_matching import Meeting, meet, send
from tests.quality.measuring.report import markdown
from tests.quality.measuring.set_files import NAMES_AND_DATE
from tests.quality.populations import populated_lists

SIZE, SEED, COMMON = 200_000, 41, 0.001
WHOLE = "whole date"


class Way(NamedTuple):
    """A way in which names agree together with a whole date."""

    names: tuple[str, ...]
    right: float
    wrong: float

    @property
    def precision(self) -> float:
        """The share of the pairs that is right."""
        return self.right / (self.right + self.wrong)


def ways_of(labelled: LabelledSet, table: RuleTable, common: float) -> list[Way]:
    """Count the ways in which names agree between two lists, those that are right most often first."""
    meetings = meet({code: send(records, table) for code, records in labelled.lists.items()})
    named, right = _counted(meetings, labelled, table)
    on_one_day = _on_one_day(labelled)
    thinned = common * min(map(len, labelled.lists.values())) / max(1, len(labelled.same))
    ways = [
        Way(_names(table, mask), count * thinned, named[mask] * on_one_day) for mask, count in right.items() if mask
    ]
    return sorted(ways, key=lambda way: -way.precision)


def _counted(meetings: Iterable[Meeting], labelled: LabelledSet, table: RuleTable) -> tuple[Counter[int], Counter[int]]:
    """Count by the rules on names alone that met: strangers, and right pairs that agree in a whole date."""
    of_names = {"names", "whole", "rarity"}
    alone = mask_of(rule.number for rule in table.rules if {part.family for part in rule.shown} <= of_names)
    whole = mask_of(rule.number for rule in table.rules if WHOLE in {part.name for part in rule.parts})
    named, right = Counter[int](), Counter[int]()
    for meeting in meetings:
        for pair, mask in meeting.met:
            if pair not in labelled.same:
                named[mask & alone] += 1
            elif mask & whole:
                right[mask & alone] += 1
    return named, right


def _on_one_day(labelled: LabelledSet) -> float:
    """Return the share of pairs of strangers that agree in a whole date, day and month in either order."""
    days = [[_day(record) for record in records] for records in labelled.lists.values()]
    one, other = (Counter(filter(None, found)) for found in days)
    by_record = {record.record_id: _day(record) for records in labelled.lists.values() for record in records}
    persons = sum(by_record[pair.record_a] == by_record[pair.record_b] is not None for pair in labelled.same)
    return (sum(count * other[day] for day, count in one.items()) - persons) / (len(days[0]) * len(days[1]))


def _day(record: Record) -> tuple[int, ...] | None:
    """Return year, and month and day in order of size; nothing for part of a date or 1 January."""
    born = record.date_of_birth
    if born is None or not born.month or not born.day or born.month == born.day == 1:
        return None
    return (born.year, *sorted((born.month, born.day)))


def _names(table: RuleTable, mask: int) -> tuple[str, ...]:
    return tuple(part.name for part in strongest_parts(rules_of(table, mask)))


def main() -> None:
    made = populated_lists({"BA": SIZE, "RS": SIZE}, SEED).only(NAMES_AND_DATE)
    ways = ways_of(made, load_rules("default"), COMMON)
    rows = [(", ".join(way.names), f"{way.right:.1f}", f"{way.wrong:.1f}", f"{way.precision:.3f}") for way in ways]
    sys.stdout.write(markdown(("names", "right", "wrong", "precision"), rows))


if __name__ == "__main__":
    main()
