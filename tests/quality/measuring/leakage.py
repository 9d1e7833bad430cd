"""Leakage: what the inputs of a list tell the matcher."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from aquila.protocol.submissions.padding import padded_inputs
from aquila.records.person import Record
from aquila.records.rules import Rule, RuleTable
from aquila.simulation import DEFAULT_PADDING
from tests.quality.measuring.guesses import guesses_by_rule
from tests.quality.measuring.plaintext_matching import Sent


@dataclass(frozen=True, slots=True)
class RuleLeakage:
    """What the tokens of one rule tell, over all lists together.

    Attributes:
        shared: Of these, how many 2 to 8 records of the list share.
        having: Records that have a token of the rule: of names of three words, those that have such a name.
        guesses: How many guesses find half of the persons of a population that have an input of the rule; None for
            numbers and addresses, of which there are as many as their digits allow.
    """

    rule: Rule
    tokens: int
    shared: int
    having: int
    records: int
    guesses: int | None


@dataclass(frozen=True, slots=True)
class ListLeakage:
    """What lists tell as a whole.

    Attributes:
        connected: Records that share a token with another record of their list.
        largest: The most records of one list that tokens connect, directly or through others.
        inputs: Least, median and most inputs of a record.
        profiles: Different profiles, that is how many inputs of each rule, before padding.
        alone: Records whose profile no other record of their list has.
        sizes: Of the default padding, records by their padded number of inputs.
    """

    records: int
    connected: int
    largest: int
    inputs: tuple[int, float, int]
    profiles: int
    alone: int
    sizes: dict[int, int]


def rule_leakage(sent: Sequence[Sent], table: RuleTable, population: Sequence[Record]) -> list[RuleLeakage]:
    tokens, shared, having, records = Counter[int](), Counter[int](), Counter[int](), Counter[int]()
    for one in sent:
        having.update(dict(enumerate((one.profiles() > 0).sum(axis=0).tolist())))
        together: dict[int, set[int]] = defaultdict(set)
        for rule, places in one.holders():
            tokens[rule] += 1
            if len(places) > 1:
                shared[rule] += 1
                together[rule].update(places.tolist())
        records.update({rule: len(places) for rule, places in together.items()})
    guesses = guesses_by_rule(table, population)
    return [
        RuleLeakage(
            rule,
            tokens[rule.number],
            shared[rule.number],
            having[rule.number],
            records[rule.number],
            guesses[rule.number],
        )
        for rule in table.rules
    ]


def list_leakage(sent: Sequence[Sent]) -> ListLeakage:
    connected, largest, alone = 0, 0, 0
    profiles: set[bytes] = set()
    numbers: list[int] = []
    for one in sent:
        sizes = _components(len(one.records), [places.tolist() for _, places in one.holders()])
        connected += sum(size for size in sizes if size > 1)
        largest = max(largest, *sizes)
        counts = one.profiles()
        numbers += counts.sum(axis=1).tolist()
        counted = Counter(row.tobytes() for row in counts)
        profiles.update(counted)
        alone += sum(count for count in counted.values() if count == 1)
    return ListLeakage(
        records=len(numbers),
        connected=connected,
        largest=largest,
        inputs=(min(numbers), median(numbers), max(numbers)),
        profiles=len(profiles),
        alone=alone,
        sizes=dict(sorted(Counter(padded_inputs(np.array(numbers), DEFAULT_PADDING).tolist()).items())),
    )


def _components(records: int, links: Iterable[Sequence[int]]) -> list[int]:
    """Return the sizes of groups of records that shared inputs connect."""
    leader = list(range(records))

    def led(place: int) -> int:
        while leader[place] != place:
            leader[place] = place = leader[leader[place]]
        return place

    for places in links:
        first = led(places[0])
        for place in places[1:]:
            leader[led(place)] = first
    return list(Counter(map(led, range(records))).values()) or [0]
