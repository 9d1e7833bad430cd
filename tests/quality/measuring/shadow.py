"""Hits that shadow columns cover, and what they show besides, on labelled lists (PROTOCOL.md 3.7.12).

`python -m tests.quality.measuring.shadow REGION` measures the sets of rules of the table, and ends with 1 where a bar
is missed; folders of FEBRL 4 and files of pairs of aliases may follow. With `--choose` it prints sets for lists of
each length too; whoever changes rules puts such sets into the table.

Sets are chosen in two steps. First those that hits meet, and few other pairs. Then supersets of these, which only a
pair that is told already can meet: they hold rules that a matcher could otherwise keep to itself of a hit that it calls
too weak.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from itertools import combinations
from operator import or_
from pathlib import Path
from typing import NamedTuple

import numpy as np

from aquila.matching.certainty import GradingBasis, Level, evidence_of, grade_on, rules_of
from aquila.matching.grading import grade_lists
from aquila.matching.join import MatchedPair
from aquila.matching.learning import ListPair, learn
from aquila.protocol.shadow.checks import doubts_too_many, own_basis
from aquila.protocol.shadow.meeting import masks_of, meets_a_set
from aquila.protocol.shadow.token_rows import Sets
from aquila.records.rules import MOST_SETS, RuleTable, load_rules, mask_of
from tests.quality.measuring.common_lists import common_lists, unrelated_lists
from tests.quality.measuring.grading import hits_on
from tests.quality.measuring.labelled_sets import LabelledSet, Pair
from tests.quality.measuring.main import ALL_FIELDS, SEEDS, WHOLE
from tests.quality.measuring.plaintext_matching import Meeting, Sent, meet, send
from tests.quality.measuring.set_files import NAMES_AND_DATE, aliases, febrl4, region

LENGTHS = (5_000, 20_000, 100_000, 1_000_000)
SHORT = 20_000  # there are lists of up to this length to measure; longer ones are reckoned from these
OTHERS = ((1_000, 73), (5_000, 34), (10_000, 72))  # records and seed of generated lists on which nothing was chosen
BARS = {20_000: 0.985, 200_000: 0.95, 10_000_000: 0.85}
"""Of the hits of lists up to a length, the share that has to meet a set."""

MOST_OTHERS = 0.01
"""Of the pairs that meet and are no hits, the share that may meet a set."""

MOST_HIDDEN = 0.01
"""Of the hits that meet a set, the share that may be hits on an own basis, but not by what a matcher has to tell."""

_ALONE = ((1,), (16,), (17,), (18,), (19,))
_MOST_RULES = 4
_PRICE = 0.0015  # the least share of hits by which a superset makes fewer hidden, for each tag that a record has more
_LEAST_COST = 0.3  # tags a record


class Hidden(NamedTuple):
    """Hits that meet a set and are no hits on the own basis of either side, told as weakly as the tags allow.

    Attributes:
        anyway: Those that are no hits there with all their rules either: what two honest bases differ in.
    """

    all: int = 0
    anyway: int = 0
    high: int = 0


class Sides(NamedTuple):
    """Two lists.

    Attributes:
        own: The own basis of each side; nothing where it is not measured.
    """

    meeting: Meeting
    basis: GradingBasis
    own: tuple[GradingBasis, ...] = ()


class Case(NamedTuple):
    """Hits of one kind."""

    rules: int
    share: float
    bases: tuple[GradingBasis, ...]


@dataclass(frozen=True)
class Shown:
    """What the sets of a table do on some lists.

    Attributes:
        others, shown: Other pairs that met, and those that meet a set: they are told to both programs.
        hidden: By the least level of a hit, the hits that a matcher can call too weak unseen.
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
    hidden: dict[Level, Hidden]
    doubted: dict[Level, tuple[int, int]]
    alarms: int

    @property
    def keeps(self) -> bool:
        """Return whether enough hits meet a set and few others do, few can be hidden, and no honest side doubts."""
        bar = next(bar for longest, bar in BARS.items() if self.records <= longest)
        hidden = max(one.all - one.anyway for one in self.hidden.values())
        few = self.shown <= MOST_OTHERS * self.others and hidden <= MOST_HIDDEN * self.covered
        return self.covered >= bar * self.hits and few and not self.alarms

    def line(self) -> str:
        hidden = ", ".join(f"{one.all} ({one.anyway}; {one.high})" for one in self.hidden.values())
        doubted = " ".join(f"{level}:{count}/{of}" for level, (count, of) in self.doubted.items())
        return (
            f"| {self.name} | {self.covered:,} of {self.hits:,} | {self.shown:,} of {self.others:,} | {self.tags:.1f}, "
            f"{self.most_tags:,} | {hidden} | {doubted} |"
        )


def measure(
    labelled: LabelledSet, table: RuleTable, sets: Sets | None = None, sent: Mapping[str, Sent] | None = None
) -> Shown:
    """Measure sets on labelled lists, those of the table for lists of their length if no others are given.

    What `send_all` made of the lists may be given, too.
    """
    sent = sent or send_all(labelled, table)
    longest = max(map(len, labelled.lists.values()))
    sets = sets or table.shadow_sets(longest)
    masks = masks_of(sets)
    found: Counter[str] = Counter()
    hidden: dict[Level, Hidden] = dict.fromkeys(Level, Hidden())
    doubted: dict[Level, tuple[int, int]] = dict.fromkeys(Level, (0, 0))
    for sides in met_sides(sent, table, masks):
        meeting = sides.meeting
        levels = {hit.pair: hit.level for hit in hits_on(meeting, table, sides.basis)}
        told = {met.pair: met.rules for met in meeting.met if meets_a_set(met.rules, masks)}
        found["hits"] += len(levels)
        found["covered"] += len(told.keys() & levels)
        found["shown"] += len(told.keys() - levels)
        found["others"] += len(meeting.met) - len(levels)
        for minimum in Level:
            real = {pair for pair, level in levels.items() if level >= minimum}
            whole = [_own_hits(table, basis, minimum, told) for basis in sides.own]
            weak = [
                _own_hits(table, basis, minimum, told | _weakened(table, basis, told, real, masks))
                for basis in sides.own
            ]
            gone = (real & told.keys()).difference(*weak)
            high = sum(levels[pair] is Level.HIGH for pair in gone)
            anyway = len((real & told.keys()).difference(*whole))
            hidden[minimum] = Hidden(*map(sum, zip(hidden[minimum], (len(gone), anyway, high), strict=True)))
            most = max(len(one - real) for one in whole)
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


def covered_at(lists: Sequence[Sides], table: RuleTable, records: int) -> tuple[int, int, int]:
    """Return of the hits of lists of another length how many there are, how many meet a set, and how many are hidden.

    Hidden are hits that meet a set, and are too weak by what a matcher has to tell of them.
    """
    masks, hits = masks_of(table.shadow_sets(records)), _hits_at(lists, table, records)
    covered = {kind: count for kind, count in hits.items() if meets_a_set(kind[0], masks)}
    hidden = sum(
        count
        for (rules, basis), count in covered.items()
        if not _rank(table, basis, _weakest(table, basis, _of_sets(rules, masks), rules))
    )
    return hits.total(), sum(covered.values()), hidden


def cases_at(lists: Sequence[Sides], table: RuleTable, records: int, masks: Sequence[int]) -> list[Case]:
    """Return the hits of lists of another length that meet a set, judged on what the matcher grades them on."""
    hits = _hits_at(lists, table, records)
    return [
        Case(rules, count / hits.total(), (basis,))
        for (rules, basis), count in hits.items()
        if meets_a_set(rules, masks)
    ]


def choose(lists: Sequence[Sides], table: RuleTable, records: int, most: int = 16) -> Sets:
    """Choose sets for lists of a length: each alone nearly a hit there, and each covers hits that no other one does."""
    hits: Counter[int] = Counter()
    for (rules, _), count in _hits_at(lists, table, records).items():
        hits[rules] += count
    basis = replace(
        lists[0].basis,
        size_a=records,
        size_b=records,
        learned=(),
        settled=0,
        common_per_million=table.common_per_million,
    )
    able: list[int] = []
    for size in range(1, _MOST_RULES + 1):
        for numbers in combinations([rule.number for rule in table.rules], size):
            mask = mask_of(numbers)
            if not meets_a_set(mask, able) and grade_on(table, mask, basis).level:
                able.append(mask)
    chosen = [mask_of(one) for one in _ALONE if mask_of(one) in able]
    while len(chosen) < most:
        left = {mask: count for mask, count in hits.items() if not meets_a_set(mask, chosen)}
        gain, best = max((sum(count for mask, count in left.items() if mask & one == one), one) for one in able)
        if gain < 0.0008 * hits.total():
            break
        chosen.append(best)
    return tuple(tuple(_numbers(mask)) for mask in chosen)


def supersets(cases: Sequence[Case], sent: Iterable[Sent], table: RuleTable, sets: Sets) -> Sets:
    """Choose supersets of sets, so that fewer hits are too weak by the rules that a matcher has to tell of them.

    Args:
        sent: The lists that sets cost tags.
    """
    masks, chosen = masks_of(sets), list[int]()
    profiles = np.concatenate([one.profiles() for one in sent])
    costs: dict[int, float] = {}
    while len(chosen) + len(sets) < MOST_SETS:
        gains: dict[int, float] = defaultdict(float)
        for case in cases:
            told = _of_sets(case.rules, (*masks, *chosen))
            hidden = _hidden(table, case, told) if told else 0
            if hidden:
                for more in _larger(case.rules & ~told, [mask for mask in masks if case.rules & mask == mask]):
                    gains[more] += case.share * (hidden - _hidden(table, case, told | more))
        for mask in gains.keys() - costs.keys():
            costs[mask] = _LEAST_COST + float(np.prod(profiles[:, _numbers(mask)], axis=1).mean())
        worth = {mask: gain / costs[mask] for mask, gain in gains.items() if gain > _PRICE * costs[mask]}
        if not worth:
            break
        chosen.append(max(worth, key=worth.__getitem__))
    for mask in tuple(chosen):  # what later ones made needless
        rest = [one for one in chosen if one != mask]
        if _lost(table, cases, [*masks, *rest]) - _lost(table, cases, [*masks, *chosen]) <= _PRICE * costs[mask]:
            chosen = rest
    return tuple(tuple(_numbers(mask)) for mask in chosen)


def least_sets(sets: Sets) -> Sets:
    """Return the sets that hold no other one: what meets any set meets one of these."""
    return tuple(rules for rules in sets if not any({*other} < {*rules} for other in sets))


def own_cases(sides: Iterable[Sides], table: RuleTable) -> list[Case]:
    """Return the hits of lists, each judged on the own basis of both sides."""
    kinds = Counter((hit.rules, one.own) for one in sides for hit in hits_on(one.meeting, table, one.basis))
    return [Case(rules, count / kinds.total(), own) for (rules, own), count in kinds.items()]


def met_sides(sent: Mapping[str, Sent], table: RuleTable, masks: Sequence[int] = ()) -> list[Sides]:
    """Return what meets between lists and on what it is graded, and with the masks of sets on what each side judges."""
    meetings = meet(sent)
    bases = [learn(table, ListPair(one.patterns(), one.size_a, one.size_b)) for one in meetings]
    strangers = {party: _strangers(one, masks) for party, one in sent.items()} if masks else {}
    found = []
    for meeting, basis in zip(meetings, bases, strict=True):
        told = [met.rules for met in meeting.met if meets_a_set(met.rules, masks)]
        sizes = meeting.size_a, meeting.size_b
        own = (
            own_basis(table, told, strangers[party], size)
            for party, size in zip((meeting.party_a, meeting.party_b), (sizes, sizes[::-1]), strict=True)
        )
        found.append(Sides(meeting, basis, tuple(own) if masks else ()))
    return found


def _hits_at(lists: Iterable[Sides], table: RuleTable, records: int) -> Counter[tuple[int, GradingBasis]]:
    """Count the hits of lists of another length, by the rules that met and the basis."""
    hits: Counter[tuple[int, GradingBasis]] = Counter()
    for one in lists:
        longer = replace(one.basis, size_a=records, size_b=records)
        hits.update((met.rules, longer) for met in one.meeting.met if grade_on(table, met.rules, longer).level)
    return hits


def _strangers(sent: Sent, masks: Sequence[int]) -> Counter[int]:
    """Count the masks without a set under which different records of one list meet, both ways."""
    (meeting,) = meet({"AA": sent, "BB": sent})
    return Counter(
        met.rules for met in meeting.met if met.pair.record_a != met.pair.record_b and not meets_a_set(met.rules, masks)
    )


def _own_hits(table: RuleTable, basis: GradingBasis, minimum: Level, told: Mapping[Pair, int]) -> set[Pair]:
    pairs = {MatchedPair(0, 1, p.record_a.encode(), p.record_b.encode(), mask): p for p, mask in told.items()}
    graded = grade_lists(table, basis, pairs)[1]
    return {pairs[one.pair] for one in graded if one.grade.level is not None and one.grade.level >= minimum}


def _weakened(
    table: RuleTable, basis: GradingBasis, told: Mapping[Pair, int], real: Collection[Pair], masks: Sequence[int]
) -> dict[Pair, int]:
    """Return what a matcher tells of some pairs to make them weak."""
    return {pair: _weakest(table, basis, _of_sets(rules, masks), rules) for pair, rules in told.items() if pair in real}


@lru_cache(1 << 18)
def _weakest(table: RuleTable, basis: GradingBasis, least: int, rules: int) -> int:
    """Return the rules of a pair that weigh least: all of its sets, and of the others none, one or two.

    More can be less: that both nationalities are known, without their agreement, says that they differ.
    """
    others = [mask_of([number]) for number in _numbers(rules & ~least)]
    able = [least | reduce(or_, some, 0) for count in range(3) for some in combinations(others, count)]
    return min(able, key=lambda mask: evidence_of(table, rules_of(table, mask), basis))


def _lost(table: RuleTable, cases: Iterable[Case], masks: Sequence[int]) -> float:
    """Return the share of hits that are hidden under some sets, summed over the levels."""
    told = ((case, _of_sets(case.rules, masks)) for case in cases)
    return sum(case.share * _hidden(table, case, rules) for case, rules in told if rules)


@lru_cache(1 << 18)
def _hidden(table: RuleTable, case: Case, told: int) -> int:
    """Return for how many levels, as the least of a round, hits are hidden of which some rules have to be told."""
    whole = max(_rank(table, basis, case.rules) for basis in case.bases)
    weak = max(_rank(table, basis, _weakest(table, basis, told, case.rules)) for basis in case.bases)
    return max(0, whole - weak)


def _rank(table: RuleTable, basis: GradingBasis, rules: int) -> int:
    level = grade_on(table, rules, basis).level
    return 0 if level is None else 1 + list(Level).index(level)


def _larger(rules: int, masks: Sequence[int]) -> set[int]:
    more = _numbers(rules)
    return {
        mask | mask_of(some)
        for mask in masks
        for count in range(1, _MOST_RULES + 1 - mask.bit_count())
        for some in combinations(more, count)
    }


def _numbers(mask: int) -> list[int]:
    return [number for number in range(1, mask.bit_length() + 1) if mask & mask_of([number])]


def _of_sets(rules: int, masks: Sequence[int]) -> int:
    """Return the rules of the sets that a pair meets: the matcher can leave the others out unseen."""
    return reduce(or_, (mask for mask in masks if rules & mask == mask), 0)


def _tags(sent: Sent, sets: Sequence[tuple[int, ...]]) -> np.ndarray:
    profiles = sent.profiles()
    every: np.ndarray = np.sum([np.prod([profiles[:, rule] for rule in rules], axis=0) for rules in sets], axis=0)
    return every


def send_all(labelled: LabelledSet, table: RuleTable) -> dict[str, Sent]:
    return {party: send(tuple(records), table) for party, records in labelled.lists.items()}


def main(arguments: Sequence[str]) -> int:
    """Measure or choose; return the exit status."""
    table, files = load_rules("default"), [Path(one) for one in arguments if one != "--choose"]
    five, ten = region(files[0]), common_lists(10_000, SEEDS["generated"]).only(NAMES_AND_DATE)
    whole = common_lists(WHOLE, SEEDS["whole"]).only(ALL_FIELDS, "generated, all fields")
    all_fields = five.only(ALL_FIELDS, "region, all fields")
    known = [all_fields, five.only(NAMES_AND_DATE), ten, whole]
    sent = [send_all(one, table) for one in known]
    lists = [*met_sides(sent[0], table), *met_sides(sent[2], table)]
    broken = False
    for records in LENGTHS:
        hits, covered, hidden = covered_at(lists, table, records)
        bar = next(bar for longest, bar in BARS.items() if records <= longest)
        broken |= covered < bar * hits or (records > SHORT and hidden > MOST_HIDDEN * hits)
        print(f"as in lists of {records:,}: {covered:,} of {hits:,} hits, at least {bar:.3f}; {hidden} hidden")
        if "--choose" in arguments:
            print(choose(lists, table, records))
            sets = least_sets(table.shadow_sets(records))
            cases = cases_at(lists, table, records, masks_of(sets))
            if records <= SHORT:
                cases = own_cases((one for some in sent for one in met_sides(some, table, masks_of(sets))), table)
            print(supersets(cases, [one for some in sent for one in some.values()], table, sets))
    apart = unrelated_lists(20_000, SEEDS["unrelated"]).only(NAMES_AND_DATE)
    other = [common_lists(size, seed).only(ALL_FIELDS) for size, seed in OTHERS]
    for labelled in (*known, *other, apart):
        shown = measure(labelled, table)
        broken |= not shown.keeps
        print(shown.line())
    for file in files[1:]:  # lists of the same persons, of whom fewer hits meet a set
        print(measure(febrl4(file) if file.is_dir() else aliases(file), table).line())
    return int(broken)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
