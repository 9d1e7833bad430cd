"""A party's list on its way to a submission: limits, padding, batches (PROTOCOL.md 3.4.4 to 3.4.7).

A batch of records is prepared on its own and comes out the same however often it is made, so a node that was
interrupted goes on with the next batch. Memory holds one batch, and 8 bytes for each input while values are counted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from aquila.errors import PolicyError
from aquila.protocol.places import (
    BatchInputs,
    input_digests,
    most_inputs,
    padded_records,
    place_inputs,
    profile_positions,
)
from aquila.protocol.submission import prepare_run
from aquila.records.inputs import FrequencyLimit, HeldBack, Input, record_inputs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aquila.crypto.group import Group
    from aquila.crypto.keys import SecretBytes
    from aquila.protocol.messages import Manifest
    from aquila.records.person import Record
    from aquila.records.rules import InputClass, RuleTable

BATCH_RECORDS = 2_048


class RecordSource(Protocol):
    """The records of a submission in a fixed order, read as often as needed."""

    def __len__(self) -> int:
        """Return how many there are."""
        ...

    def read(self, first: int, count: int) -> Iterable[Record]:
        """Return up to so many records from a position on."""
        ...


@dataclass(frozen=True, slots=True)
class Preparation:
    """What fixes a submission: round, rules, seed and records.

    Attributes:
        group: The group backend.
        manifest: The round's manifest, for padding and the frequency limit.
        first_binding: 32 bytes.
        table: The match rules.
        seed: The submission seed; a new one for each submission.
        source: The records.
    """

    group: Group
    manifest: Manifest
    first_binding: bytes
    table: RuleTable
    seed: SecretBytes
    source: RecordSource

    @property
    def records(self) -> int:
        """The number of records that the submission tells, dummies included."""
        return padded_records(len(self.source), self.manifest.padding)

    @property
    def batches(self) -> int:
        """How many batches there are."""
        return -(-self.records // BATCH_RECORDS)

    def count_values(self) -> HeldBack:
        """Read all records once and find the values that too many of them share (PROTOCOL.md 3.4.7).

        Raises:
            PolicyError: No record gives an input under these rules, so there is nothing to submit.
        """
        limit = FrequencyLimit(self.table, self.manifest.frequency_limit)
        inputs = 0
        for first in range(0, len(self.source), BATCH_RECORDS):
            for record in self.source.read(first, BATCH_RECORDS):
                found = record_inputs(record, self.table)
                inputs += len(found)
                limit.note(found)
        if not inputs:
            raise PolicyError(
                "no record of this list gives an input under the round's match rules",
                hint="see with `aquila records check` which fields are missing",
            )
        return limit.held_back()

    def batch(self, number: int, held_back: HeldBack) -> dict[InputClass, np.ndarray]:
        """Blind one batch of records; see `aquila.protocol.submission.prepare_run`."""
        first = number * BATCH_RECORDS
        sent = list(self._batch_inputs(first, held_back))
        every = [item for inputs in sent for item in inputs]
        inputs = BatchInputs(
            first=first,
            counts=np.array([len(inputs) for inputs in sent], dtype=np.int64),
            rules=np.array([item.rule for item in every], dtype=np.uint8),
            digests=input_digests(self.first_binding, self.table, every),
        )
        places = place_inputs(self.seed, self.table, self.manifest.padding, inputs, len(self.source))
        return prepare_run(self.group, self.table, self.seed, places)

    def _batch_inputs(self, first: int, held_back: HeldBack) -> Iterator[tuple[Input, ...]]:
        for record in self.source.read(first, BATCH_RECORDS):
            kept = held_back.keep(record_inputs(record, self.table))
            sent = spread(kept, most_inputs(self.manifest.padding))
            held_back.by_rule.update(Counter(item.rule for item in kept) - Counter(item.rule for item in sent))
            yield sent
        dummies = np.arange(max(first, len(self.source)), min(first + BATCH_RECORDS, self.records), dtype=np.uint64)
        if len(dummies):
            for copied in profile_positions(self.seed, dummies, len(self.source)).tolist():
                for record in self.source.read(copied, 1):
                    kept = held_back.keep(record_inputs(record, self.table), count=False)
                    yield spread(kept, most_inputs(self.manifest.padding))


def spread(inputs: tuple[Input, ...], most: int) -> tuple[Input, ...]:
    """Return at most so many inputs of a record, some of each rule, in their order (PROTOCOL.md 3.4.6).

    A person with dozens of aliases gives more inputs than fit. The first of every rule go before the second of any,
    so that no rule falls silent.
    """
    if len(inputs) <= most:
        return inputs
    seen: Counter[int] = Counter()
    turns = []
    for item in inputs:
        turns.append((seen[item.rule], item))
        seen[item.rule] += 1
    return tuple(sorted(item for _, item in sorted(turns)[:most]))
