"""The origin's side of a submission: inputs to blinded chunks, evaluations to tokens (PROTOCOL.md 3.4 and 3.6).

Everything here derives from one fresh submission seed, so that a batch that was interrupted is made again byte for
byte. Rows lie in NumPy arrays; a *run* is the sorted rows of one batch of records and one class, a *chunk* is a slice
of all runs merged. Callers keep runs where they like: memory is bounded by a batch and by one 128th of the list.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aquila.crypto import oprf
from aquila.crypto.group import ELEMENT_BYTES, Elements, Group
from aquila.crypto.hashing import derive
from aquila.crypto.keys import SecretBytes
from aquila.crypto.oprf import SECRET_BYTES, TOKEN_BYTES
from aquila.crypto.shares import Share
from aquila.errors import MalformedError
from aquila.protocol.encoding import framed
from aquila.protocol.messages import ChunkReference
from aquila.protocol.submissions.padding import DIGEST_BYTES, INPUTS_PER_RECORD, NumberedInputs
from aquila.records.rules import InputClass, RuleTable

HANDLE_BYTES = 16
ROW = np.dtype([("element", "S32"), ("digest", "S32"), ("number", "<u8"), ("rule", "u1")])
_OPAQUE_ROW = np.dtype(f"V{ROW.itemsize}")
TOKEN_ROW = np.dtype([("handle", "V16"), ("rule", "u1"), ("token", "V16")])
_COLUMN = "S32"
"""Elements and digests in rows. NumPy shows such values without zeros at their end, but keeps, copies and compares
them whole."""


def handles_of(seed: SecretBytes, positions: NDArray[np.uint64] | Sequence[int], counterpart: str | None) -> bytes:
    """Return the per-round handles of records, 16 bytes each, by their positions (PROTOCOL.md 3.4.5).

    Args:
        seed: The submission seed.
        positions: Of the records.
        counterpart: For whose column they are, or None where those of all columns are the same
            (`RoundState.handles_for`).
    """
    label = framed("aquila/2 handle", *([] if counterpart is None else [counterpart.encode()]))
    return derive(seed, label, positions, HANDLE_BYTES)


def blinds_of(
    group: Group, seed: SecretBytes, submission: bytes, numbers: NDArray[np.uint64] | Sequence[int], digests: bytes
) -> bytes:
    """Return the blinds of inputs, 32 bytes each (PROTOCOL.md 3.4.5).

    They hang on the inputs too: a machine that was copied, and blinds another list under the same seed and number,
    does not use one blind for two inputs. A blind is 512 bits modulo the order: it is zero with probability 2^-252,
    which nobody will see.

    Args:
        seed: The submission seed.
        submission: The submission's id, 16 bytes.
        numbers: Of the n inputs.
        digests: Their input digests, 32 bytes each.
    """
    counted = np.asarray(numbers, dtype=">u8").view(np.uint8).reshape(-1, 8)
    columns = submission, counted, np.frombuffer(digests, dtype=np.uint8).reshape(-1, DIGEST_BYTES)
    with seed.reveal() as octets:
        return group.reduce_each(group.mac(octets, *framed_rows(len(numbers), "aquila/2 blind", *columns)))


def framed_rows(count: int, label: str, *parts: bytes | NDArray[np.uint8]) -> tuple[bytes, int]:
    """Return `framed` of n messages of one length, one behind the other, and their length.

    Args:
        count: n.
        label: As in `framed`.
        parts: Each part, the same for all, or n x width.
    """
    columns = [label.encode(), *parts]
    widths = [len(part) if isinstance(part, bytes) else part.shape[1] for part in columns]
    rows = np.empty((count, sum(widths) + 4 * len(widths)), dtype=np.uint8)
    place = 0
    for part, width in zip(columns, widths, strict=True):
        rows[:, place : place + 4] = np.frombuffer(width.to_bytes(4, "big"), dtype=np.uint8)
        place += 4 + width
        rows[:, place - width : place] = np.frombuffer(part, dtype=np.uint8) if isinstance(part, bytes) else part
    return rows.tobytes(), place


def prepare_run(
    group: Group, table: RuleTable, seed: SecretBytes, submission: bytes, places: NumberedInputs
) -> dict[InputClass, np.ndarray]:
    """Blind a batch of inputs: `r*H(x)` for each, sorted by the element's bytes (PROTOCOL.md 3.4.5).

    Args:
        table: The match rules; they say which class a rule's inputs are in.
        submission: The submission's id, 16 bytes.
        places: The inputs of a batch of records, padded.

    Returns:
        For each class the rows (`ROW`) in ascending order of their elements; possibly none.
    """
    digests = np.frombuffer(places.digests, dtype=_COLUMN)
    sorted_rows = {}
    for kind in InputClass:
        members = np.isin(places.rules, [rule.number for rule in table.rules if rule.input_class is kind])
        numbers, inputs = places.numbers[members], digests[members].tobytes()
        blinds = blinds_of(group, seed, submission, numbers, inputs)
        elements = oprf.blind(group, inputs, DIGEST_BYTES, blinds)
        rows = np.empty(len(numbers), dtype=ROW)
        rows["element"] = np.frombuffer(elements, dtype=_COLUMN)
        rows["digest"] = np.frombuffer(inputs, dtype=_COLUMN)
        rows["number"] = numbers
        rows["rule"] = places.rules[members]
        sorted_rows[kind] = rows[_ascending(elements, ELEMENT_BYTES)]
    return sorted_rows


def _ascending(octets: bytes, width: int) -> NDArray[np.intp]:
    """Return the positions of n values of `width` bytes in ascending order of their bytes.

    The values are random, so that their first 8 bytes nearly always decide; where two agree, all bytes are compared.
    """
    words = np.frombuffer(octets, dtype=">u8").reshape(-1, width // 8)
    first = words[:, 0].astype(np.uint64)
    order = np.argsort(first)
    ordered = first[order]
    if (ordered[1:] == ordered[:-1]).any():
        return np.lexsort([words[:, place] for place in reversed(range(width // 8))])
    return order


def merge_runs(runs: Sequence[np.ndarray], chunk_elements: int) -> Iterator[np.ndarray]:
    """Yield the rows of all runs of a class in ascending order of their elements, cut into chunks.

    The order of uniformly random elements by their bytes says nothing about the order of the records, and anyone can
    check it (PROTOCOL.md 3.4.5). Rows are gathered by the element's first byte, one value at a time.
    """
    firsts = (run.view(np.uint8).reshape(len(run), ROW.itemsize)[:, 0] for run in runs)
    cuts = [np.searchsorted(first, np.arange(257)) for first in firsts]
    opaque = [run.view(_OPAQUE_ROW) for run in runs]
    waiting: list[np.ndarray] = []
    for value in range(256):
        slices = [run[cut[value] : cut[value + 1]] for run, cut in zip(opaque, cuts, strict=True)]
        bucket = _joined(slices)
        waiting.append(bucket[_ascending(bucket["element"].tobytes(), ELEMENT_BYTES)].view(_OPAQUE_ROW))
        while sum(map(len, waiting)) >= chunk_elements:
            rows = _joined(waiting)
            yield rows[:chunk_elements]
            waiting = [rows[chunk_elements:].view(_OPAQUE_ROW)]
    if any(map(len, waiting)):
        yield _joined(waiting)


def _joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Join opaque rows to rows: NumPy would compare and copy the fields of rows one by one."""
    return np.concatenate([np.empty(0, dtype=_OPAQUE_ROW), *parts]).view(ROW)


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


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RowTerms:
    """The terms on which a chunk's rows of the column for one counterpart are made."""

    origin: str
    """Whose list or query it is."""
    counterpart: str
    key: SecretBytes
    """The pair's key of the purpose `tokens`."""
    evaluated: Elements
    """What the counterpart evaluated, already verified."""
    handles_for: str | None
    """As `handles_of` takes it."""


def finalize_chunk(
    group: Group,
    rows: np.ndarray,
    seed: SecretBytes,
    submission: bytes,
    input_class: InputClass,
    share: Share,
    columns: Sequence[RowTerms],
) -> list[FinalizedChunk]:
    """Turn one chunk and counterparts' verified evaluations of it into tokens for each of them (PROTOCOL.md 3.6).

    Args:
        rows: The chunk's rows, in the order in which its elements were sent.
        submission: The submission's id, 16 bytes.
        input_class: The chunk's class.
        share: The origin's own share of this class.
        columns: What the rows for each counterpart are made of.

    Returns:
        For each of these the token rows in ascending order of their tokens, and the token secrets.
    """
    digests, numbers = rows["digest"].tobytes(), rows["number"]
    inverses = group.invert_each(blinds_of(group, seed, submission, numbers, digests))
    own = oprf.evaluate_inputs(group, digests, DIGEST_BYTES, share)
    made = []
    for column in columns:
        # 1. Both parties' values of each input, never their sum, under a key that nobody else has.
        theirs = oprf.unblind(group, column.evaluated, inverses)
        values = (own, theirs) if column.origin < column.counterpart else (theirs, own)
        parts = (np.frombuffer(octets, dtype=np.uint8).reshape(-1, 32) for octets in (digests, *values))
        messages = framed_rows(len(rows), "aquila/2 token", input_class.value.encode(), *parts)
        with column.key.reveal() as octets:
            tokens, secrets = oprf.split_output(group.mac(octets, *messages))
        # 2. Lay the rows down in the order of their tokens, which tells nothing of the order of the elements.
        order = _ascending(tokens, TOKEN_BYTES)
        token_rows = np.empty(len(rows), dtype=TOKEN_ROW)
        handles = handles_of(seed, numbers // np.uint64(INPUTS_PER_RECORD), column.handles_for)
        token_rows["handle"] = np.frombuffer(handles, dtype=f"V{HANDLE_BYTES}")
        token_rows["rule"] = rows["rule"]
        token_rows["token"] = np.frombuffer(tokens, dtype=f"V{TOKEN_BYTES}")
        ordered = np.frombuffer(secrets, dtype=f"V{SECRET_BYTES}")[order].tobytes()
        made.append(FinalizedChunk(token_rows[order].tobytes(), ordered))
    return made


def check_order(elements: bytes) -> None:
    """Refuse a chunk of blinded elements that are not in strictly ascending order (PROTOCOL.md 3.4.5).

    Whether each is a valid element is for `Group.multiply` to say, which decodes them.

    Raises:
        MalformedError: They are no whole number of elements, or one is repeated or out of order; the field `index` says
            which.
    """
    if len(elements) % ELEMENT_BYTES:
        raise MalformedError("chunk_elements_not_whole", got=len(elements))
    array = np.frombuffer(elements, dtype=f"S{ELEMENT_BYTES}")
    wrong = np.flatnonzero(array[1:] <= array[:-1])
    if len(wrong):
        raise MalformedError("elements_not_ascending", index=int(wrong[0]) + 1)
