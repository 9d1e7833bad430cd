"""The heavy, independent pieces of a party's part, as functions over bytes for any executor (`aquila.executors`).

What was checked and signed stays with the party (`aquila.protocol.party`); a task gets what it needs for one batch or
chunk, computes, and gives it back. Arguments and results travel pickled. None of them shows anything of itself, since
pools and schedulers print the arguments of a task that failed; what a task raises is of our tree and names places.
"""

import hashlib
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aquila.crypto import dleq, oprf
from aquila.crypto.group import DecodedElements, Elements, Group
from aquila.crypto.keys import SecretBytes
from aquila.crypto.shares import Share
from aquila.protocol.messages import Padding
from aquila.protocol.submissions.padding import DIGEST_BYTES, BatchInputs, input_prefixes, number_inputs
from aquila.protocol.submissions.submission import FinalizedChunk, RowTerms, check_order, finalize_chunk, prepare_run
from aquila.records.entropy import TRAIT, named_traits
from aquila.records.inputs import input_maker
from aquila.records.person import Record, RecordColumns
from aquila.records.rules import InputClass, RuleTable

_HEAD = np.dtype([("head", "<u8"), ("rest", f"V{DIGEST_BYTES - 8}")])
RULE_SHIFT = np.uint64(56)
_HEAD_MASK = (np.uint64(1) << RULE_SHIFT) - np.uint64(1)


class CarriedSecret:
    """A share, a submission seed or a pair's key on its way to a task: the one form in which a secret is pickled.

    Pickled it is its octets in the clear, so whoever runs the executor sees them: the processes of a local pool, or a
    cluster that is the party's own and speaks TLS. It shows nothing of itself. The task makes of it a secret that it
    overwrites at its end; Python may leave copies in the memory of the worker, as `aquila.crypto.keys` says.
    """

    __slots__ = ("_octets",)

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    @classmethod
    def of(cls, secret: SecretBytes) -> "CarriedSecret":
        """Carry a secret; raises KeyMaterialError if it is closed."""
        return cls(secret.to_bytes())

    def share(self, group: Group) -> Share:
        """Return the share, for a `with` block that overwrites it."""
        return Share.from_bytes(group, self._octets)

    def seed(self) -> SecretBytes:
        """Return the seed or key, for a `with` block that overwrites it."""
        return SecretBytes(self._octets)

    def __reduce__(self) -> tuple[type["CarriedSecret"], tuple[bytes]]:
        return CarriedSecret, (self._octets,)

    def __repr__(self) -> str:
        return "CarriedSecret(...)"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Outline:
    """The part of a digested batch kept in memory: 8 bytes for each input."""

    counts: NDArray[np.uint16]
    """How many inputs each of m records has."""
    entries: NDArray[np.uint64]
    """For each of n inputs 7 bytes of its digest, below its rule. Two of a million different values agree with a
    probability of 1 in 150,000, and then one may be held back needlessly."""
    traits: np.ndarray
    """Of each record what tells persons from guesses (`aquila.records.entropy`), 20 bytes."""

    @property
    def rules(self) -> NDArray[np.uint8]:
        """The rule of each input."""
        return (self.entries >> RULE_SHIFT).astype(np.uint8)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DigestedBatch:
    """The inputs of a batch of records after the first pass, as columns.

    Whoever has a digest can compare it with a guess: it is the party's own secret until its round key is destroyed.
    """

    counts: NDArray[np.uint16]
    """How many inputs each of m records has."""
    rules: NDArray[np.uint8]
    """The rule of each of n inputs, the sum of `counts`."""
    digests: bytes
    """The input digest of each, 32 bytes."""
    traits: np.ndarray
    """Of each record what tells persons from guesses (`aquila.records.entropy`)."""

    def to_bytes(self) -> bytes:
        """Return the batch for a file: m as 4 bytes, the counts, the traits, then rules and digests."""
        counts, traits = self.counts.tobytes(), self.traits.tobytes()
        return len(self.counts).to_bytes(4, "little") + counts + traits + self.rules.tobytes() + self.digests

    def outline(self) -> Outline:
        """Return the data of the batch that decisions about the list need."""
        heads = np.frombuffer(self.digests, dtype=_HEAD)["head"] & _HEAD_MASK
        # Copies: a column that was read lies within the bytes of its whole batch, digests and all.
        entries = heads | (self.rules.astype(np.uint64) << RULE_SHIFT)
        return Outline(self.counts.copy(), entries, self.traits.copy())

    @classmethod
    def from_bytes(cls, content: bytes) -> "DigestedBatch":
        """Read back what `to_bytes` gave; the bytes are a party's own."""
        records = int.from_bytes(content[:4], "little")
        counts = np.frombuffer(content, dtype="<u2", count=records, offset=4)
        inputs, start = int(counts.sum(dtype=np.int64)), 4 + 2 * records
        traits = np.frombuffer(content, dtype=TRAIT, count=records, offset=start)
        start += traits.nbytes
        rules = np.frombuffer(content, dtype=np.uint8, count=inputs, offset=start)
        return cls(counts, rules, content[start + inputs :], traits)


def digest_records(binding: bytes, table: RuleTable, records: Sequence[Record]) -> DigestedBatch:
    """Normalize records, make their inputs and digest them: the first pass over a list (PROTOCOL.md 3.4.4).

    Args:
        binding: 32 bytes; an input digest is of one round.

    Raises:
        InputError: A record has more inputs than can be counted.
    """
    return digest_columns(binding, table, RecordColumns.of(records))


def digest_columns(binding: bytes, table: RuleTable, records: RecordColumns) -> DigestedBatch:
    """Do as `digest_records` with records that are given field by field."""
    maker, prefixes = input_maker(table), input_prefixes(binding, table)
    names = maker.names(records)
    found = maker.digest(records, names, prefixes)
    traits = named_traits(records["date_of_birth"], names)
    return DigestedBatch(found.counts, found.rules, found.digests, traits)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BlindTask:
    """One batch of records to blind."""

    seed: CarriedSecret
    table: RuleTable
    padding: Padding
    inputs: BatchInputs
    """What is sent of the batch."""
    real_records: int
    """How many records of the submission are no dummies."""
    submission: bytes
    """The submission's id, 16 bytes."""


def blind_batch(group: Group, work: BlindTask) -> dict[InputClass, np.ndarray]:
    """Pad and blind a batch: the second pass over a list (PROTOCOL.md 3.4.5 and 3.4.6).

    Returns:
        For each class the rows in ascending order of their elements (`submission.prepare_run`).

    Raises:
        InputError: A record has more inputs than can be sent.
    """
    with work.seed.seed() as seed:
        places = number_inputs(seed, work.table, work.padding, work.inputs, work.real_records)
        return prepare_run(group, work.table, seed, work.submission, places)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EvaluateTask:
    """One chunk of another party to evaluate."""

    share: CarriedSecret
    """This party's share of the chunk's class."""
    context: bytes
    """What the proof is bound to (`aquila.protocol.party.proof_context`)."""
    chunk: bytes
    """The blinded elements as they came."""
    fresh: bytes
    """32 fresh random bytes for the proof's nonce."""


@dataclass(frozen=True, slots=True, repr=False)
class ChunkEvaluation:
    """A chunk evaluated: n elements, their SHA-256 in hexadecimal, and the proof of 64 bytes."""

    elements: bytes
    digest: str
    proof: bytes


def evaluate_chunk(group: Group, work: EvaluateTask) -> ChunkEvaluation:
    """Check a chunk's elements, evaluate and prove (PROTOCOL.md 3.4.5, 3.5.2).

    Raises:
        MalformedError: An element is invalid, repeated or out of order; the field `index` says which.
    """
    check_order(work.chunk)
    with work.share.share(group) as share:
        blinded = group.decode(work.chunk)
        elements = oprf.evaluate(group, blinded, share)
        proof = dleq.prove_chunk(group, share, work.context, blinded, elements, work.fresh)
    return ChunkEvaluation(elements, hashlib.sha256(elements).hexdigest(), proof)


@dataclass(frozen=True, slots=True, repr=False)
class VerifyTask:
    """Another party's evaluation of an own chunk to verify."""

    key: bytes
    """The public key of the evaluator's share of the class."""
    context: bytes
    """As in `EvaluateTask`."""
    elements: bytes
    """The evaluated elements as they came."""
    proof: bytes
    """64 bytes."""


def verify_answers(group: Group, chunk: bytes, answers: Sequence[VerifyTask]) -> list[DecodedElements]:
    """Verify evaluations of a chunk (PROTOCOL.md 3.6, first half), and decode every element once.

    Args:
        chunk: The blinded elements as they were sent.

    Returns:
        The elements of each evaluation, for `finalize`.

    Raises:
        MalformedError: An element is no valid encoding or the identity.
        ProofError: An element was not evaluated with the evaluator's share.
    """
    blinded, evaluations = group.decode(chunk), []
    for work in answers:
        evaluated = group.decode(work.elements)
        dleq.verify_chunk(group, work.key, work.context, blinded, evaluated, work.proof)
        evaluations.append(evaluated)
    return evaluations


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ColumnTask:
    """What a chunk's rows for one counterpart are made of (`submission.RowTerms`)."""

    counterpart: str
    key: CarriedSecret
    """The pair's key of the purpose `tokens`."""
    public_key: bytes
    """Of the counterpart's share of the chunk's class."""
    handles_for: str | None
    evaluated: Elements = b""
    """What the counterpart evaluated, already verified under that key."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FinalizeTask:
    """A chunk with verified evaluations."""

    origin: str
    submission: bytes
    """The submission's id, 16 bytes."""
    seed: CarriedSecret
    input_class: InputClass
    share: CarriedSecret
    """The origin's own share of the class."""
    rows: np.ndarray
    columns: Sequence[ColumnTask]
    """The columns to make, in the order of the counterparts."""


def finalize(group: Group, work: FinalizeTask) -> dict[str, FinalizedChunk]:
    """Turn a chunk into token rows and token secrets for each counterpart (PROTOCOL.md 3.6, second half)."""
    with ExitStack() as secrets:
        seed, share = secrets.enter_context(work.seed.seed()), secrets.enter_context(work.share.share(group))
        columns = [
            RowTerms(
                origin=work.origin,
                counterpart=one.counterpart,
                key=secrets.enter_context(one.key.seed()),
                public_key=one.public_key,
                evaluated=one.evaluated,
                handles_for=one.handles_for,
            )
            for one in work.columns
        ]
        made = finalize_chunk(group, work.rows, seed, work.submission, work.input_class, share, columns)
    return dict(zip((one.counterpart for one in columns), made, strict=True))
