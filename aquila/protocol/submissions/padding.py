"""Positions of a submission's inputs: numbers, input digests, padding and dummies (PROTOCOL.md 3.4.4 to 3.4.6).

Columns lie in NumPy arrays: Python does not go through them input by input. What is
drawn at random comes from the submission seed, so that a batch of records comes out the same however often it is made.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aquila.crypto.hashing import BLOCK_BYTES, derive
from aquila.crypto.keys import SecretBytes
from aquila.errors import InputError
from aquila.protocol.encoding import framed
from aquila.protocol.messages import Padding
from aquila.records.rules import RuleTable

DIGEST_BYTES = 32
INPUTS_PER_RECORD = 256
_DIGEST = f"V{DIGEST_BYTES}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BatchInputs:
    """The inputs of consecutive records as columns, record by record, without padding."""

    first: int
    """The position of the first record in the submission, from 0."""
    counts: NDArray[np.int64]
    """How many inputs each of m records has."""
    rules: NDArray[np.uint8]
    """The rule of each of n inputs, the sum of `counts`."""
    digests: bytes
    """The input digest of each, 32 bytes; a digest of a guess can be compared with it, so it is secret."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class NumberedInputs:
    """Inputs of a submission with their padding, as columns."""

    numbers: NDArray[np.uint64]
    """The number of each of n inputs: 256 times its record's position plus its place within the record."""
    rules: NDArray[np.uint8]
    """Its rule."""
    digests: bytes
    """Its input digest, 32 bytes each; of padding and dummies one that no value has."""


def padded_records(records: int, padding: Padding) -> int:
    """Return the number of records of a submission with its dummies (PROTOCOL.md 3.4.6)."""
    multiple = padding.records_multiple
    return -(-records // multiple) * multiple


def padded_inputs(counts: NDArray[np.int64], padding: Padding) -> NDArray[np.int64]:
    """Return for each number of inputs the number that such a record gets (PROTOCOL.md 3.4.6)."""
    if not padding.inputs_per_record:
        return counts
    sizes = np.array(padding.inputs_per_record, dtype=np.int64)
    largest = sizes[-1]
    next_size = sizes[np.minimum(np.searchsorted(sizes, counts), len(sizes) - 1)]
    return np.where(counts <= largest, next_size, -(-counts // largest) * largest)


def most_inputs(padding: Padding) -> int:
    """Return how many inputs of a record can be sent, such that their padded number still has a place (3.4.6)."""
    largest = padding.inputs_per_record[-1] if padding.inputs_per_record else 1
    return (INPUTS_PER_RECORD - 1) // largest * largest


def input_prefixes(binding: bytes, table: RuleTable) -> dict[int, bytes]:
    """Return by rule number the bytes that come before an input's value in its digest (PROTOCOL.md 3.4.4)."""
    return {
        rule.number: framed("aquila/2 input", binding, rule.input_class.value.encode(), bytes([rule.number]))
        for rule in table.rules
    }


def profile_positions(seed: SecretBytes, positions: NDArray[np.uint64], records: int) -> NDArray[np.uint64]:
    """Return for each dummy's position that of the real record whose rules it copies (3.4.6)."""
    # A remainder of 64 bits by a few million has no measurable bias.
    drawn = derive(seed, framed("aquila/2 profile"), positions, BLOCK_BYTES)
    return np.frombuffer(drawn, dtype="<u8")[::2] % np.uint64(records)


def number_inputs(
    seed: SecretBytes, table: RuleTable, padding: Padding, inputs: BatchInputs, real_records: int
) -> NumberedInputs:
    """Number a batch's inputs and pad them (PROTOCOL.md 3.4.6).

    Args:
        table: The match rules, for the rules of padding inputs.
        inputs: The batch; a dummy has the rules of the record that it copies, and digests of zeros.
        real_records: How many records are no dummies; those behind them are.

    Raises:
        InputError: A record has more inputs than `most_inputs`.
    """
    sizes = padded_inputs(inputs.counts, padding)
    if sizes.max(initial=0) >= INPUTS_PER_RECORD:
        got = int(inputs.counts.max())
        raise InputError("record_inputs_too_many", expected=most_inputs(padding), got=got)
    positions = np.repeat(np.arange(inputs.first, inputs.first + len(sizes), dtype=np.uint64), sizes)
    within = np.arange(len(positions)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    numbers = positions * np.uint64(INPUTS_PER_RECORD) + within.astype(np.uint64)
    sent = within < np.repeat(inputs.counts, sizes)

    rules = np.empty(len(numbers), dtype=np.uint8)
    rules[sent] = inputs.rules
    # Rules by place alone: records with as many inputs under each rule look the same with their padding.
    every = np.array(sorted(rule.number for rule in table.rules), dtype=np.uint8)
    rules[~sent] = every[within[~sent] % len(every)]

    digests = np.zeros(len(numbers), dtype=_DIGEST)
    digests[sent] = np.frombuffer(inputs.digests, dtype=_DIGEST)
    without_value = ~sent | (positions >= real_records)
    drawn = derive(seed, framed("aquila/2 padding"), numbers[without_value], DIGEST_BYTES)
    digests[without_value] = np.frombuffer(drawn, dtype=_DIGEST)
    return NumberedInputs(numbers, rules, digests.tobytes())
