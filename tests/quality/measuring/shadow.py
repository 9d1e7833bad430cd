"""Hits that shadow columns cover, and what they show besides, on labelled lists (PROTOCOL.md 3.7.12).

`python -m tests.quality.measuring.shadow REGION` measures the sets of rules of the table, and ends with 1 where a bar
is missed. With `--choose` it prints sets for lists of each length too; whoever changes rules puts such sets into the
table.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import combinations
from operator import or_
from pathlib import Path

import numpy as np

from aquila.matching.certainty import GradingBasis, Level, grade_on
from aquila.matching.grading import grade_lists
from aquila.matching.join import MatchedPair
from aquila.matching.learning import ListPair, learn
from aquila.protocol.shadow.checks import doubts_too_many, own_basis
from aquila.protocol.shadow.meeting import masks_of, meets_a_set
from aquila.records.rules import RuleTable, load_rules, mask_of
from tests.quality.measuring.common_lists import common_lists, unrelated_lists
from tests.quality.measuring.grading import hits_on
from tests.quality.measuring.labelled_sets import LabelledSet, Pair
from tests.quality.measuring.main import ALL_FIELDS, SEEDS, WHOLE
from tests.quality.measuring.plaintext_matching import Meeting, Sent, meet, send
from tests.quality.measuring.set_files import NAMES_AND_DATE, region

LENGTHS = (5_000, 20_000, 100_000, 1_000_000)
BARS = {20_000: 0.985, 200_000: 0.95, 10_000_000: 0.85}
"""Of the hits of lists up to a length, the share that has to meet a set."""

MOST_OTHERS = 0.01
"""Of the pairs that meet and are no hits, the share that may meet a set."""

_ALONE = ((1,), (16,), (17,), (18,), (19,))


@dataclass(frozen=True)
class Shown:
    """What the sets of a table do on some lists.

    Attributes:
        hits, covered: Hits, and those that meet a set.
        others, shown: Other pairs that met, and those that meet a set: they are told to both programs.
        tags, most_tags: Tags of a record, on average and at most.
        hidden: By the least level of a hit, hits that meet a set and are no hit on the own basis of either side, if the
            matcher tells no other rules of them than those of their sets.
        doubted: By the least level, the most other pairs of two lists that are hits on an own basis, and the hits.
        alarms: How often such pairs of two lists are too many.
    """

    name: str
    records: int
    hits: int
    covered: int
    others: int
    shown: int
    tags: float
    most_tags: int
    hidden: dict[Level, int]
    doubted: dict[Level, tuple[int, int]]
    alarms: int

    @property
    def keeps(self) -> bool:
        """Return whether enough hits meet a set, few other pairs do, and no honest side doubts too many."""
        bar = next(bar for longest, bar in BARS.items() if self.records <= longest)
        return self.covered >= bar * self.hits and self.shown <= MOST_OTHERS * self.others and not self.alarms

    def line(self) -> str:
        """Return it as a line of a table."""
        hidden = " ".join(f"{level}:{count}" for level, count in self.hidden.items())
        doubted = " ".join(f"{level}:{count}/{of}" for level, (count, of) in self.doubted.items())
        return (
            f"| {self.name} | {self.covered:,} of {self.hits:,} | {self.shown:,} of {self.others:,} | {self.tags:.1f}, "
            f"{self.most_tags:,} | {hidden} | {doubted} |"
        )


def measure(labelled: LabelledSet, table: RuleTable, *, own: bool = True) -> Shown:
    """Measure the table's sets on labelled lists.

    Args:
        labelled: The lists.
        table: The rule table.
        own: Whether to grade on the own basis of each side too, for which each list is joined with itself.
    """
    sent = {party: send(tuple(records), table) for party, records in labelled.lists.items()}
    longest = max(map(len, labelled.lists.values()))
    sets = table.shadow_sets(longest)
    masks, meetings = masks_of(sets), meet(sent)
    bases = learn(table, [ListPair(one.patterns(), one.size_a, one.size_b) for one in meetings])
    strangers = {party: _strangers(one, masks) for party, one in sent.items()} if own else {}
    found: Counter[str] = Counter()
    hidden: dict[Level, int] = dict.fromkeys(Level, 0)
    doubted: dict[Level, tuple[int, int]] = dict.fromkeys(Level, (0, 0))
    for meeting, basis in zip(meetings, bases, strict=True):
        levels = {hit.pair: hit.level for hit in hits_on(meeting, table, basis)}
        meeting_a_set = [met for met in meeting.met if meets_a_set(met.rules, masks)]
        found["hits"] += len(levels)
        found["covered"] += sum(met.pair in levels for met in meeting_a_set)
        found["shown"] += sum(met.pair not in levels for met in meeting_a_set)
        found["others"] += len(meeting.met) - len(levels)
        for minimum in Level if own else ():
            real = {pair for pair, level in levels.items() if level >= minimum}
            met = {one.pair for one in meeting_a_set}
            terms = table, meeting, masks, strangers, minimum
            sides = [_own_hits(*terms, side, real) for side in (0, 1)]
            hidden[minimum] += len((real & met) - sides[0] - sides[1])
            most = max(len((met - real) & _own_hits(*terms, side, set())) for side in (0, 1))
            doubted[minimum] = max(doubted[minimum], (most, len(real)))
            found["alarms"] += doubts_too_many(minimum, most, len(real), (meeting.size_a, meeting.size_b))
    per = np.concatenate([_tags(one, sets) for one in sent.values()])
    return Shown(
        labelled.name,
        longest,
        found["hits"],
        found["covered"],
        found["others"],
        found["shown"],
        float(per.mean()),
        int(per.max()),
        hidden,
        doubted,
        found["alarms"],
    )


def covered_at(lists: Sequence[tuple[Meeting, GradingBasis]], table: RuleTable, records: int) -> tuple[int, int]:
    """Return of the pairs that would be hits in lists of another length how many there are, and how many meet a set."""
    masks = masks_of(table.shadow_sets(records))
    hits = _hits_at(lists, table, records)
    return hits.total(), sum(count for mask, count in hits.items() if meets_a_set(mask, masks))


def choose(
    lists: Sequence[tuple[Meeting, GradingBasis]], table: RuleTable, records: int, most: int = 16
) -> list[list[int]]:
    """Choose sets for lists of a length: each alone nearly a hit there, and each covers hits that no other one does."""
    hits = _hits_at(lists, table, records)
    basis = replace(
        lists[0][1],
        size_a=records,
        size_b=records,
        learned=(),
        settled=0,
        common_per_million=round(1_000_000 * table.expected_share),
    )
    able: list[int] = []
    for size in (1, 2, 3, 4):
        for rules in combinations([rule.number for rule in table.rules], size):
            mask = mask_of(rules)
            if not meets_a_set(mask, able) and grade_on(table, mask, basis).level:
                able.append(mask)
    chosen = [mask_of(one) for one in _ALONE if mask_of(one) in able]
    while len(chosen) < most:
        left = {mask: count for mask, count in hits.items() if not meets_a_set(mask, chosen)}
        gain, best = max((sum(count for mask, count in left.items() if mask & one == one), one) for one in able)
        if gain < 0.0008 * hits.total():
            break
        chosen.append(best)
    return [[rule.number for rule in table.rules if mask & mask_of([rule.number])] for mask in chosen]


def met_lists(labelled: LabelledSet, table: RuleTable) -> list[tuple[Meeting, GradingBasis]]:
    """Return what meets between the lists, and on what it is graded."""
    meetings = meet({party: send(tuple(records), table) for party, records in labelled.lists.items()})
    bases = learn(table, [ListPair(one.patterns(), one.size_a, one.size_b) for one in meetings])
    return list(zip(meetings, bases, strict=True))


def _hits_at(lists: Iterable[tuple[Meeting, GradingBasis]], table: RuleTable, records: int) -> Counter[int]:
    hits: Counter[int] = Counter()
    for meeting, basis in lists:
        longer = replace(basis, size_a=records, size_b=records)
        hits.update(met.rules for met in meeting.met if grade_on(table, met.rules, longer).level)
    return hits


def _strangers(sent: Sent, masks: Sequence[int]) -> Counter[int]:
    """Count the masks without a set under which different records of one list meet, both ways."""
    (meeting,) = meet({"AA": sent, "BB": sent})
    return Counter(
        met.rules for met in meeting.met if met.pair.record_a != met.pair.record_b and not meets_a_set(met.rules, masks)
    )


def _own_hits(
    table: RuleTable,
    meeting: Meeting,
    masks: Sequence[int],
    strangers: Mapping[str, Counter[int]],
    minimum: Level,
    side: int,
    cut: set[Pair],
) -> set[Pair]:
    """Return the pairs that meet a set and are hits on the own basis of a side; some are told with their sets alone."""
    sizes = (meeting.size_a, meeting.size_b) if not side else (meeting.size_b, meeting.size_a)
    told = [met for met in meeting.met if meets_a_set(met.rules, masks)]
    basis = own_basis(table, (met.rules for met in told), strangers[(meeting.party_a, meeting.party_b)[side]], sizes)
    rules = {m.pair: _of_sets(m.rules, masks) if m.pair in cut else m.rules for m in told}
    pairs = {MatchedPair(0, 1, p.record_a.encode(), p.record_b.encode(), mask): p for p, mask in rules.items()}
    graded = grade_lists(table, basis, pairs)[1]
    return {pairs[one.pair] for one in graded if one.grade.level is not None and one.grade.level >= minimum}


def _of_sets(rules: int, masks: Sequence[int]) -> int:
    """Return the rules of the sets that a pair meets: the matcher can leave the others out unseen."""
    return reduce(or_, (mask for mask in masks if rules & mask == mask))


def _tags(sent: Sent, sets: Sequence[tuple[int, ...]]) -> np.ndarray:
    profiles = sent.profiles()
    every: np.ndarray = np.sum([np.prod([profiles[:, rule] for rule in rules], axis=0) for rules in sets], axis=0)
    return every


def main(arguments: Sequence[str]) -> int:
    """Measure or choose; return the exit status."""
    table, folder = load_rules("default"), Path(arguments[0])
    five, ten = region(folder), common_lists(10_000, SEEDS["generated"]).only(NAMES_AND_DATE)
    lists = met_lists(five.only(ALL_FIELDS), table) + met_lists(ten, table)
    broken = False
    for records in LENGTHS:
        hits, covered = covered_at(lists, table, records)
        bar = next(bar for longest, bar in BARS.items() if records <= longest)
        broken |= covered < bar * hits
        print(f"as in lists of {records:,}: {covered:,} of {hits:,} hits, at least {bar:.3f}")  # noqa: T201
        if "--choose" in arguments:
            print(choose(lists, table, records))  # noqa: T201
    whole = common_lists(WHOLE, SEEDS["whole"]).only(ALL_FIELDS, "generated, all fields")
    apart = unrelated_lists(20_000, SEEDS["unrelated"]).only(NAMES_AND_DATE)
    for labelled in (five.only(ALL_FIELDS, "region, all fields"), five.only(NAMES_AND_DATE), ten, whole, apart):
        shown = measure(labelled, table)
        broken |= not shown.keeps
        print(shown.line())  # noqa: T201
    return int(broken)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
