"""A party's list between the two passes over it: limits, padding, dummies (PROTOCOL.md 3.4.4 to 3.4.7).

The first pass digests every batch of records (`tasks.digest_records`), the second pads and blinds it
(`tasks.blind_batch`).
What is sent depends on the whole list, so it is planned between the two. A batch comes out the same however often it
is made, so a node that was interrupted goes on with the next one.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aquila.crypto.keys import SecretBytes
from aquila.errors import PolicyError
from aquila.protocol.messages import Manifest, Padding
from aquila.protocol.submissions.padding import (
    DIGEST_BYTES,
    BatchInputs,
    most_inputs,
    padded_records,
    profile_positions,
)
from aquila.protocol.submissions.tasks import RULE_SHIFT, BlindTask, CarriedSecret, DigestedBatch, Outline
from aquila.records.entropy import check_dates_of_names, check_entropy
from aquila.records.one_person import chosen_bearers, persons_of
from aquila.records.rules import RuleTable, limits_of

BATCH_RECORDS = 2_048
_COMPARED_AT_ONCE = 1 << 18


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SubmissionPlan:
    """The part of a list that is sent, as `plan_submission` decided; it gives each batch of the second pass.

    A batch comes out the same however often it is made. Memory holds two bytes for each input.
    """

    table: RuleTable
    padding: Padding
    held_back: Counter[int]
    """By rule, how many inputs of records are not sent."""
    batch_records: NDArray[np.int64]
    """How many records each batch of the first pass has."""
    batch_inputs: NDArray[np.int64]
    """How many inputs each has."""
    sent: NDArray[np.bool_]
    """For each input of the first pass, whether it is sent."""
    counts: NDArray[np.uint8]
    """For each record, how many inputs are sent."""
    rules: NDArray[np.uint8]
    """The rule of each of these."""

    @property
    def real_records(self) -> int:
        return len(self.counts)

    @property
    def records(self) -> int:
        """Return the number of records that the submission states, dummies included."""
        return padded_records(self.real_records, self.padding)

    @property
    def batches(self) -> int:
        """Return the number of batches of the second pass: those of the first, then those of dummies."""
        return len(self.batch_records) + -(-(self.records - self.real_records) // BATCH_RECORDS)

    def batch(self, number: int, seed: SecretBytes, submission: str, digested: DigestedBatch | None) -> BlindTask:
        """Return the arguments from which `aquila.protocol.submissions.tasks.blind_batch` makes a run.

        Args:
            number: Of the batch, from 0.
            submission: The submission's id, hexadecimal.
            digested: What the first pass made of the batch; None for a batch of dummies, which follow.
        """
        inputs = self._dummies(number, seed) if digested is None else self._kept(number, digested)
        named = bytes.fromhex(submission)
        return BlindTask(CarriedSecret.of(seed), self.table, self.padding, inputs, self.real_records, named)

    def _kept(self, number: int, digested: DigestedBatch) -> BatchInputs:
        """Return the part of a batch of records that is sent."""
        first, start = int(self.batch_records[:number].sum()), int(self.batch_inputs[:number].sum())
        sent = self.sent[start : start + int(self.batch_inputs[number])]
        counts = self.counts[first : first + int(self.batch_records[number])].astype(np.int64)
        digests = np.frombuffer(digested.digests, dtype=f"V{DIGEST_BYTES}")[sent].tobytes()
        return BatchInputs(first=first, counts=counts, rules=digested.rules[sent], digests=digests)

    def _dummies(self, number: int, seed: SecretBytes) -> BatchInputs:
        """Return a batch of dummies: the rules of real records that the seed chooses (3.4.6)."""
        first = self.real_records + (number - len(self.batch_records)) * BATCH_RECORDS
        positions = np.arange(first, min(first + BATCH_RECORDS, self.records), dtype=np.uint64)
        copied = profile_positions(seed, positions, self.real_records).astype(np.int64)
        counts = self.counts.astype(np.int64)
        starts = np.cumsum(counts) - counts
        sizes = counts[copied]
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        rules = self.rules[np.repeat(starts[copied], sizes) + within]
        return BatchInputs(first=first, counts=sizes, rules=rules, digests=bytes(DIGEST_BYTES * len(rules)))


def plan_submission(manifest: Manifest, table: RuleTable, outlines: Sequence[Outline]) -> SubmissionPlan:
    """Decide what of a list is sent, once the first pass has seen all of it (PROTOCOL.md 3.4.6, 3.4.7).

    The first pass digests every batch of records (`tasks.digest_records`); the digests stay where the
    caller keeps them.

    Args:
        manifest: The round's manifest, for the frequency limit and the padding.
        outlines: Of every batch, in order.

    Raises:
        PolicyError: No record gives an input under these rules, so there is nothing to submit.
        GridError: It looks like guesses.
    """
    counts = np.concatenate([np.zeros(0, dtype=np.uint16), *(outline.counts for outline in outlines)])
    entries = np.concatenate([np.zeros(0, dtype=np.uint64), *(outline.entries for outline in outlines)])
    if not len(entries):
        raise PolicyError("list_without_inputs")
    # 0. Persons, not guesses (3.4.8).
    traits = np.concatenate([outline.traits for outline in outlines])
    check_entropy(traits)
    rules = (entries >> RULE_SHIFT).astype(np.uint8)
    bears = np.isin(rules, [rule.number for rule in table.rules if rule.reads_names_alone])
    check_dates_of_names(entries[bears], np.repeat(traits["born"], counts)[bears], len(counts))
    # 1. A value that more records of the list share than its rule allows is not sent, unless few persons do (3.4.7).
    limits = _limits(manifest, table)
    sent = _not_among(entries, _frequent(entries, limits))
    ends = np.cumsum(counts, dtype=np.int64)
    over = np.flatnonzero(~sent & (limits[rules] == manifest.frequency_limit))
    if len(over):
        bearers = np.searchsorted(ends, over, side="right")
        sent[over] = chosen_bearers(entries[over], bearers, persons_of(traits), counts, manifest.frequency_limit)
    # 2. Of a record with more inputs than have a place, some of each rule are (3.4.6).
    most = most_inputs(manifest.padding)
    sizes = _sizes(sent, counts)
    for record in np.flatnonzero(sizes > most).tolist():
        places = np.arange(ends[record] - counts[record], ends[record])
        places = places[sent[places]]
        sent[places] = first_of_each(rules[places], most)
    return SubmissionPlan(
        table=table,
        padding=manifest.padding,
        held_back=Counter(rules[~sent].tolist()),
        batch_records=np.array([len(outline.counts) for outline in outlines], dtype=np.int64),
        batch_inputs=np.array([len(outline.entries) for outline in outlines], dtype=np.int64),
        sent=sent,
        counts=_sizes(sent, counts).astype(np.uint8),
        rules=rules[sent],
    )


def _limits(manifest: Manifest, table: RuleTable) -> NDArray[np.int64]:
    """Return by rule number in how many records a value may occur, as the manifest or the rule says."""
    limits = np.full(256, manifest.frequency_limit, dtype=np.int64)
    for rule, limit in limits_of(table, manifest.frequency_limit).items():
        limits[rule] = limit
    return limits


def _frequent(entries: NDArray[np.uint64], limits: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return the values that more records share than the limit of their rule."""
    ordered = np.sort(entries)
    # Of these many values few stand so far apart from themselves: only they are counted, so that memory stays low.
    least = int(limits.min())
    values = np.unique(ordered[least:][ordered[least:] == ordered[: max(0, len(ordered) - least)]])
    records = np.searchsorted(ordered, values, side="right") - np.searchsorted(ordered, values)
    frequent: NDArray[np.uint64] = values[records > limits[values >> RULE_SHIFT]]
    return frequent


def _not_among(entries: NDArray[np.uint64], values: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Return which entries are not among some ascending values; a part at a time, which takes little memory."""
    absent = np.ones(len(entries), dtype=bool)
    if len(values):
        for start in range(0, len(entries), _COMPARED_AT_ONCE):
            some = entries[start : start + _COMPARED_AT_ONCE]
            nearest = values[np.minimum(np.searchsorted(values, some), len(values) - 1)]
            absent[start : start + len(some)] = nearest != some
    return absent


def _sizes(sent: NDArray[np.bool_], counts: NDArray[np.uint16]) -> NDArray[np.int64]:
    """Return how many inputs of each record are sent."""
    before = np.zeros(len(sent) + 1, dtype=np.int64)
    np.cumsum(sent, out=before[1:])
    ends = np.cumsum(counts, dtype=np.int64)
    sizes: NDArray[np.int64] = before[ends] - before[ends - counts]
    return sizes


def first_of_each(rules: NDArray[np.uint8], most: int) -> NDArray[np.bool_]:
    """Return the first inputs of a record, ordered by rule, up to the number that is sent (3.4.6).

    A person with dozens of aliases gives more inputs than fit. The first of every rule go before the second of any,
    so that no rule falls silent.
    """
    turns = np.arange(len(rules)) - np.searchsorted(rules, rules)
    chosen = np.zeros(len(rules), dtype=bool)
    chosen[np.argsort(turns, kind="stable")[:most]] = True
    return chosen
