"""The origin's side of a submission: inputs to blinded chunks, evaluations to tokens (PROTOCOL.md 3.4 and 3.6).

Everything here derives from one fresh submission seed, so that a batch that was interrupted is made again byte for
byte. Rows lie in NumPy arrays; a *run* is the sorted rows of one batch of records and one class, a *chunk* is a slice
of all runs merged. Callers keep runs where they like: memory is bounded by a batch and by one 128th of the list.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from aquila.crypto import oprf
from aquila.crypto.group import ELEMENT_BYTES, SCALAR_BYTES, Elements, Group
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
TOKEN_ROW = np.dtype([("handle", "V16"), ("rule", "u1"), ("token", "V16")])
_FINALIZED = np.dtype([*TOKEN_ROW.descr, ("secret", f"V{SECRET_BYTES}")])
ORDERED_AT_ONCE = 2_000_000  # rows of 65 bytes, three times in memory
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
    """Blind a batch of inputs: `H(x) + r*G` for each, sorted by the element's bytes (PROTOCOL.md 3.4.5).

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
        sorted_rows[kind] = rows[_ascending(_words(rows["element"]))]
    return sorted_rows


def _words(*columns: NDArray[np.void] | NDArray[np.bytes_]) -> list[NDArray[np.uint64]]:
    """Return columns of n values of 8 bytes, or of several times 8, as columns of numbers that have their order."""
    octets = (np.ascontiguousarray(one).view(">u8").reshape(len(one), one.itemsize // 8) for one in columns)
    return [words.astype(np.uint64) for of_column in octets for words in of_column.T]


def _ascending(words: Sequence[NDArray[np.uint64]]) -> NDArray[np.intp]:
    """Return the positions of n values in ascending order.

    Args:
        words: Their columns. The first is random and mostly decides; of those that agree in it all are compared.
    """
    order = np.argsort(words[0])
    ordered = words[0][order]
    agree = ordered[1:] == ordered[:-1]
    tied = np.append(agree, False) | np.append(False, agree) if len(order) else agree
    some = order[tied]
    order[tied] = some[np.lexsort([column[some] for column in reversed(words)])]
    return order


def merge_runs(runs: Sequence[np.ndarray], chunk_elements: int) -> Iterator[np.ndarray]:
    """Yield the rows of all runs of a class in ascending order of their elements, cut into chunks.

    The order of uniformly random elements by their bytes says nothing about the order of the records, and anyone can
    check it (PROTOCOL.md 3.4.5). Rows are gathered by the element's first byte, one value at a time.
    """
    firsts = (run.view(np.uint8).reshape(len(run), ROW.itemsize)[:, 0] for run in runs)
    cuts = [np.searchsorted(first, np.arange(257)) for first in firsts]
    buckets = (
        _joined([run[cut[value] : cut[value + 1]] for run, cut in zip(runs, cuts, strict=True)], ROW)
        for value in range(256)
    )
    ordered = (_opaque(bucket)[_ascending(_words(bucket["element"]))] for bucket in buckets)
    whole, rest = divmod(sum(map(len, runs)), chunk_elements)
    return _cut(ordered, [*[chunk_elements] * whole, *[rest] * (rest > 0)], ROW)


def _opaque(rows: np.ndarray) -> np.ndarray:
    """Return rows without their fields, which NumPy would compare and copy one by one."""
    return rows.view(f"V{rows.itemsize}")


def _joined(parts: Iterable[np.ndarray], dtype: np.dtype[np.void]) -> np.ndarray:
    return np.concatenate([_opaque(np.empty(0, dtype=dtype)), *map(_opaque, parts)]).view(dtype)


def _cut(parts: Iterable[np.ndarray], sizes: Iterable[int], dtype: np.dtype[np.void]) -> Iterator[np.ndarray]:
    """Cut rows that come in parts of any size into others of given sizes, which are all of them."""
    coming, left = iter(parts), np.empty(0, dtype=dtype)
    for size in sizes:
        gathered = [left]
        while sum(map(len, gathered)) < size:
            gathered.append(next(coming))
        left = left if len(gathered) == 1 else _joined(gathered, dtype)
        yield left[:size]
        left = left[size:]


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

    def to_bytes(self) -> bytes:
        """Return the rows, and the secrets behind them."""
        return self.rows + self.secrets

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read back what `to_bytes` gave; the bytes are a party's own."""
        secrets = len(content) // _FINALIZED.itemsize * SECRET_BYTES
        return cls(content[:-secrets], content[-secrets:])

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
    public_key: bytes
    """Of the counterpart's share of the chunk's class."""
    evaluated: Elements
    """What the counterpart evaluated, already verified under that key."""
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
        For each of these the token rows, for `order_rows`, and the token secrets.
    """
    digests, numbers = rows["digest"].tobytes(), rows["number"]
    blinds = blinds_of(group, seed, submission, numbers, digests)
    first = oprf.blind(group, digests[:DIGEST_BYTES], DIGEST_BYTES, blinds[:SCALAR_BYTES])
    is_of_1_0 = first != rows["element"][:1].tobytes()
    own = oprf.evaluate_inputs(group, digests, DIGEST_BYTES, share)
    made = []
    for column in columns:
        # 1. Both parties' values of each input, never their sum, under a key that nobody else has.
        if is_of_1_0:
            theirs = oprf.unblind_multiplied(group, column.evaluated, blinds)
        else:
            theirs = oprf.unblind(group, column.evaluated, column.public_key, blinds)
        values = (own, theirs) if column.origin < column.counterpart else (theirs, own)
        parts = (np.frombuffer(octets, dtype=np.uint8).reshape(-1, 32) for octets in (digests, *values))
        messages = framed_rows(len(rows), "aquila/2 token", input_class.value.encode(), *parts)
        with column.key.reveal() as octets:
            tokens, secrets = oprf.split_output(group.mac(octets, *messages))
        # 2. Lay the rows down.
        token_rows = np.empty(len(rows), dtype=TOKEN_ROW)
        handles = handles_of(seed, numbers // np.uint64(INPUTS_PER_RECORD), column.handles_for)
        token_rows["handle"] = np.frombuffer(handles, dtype=f"V{HANDLE_BYTES}")
        token_rows["rule"] = rows["rule"]
        token_rows["token"] = np.frombuffer(tokens, dtype=f"V{TOKEN_BYTES}")
        made.append(FinalizedChunk(token_rows.tobytes(), secrets))
    return made


def order_rows(
    chunks: Sequence[ChunkReference], read: Callable[[int], FinalizedChunk], at_once: int = ORDERED_AT_ONCE
) -> Iterator[tuple[int, FinalizedChunk]]:
    """Yield the chunks of a column by their places: the rows of a class in one order, of tokens, then of handles.

    So no chunk of a column says which rows are of one chunk of the submission (PROTOCOL.md 3.6.2). A range of tokens is
    gathered at a time, since these are uniformly random; memory is bounded by it.

    Args:
        chunks: The chunks of the submission.
        read: Returns what `finalize_chunk` gave of the chunk of a place; each is read once for each range.
        at_once: How many rows, about, are in a range.
    """
    for kind in InputClass:
        sizes = {place: chunk.elements for place, chunk in enumerate(chunks) if chunk.input_class is kind}
        ranges = sum(sizes.values()) // at_once + 1
        every = (_in_range(map(read, sizes), number, ranges) for number in range(ranges))
        ordered = (_opaque(rows)[_ascending(_words(rows["token"], rows["handle"]))] for rows in every)
        for place, rows in zip(sizes, _cut(ordered, sizes.values(), _FINALIZED), strict=True):
            octets = rows.view(np.uint8).reshape(-1, _FINALIZED.itemsize)
            token_rows, secrets = octets[:, : TOKEN_ROW.itemsize], octets[:, TOKEN_ROW.itemsize :]
            yield place, FinalizedChunk(token_rows.tobytes(), secrets.tobytes())


def _in_range(chunks: Iterable[FinalizedChunk], number: int, ranges: int) -> np.ndarray:
    """Return the rows whose tokens are in one of some ranges of equal width."""
    parts = []
    for chunk in chunks:
        columns = np.frombuffer(chunk.rows, np.uint8), np.frombuffer(chunk.secrets, np.uint8)
        octets = np.hstack([columns[0].reshape(-1, TOKEN_ROW.itemsize), columns[1].reshape(-1, SECRET_BYTES)])
        rows = octets.view(_FINALIZED)[:, 0]
        heads = _words(rows["token"])[0] >> np.uint64(32)
        parts.append(_opaque(rows)[heads * np.uint64(ranges) >> np.uint64(32) == number])
    return _joined(parts, _FINALIZED)


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
