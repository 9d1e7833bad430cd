"""The measurements of `make bench-quality`, set by set."""

import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aquila.crypto.backend import load_group
from aquila.matching.certainty import Level
from aquila.matching.own_list import DuplicateSearch
from aquila.records.rules import InputClass, RuleTable
from aquila.simulation import Rehearsal
from tests.quality.measuring.grading import Hit, hits_of
from tests.quality.measuring.labelled_sets import LabelledSet, Pair
from tests.quality.measuring.measures import Bin, Measured, calibration, measure
from tests.quality.measuring.plaintext_matching import FREQUENCY_LIMIT, Meeting, Sent, meet, send
from tests.quality.measuring.thresholds import GOALS, MOST_FALSE, MOST_INPUTS
from tests.support.record_lists import in_memory


@dataclass(frozen=True)
class SetResult:
    """What was measured of one set.

    Attributes:
        per_record: Inputs per record on average before padding, by class.
        seconds: Of this process, to make inputs, join and grade.
    """

    labelled: LabelledSet
    sent: Mapping[str, Sent]
    meetings: tuple[Meeting, ...]
    hits: tuple[Hit, ...]
    measured: Measured
    per_record: dict[InputClass, float]
    seconds: float

    def __repr__(self) -> str:
        return f"SetResult({self.labelled.name!r})"

    @property
    def bins(self) -> list[Bin]:
        """How true the probabilities are."""
        return calibration(self.hits, self.labelled)

    @property
    def expected_false(self) -> dict[Level, float]:
        """How many of the hits of each level are false by what the probabilities themselves say."""
        expected = dict.fromkeys(Level, 0.0)
        for hit in self.hits:
            expected[hit.level] += 1 - hit.probability
        return expected

    @property
    def broken(self) -> tuple[str, ...]:
        """What is promised or asked and not kept, in sentences."""
        if not self.labelled.same:
            return (*self._too_many_inputs(), *self._too_many_false())
        return (*self._too_many_inputs(), *self.unkept, *self._missed())

    @property
    def unkept(self) -> tuple[str, ...]:
        """Which levels are right less often than they promise, in sentences."""
        return tuple(
            f"{self.labelled.name}: of the pairs called {level.value}, {counts.precision:.3f} are right, "
            f"{level.least} was promised"
            for level, counts in self.measured.unkept.items()
            if self.labelled.same
        )

    def _too_many_inputs(self) -> Iterator[str]:
        mean = sum(self.per_record.values())
        if mean > MOST_INPUTS:
            yield f"{self.labelled.name}: {mean:.2f} inputs per record, {MOST_INPUTS:g} may be"

    def _missed(self) -> Iterator[str]:
        goal = GOALS.get(self.labelled.name)
        if goal and self.measured.best_f1 < goal.f1:
            yield f"{self.labelled.name}: F1 is {self.measured.best_f1:.4f}, {goal.f1} is the goal"
        at_high = self.measured.by_level[Level.HIGH].recall
        if goal and at_high < goal.at_high:
            yield f"{self.labelled.name}: recall at high is {at_high:.4f}, {goal.at_high} is the goal"

    def _too_many_false(self) -> Iterator[str]:
        """Say where unrelated lists give more false pairs than they may."""
        for level, most in MOST_FALSE.items():
            wrong = sum(counts.wrong for other, counts in self.measured.by_level.items() if other >= level)
            if wrong > most:
                yield f"{self.labelled.name}: {wrong} false pairs at {level.value} or better, {most} may be"


@dataclass(slots=True)
class Results:
    table: RuleTable
    sets: list[SetResult] = field(default_factory=list)

    @property
    def broken(self) -> tuple[str, ...]:
        """Every promise that is not kept, and every goal that is missed."""
        return tuple(sentence for result in self.sets for sentence in result.broken)


def measure_set(labelled: LabelledSet, table: RuleTable, *, blind: bool = False) -> SetResult:
    started = time.process_time()
    sent = {party: send(records, table) for party, records in labelled.lists.items()}
    meetings = tuple(meet(sent))
    hits = tuple(rehearsed_hits(labelled, table) if blind else hits_of(meetings, table))
    return SetResult(
        labelled=labelled,
        sent=sent,
        meetings=meetings,
        hits=hits,
        measured=measure(hits, labelled),
        per_record=_per_record(list(sent.values()), table),
        seconds=time.process_time() - started,
    )


def measure_duplicates(labelled: LabelledSet, table: RuleTable) -> Measured:
    everyone = [(party, record) for party, records in sorted(labelled.lists.items()) for record in records]
    with tempfile.TemporaryDirectory(prefix="aquila-") as scratch, DuplicateSearch(table, Path(scratch)) as search:
        for _, record in everyone:
            search.add(record)
        found = search.found()
    hits = []
    for pair in found.pairs:
        (party_a, one), (party_b, other) = everyone[pair.first], everyone[pair.second]
        assert pair.grade.level is not None  # a search names no pair below every level
        ids = Pair(party_a, one.record_id, party_b, other.record_id)
        hits.append(Hit(ids, pair.grade.level, pair.grade.probability, 0))
    return measure(hits, labelled)


def rehearsed_hits(labelled: LabelledSet, table: RuleTable) -> list[Hit]:
    """Play a whole round of a set and return its hits."""
    numbers = {rule.name: rule.number for rule in table.rules}
    with tempfile.TemporaryDirectory(prefix="aquila-") as scratch:
        played = Rehearsal(
            load_group(),
            table,
            in_memory(labelled.lists),
            os.urandom,
            Path(scratch),
            minimum=Level.LOW,
            now=int(time.time()),
            frequency_limit=FREQUENCY_LIMIT,
        )
        return [
            Hit(Pair(*hit[:4]), hit.certainty, hit.probability, sum(1 << (numbers[name] - 1) for name in hit.rules))
            for hit in played.run()
        ]


def inputs_by_rule(sent: Sequence[Sent]) -> NDArray[np.float64]:
    """Return the inputs per record of each rule, by its number, on average before padding."""
    by_rule = sum((one.profiles().sum(axis=0) for one in sent), np.zeros(64, dtype=np.int64))
    return by_rule / max(1, sum(len(one.records) for one in sent))


def _per_record(sent: Sequence[Sent], table: RuleTable) -> dict[InputClass, float]:
    """Return the inputs per record of each class on average, before padding."""
    by_rule = inputs_by_rule(sent)
    return {
        kind: float(sum(by_rule[rule.number] for rule in table.rules if rule.input_class is kind))
        for kind in InputClass
    }
