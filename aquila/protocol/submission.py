"""The origin's side of a submission: inputs to blinded chunks, evaluations to tokens (PROTOCOL.md 3.4 and 3.6).

Everything here derives from one fresh submission seed, so that a batch that was interrupted is made again byte for
byte. Rows lie in NumPy arrays; a *run* is the sorted rows of one batch of records and one class, a *chunk* is a slice
of all runs merged. Callers keep runs where they like: memory is bounded by a batch and by one 128th of the list.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from aquila.crypto import oprf
from aquila.crypto.group import ELEMENT_BYTES
from aquila.crypto.shares import add_evaluations
from aquila.errors import InputError, MalformedError
from aquila.protocol.encoding import framed
from aquila.protocol.messages import ChunkReference
from aquila.records.rules import InputClass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from aquila.crypto.group import Group
    from aquila.crypto.keys import SecretBytes
    from aquila.crypto.shares import Share
    from aquila.protocol.messages import Padding
    from aquila.records.inputs import Input
    from aquila.records.rules import RuleTable

DIGEST_BYTES = 32
TOKEN_BYTES = 16
HANDLE_BYTES = 16
INPUTS_PER_RECORD = 256
ROW = np.dtype([("element", "S32"), ("digest", "S32"), ("number", "<u8"), ("rule", "u1")])


class Place(NamedTuple):
    """One input of a submission: its number, its rule, and its canonical value, or None where it is padding.

    The number is 256 times the record's position plus the input's position within the record.
    """

    number: int
    rule: int
    value: bytes | None


def padded_records(records: int, padding: Padding) -> int:
    """Return the number of records of a submission with its dummies (PROTOCOL.md 3.4.6)."""
    multiple = padding.records_multiple
    return -(-records // multiple) * multiple


def padded_inputs(inputs: int, padding: Padding) -> int:
    """Return the number of inputs that a record with so many gets (PROTOCOL.md 3.4.6)."""
    sizes = padding.inputs_per_record
    if not sizes:
        return inputs
    return next((size for size in sizes if size >= inputs), -(-inputs // sizes[-1]) * sizes[-1])


def most_inputs(padding: Padding) -> int:
    """Return how many inputs of a record can be sent, such that their padded number still has a place (3.4.6)."""
    largest = padding.inputs_per_record[-1] if padding.inputs_per_record else 1
    return (INPUTS_PER_RECORD - 1) // largest * largest


def record_places(  # noqa: PLR0913  # what fixes a place
    position: int,
    inputs: Sequence[Input],
    padding: Padding,
    table: RuleTable,
    seed: SecretBytes,
    *,
    dummy: bool = False,
) -> list[Place]:
    """Return the places of one record, padded.

    Args:
        position: The record's position in the submission, from 0.
        inputs: Its inputs; of a dummy, those of a real record whose profile of rules it copies.
        padding: The manifest's padding.
        table: The match rules, for the rules of padding inputs.
        seed: The submission seed.
        dummy: Whether no value counts.

    Raises:
        InputError: The record has more inputs than `most_inputs`.
    """
    size = padded_inputs(len(inputs), padding)
    if size >= INPUTS_PER_RECORD:
        raise InputError("a record has more inputs than can be sent", expected=most_inputs(padding), got=len(inputs))
    first = position * INPUTS_PER_RECORD
    places = [Place(first + i, item.rule, None if dummy else item.value) for i, item in enumerate(inputs)]
    numbers = [rule.number for rule in table.rules]
    for number in range(first + len(inputs), first + size):
        choice = int.from_bytes(_derived(seed, "padding rule", number)[:8], "big") % len(numbers)
        places.append(Place(number, numbers[choice], None))
    return places


def profile_position(position: int, records: int, seed: SecretBytes) -> int:
    """Return the position of the real record whose profile of rules a dummy copies."""
    return int.from_bytes(_derived(seed, "profile", position)[:8], "big") % records


def handle_of(seed: SecretBytes, position: int) -> bytes:
    """Return the per-round handle of a record, 16 bytes, by its position."""
    return _derived(seed, "handle", position)[:HANDLE_BYTES]


def _derived(seed: SecretBytes, label: str, number: int) -> bytes:
    """Return 32 bytes of the seed's stream of that label at that number."""
    with seed.reveal() as key:
        return hmac.digest(key, framed("aquila/1 " + label, number.to_bytes(8, "big")), "sha256")


def input_digest_prefix(first_binding: bytes, input_class: InputClass, rule: int) -> hashlib._Hash:
    """Return the SHA-256 state that an input's value completes to its digest (PROTOCOL.md 3.4.4)."""
    return hashlib.sha256(framed("aquila/1 input", first_binding, input_class.value.encode(), bytes([rule])))


def prepare_run(
    group: Group, first_binding: bytes, table: RuleTable, seed: SecretBytes, places: Iterable[Place]
) -> dict[InputClass, np.ndarray]:
    """Blind a batch of inputs: `r*H(x)` for each, sorted by the element's bytes (PROTOCOL.md 3.4.5).

    Args:
        group: The group backend.
        first_binding: 32 bytes.
        table: The match rules; they say which class a rule's inputs are in.
        seed: The submission seed.
        places: The inputs of a batch of records.

    Returns:
        For each class the rows (`ROW`) in ascending order of their elements; possibly none.
    """
    classes = {rule.number: rule.input_class for rule in table.rules}
    prefixes = {number: input_digest_prefix(first_binding, kind, number) for number, kind in classes.items()}
    sorted_rows = {}
    by_class: dict[InputClass, list[Place]] = {kind: [] for kind in InputClass}
    for place in places:
        by_class[classes[place.rule]].append(place)
    for kind, members in by_class.items():
        digests = b"".join(_digest_of(place, prefixes, seed) for place in members)
        numbers = [place.number for place in members]
        elements = oprf.blind(group, digests, DIGEST_BYTES, blinds_of(group, seed, numbers))
        rows = np.zeros(len(members), dtype=ROW)
        rows["element"] = np.frombuffer(elements, dtype="S32")
        rows["digest"] = np.frombuffer(digests, dtype="S32")
        rows["number"] = numbers
        rows["rule"] = [place.rule for place in members]
        sorted_rows[kind] = rows[np.argsort(rows["element"], kind="stable")]
    return sorted_rows


def _digest_of(place: Place, prefixes: dict[int, hashlib._Hash], seed: SecretBytes) -> bytes:
    if place.value is None:
        return _derived(seed, "padding", place.number)
    state = prefixes[place.rule].copy()
    state.update(place.value)
    return state.digest()


def blinds_of(group: Group, seed: SecretBytes, numbers: Sequence[int]) -> bytes:
    """Return the blinds of inputs, 32 bytes each, by their numbers (PROTOCOL.md 3.4.5).

    A blind is 512 derived bits modulo the order: it is zero with probability 2^-252, which nobody will see.
    """
    labels = (framed("aquila/1 blind", number.to_bytes(8, "big")) for number in numbers)
    with seed.reveal() as key:
        return group.reduce_each(b"".join(hmac.digest(key, label, "sha512") for label in labels))


def merge_runs(runs: Sequence[np.ndarray], chunk_elements: int) -> Iterator[np.ndarray]:
    """Yield the rows of all runs of a class in ascending order of their elements, cut into chunks.

    The order of uniformly random elements by their bytes says nothing about the order of the records, and anyone can
    check it (PROTOCOL.md 3.4.5). Rows are gathered by the element's first byte, one value at a time.
    """
    firsts = [np.ascontiguousarray(run.view(np.uint8).reshape(len(run), ROW.itemsize)[:, 0]) for run in runs]
    waiting = np.zeros(0, dtype=ROW)
    for value in range(256):
        slices = [
            run[np.searchsorted(first, value, "left") : np.searchsorted(first, value, "right")]
            for run, first in zip(runs, firsts, strict=True)
        ]
        bucket = np.concatenate([waiting[:0], *slices])
        waiting = np.concatenate([waiting, bucket[np.argsort(bucket["element"], kind="stable")]])
        while len(waiting) >= chunk_elements:
            yield waiting[:chunk_elements]
            waiting = waiting[chunk_elements:]
    if len(waiting):
        yield waiting


def chunk_reference(input_class: InputClass, rows: np.ndarray) -> tuple[ChunkReference, bytes]:
    """Return a chunk's reference for the submission manifest and its bytes, 32 for each element."""
    elements = rows["element"].tobytes()
    digest = hashlib.sha256(elements).hexdigest()
    return ChunkReference(input_class=input_class, elements=len(rows), digest=digest), elements


@dataclass(frozen=True, slots=True)
class FinalizedChunk:
    """Token rows (33 bytes each: handle, rule, token) and the token secrets in the same order (32 bytes each)."""

    rows: bytes
    secrets: bytes

    def __repr__(self) -> str:
        return f"FinalizedChunk({len(self.secrets) // DIGEST_BYTES} rows)"


def finalize_chunk(
    group: Group, rows: np.ndarray, seed: SecretBytes, share: Share, evaluations: Sequence[bytes]
) -> FinalizedChunk:
    """Turn one chunk and everyone's verified evaluations of it into tokens (PROTOCOL.md 3.6).

    Args:
        group: The group backend.
        rows: The chunk's rows, in the order in which its elements were sent.
        seed: The submission seed.
        share: The origin's own share of the chunk's class.
        evaluations: For each other participant the evaluated elements, already verified.

    Returns:
        The chunk's token rows in ascending order of their tokens, and the token secrets.
    """
    # 1. The origin's own part of the sum.
    own = oprf.evaluate(group, rows["element"].tobytes(), share)
    # 2. Add what all parties evaluated.
    total = add_evaluations(group, [own, *evaluations])
    # 3. Unblind and finalize (RFC 9497, section 3.3.2), and split each output.
    numbers = [int(number) for number in rows["number"]]
    outputs = oprf.finalize(group, rows["digest"].tobytes(), DIGEST_BYTES, blinds_of(group, seed, numbers), total)
    tokens, secrets = oprf.split_output(outputs)
    # 4. Lay the rows down in the order of their tokens, which tells nothing of the order of the elements.
    order = np.argsort(np.frombuffer(tokens, dtype="S16"), kind="stable")
    handles = {position: handle_of(seed, position) for position in {number // INPUTS_PER_RECORD for number in numbers}}
    rules = rows["rule"]
    token_rows = b"".join(
        handles[numbers[i] // INPUTS_PER_RECORD] + bytes([rules[i]]) + tokens[i * TOKEN_BYTES : (i + 1) * TOKEN_BYTES]
        for i in order
    )
    ordered = np.frombuffer(secrets, dtype=f"V{DIGEST_BYTES}")[order].tobytes()
    return FinalizedChunk(token_rows, ordered)


def check_elements(group: Group, elements: bytes) -> None:
    """Refuse a chunk of blinded elements that is not in strictly ascending order of valid elements (3.4.5).

    Raises:
        MalformedError: An element is no canonical encoding, the identity, repeated or out of order; the field
            `index` says which.
    """
    group.validate(elements)
    array = np.frombuffer(elements, dtype=f"S{ELEMENT_BYTES}")
    wrong = np.flatnonzero(array[1:] <= array[:-1])
    if len(wrong):
        raise MalformedError("the elements are not in strictly ascending order", index=int(wrong[0]) + 1)
