"""Data sent and stored in a round, calculated: bytes and hours at a node and at the matcher.

Every element is 32 bytes, its evaluation by each other party too, and its token row for each other party 33. All pairs
may be compared. Of shadow columns two tags of 16 bytes for each element and counterpart are reckoned, which is about
what lists have, and the dummies. Signed statements are left out: one of about 1,000 bytes for a chunk and an evaluator
is a five-hundredth of the chunk.
`docs/PERFORMANCE.md` explains the figures and compares them with measured rounds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aquila.crypto.group import ELEMENT_BYTES
from aquila.crypto.oprf import SECRET_BYTES
from aquila.matching.join import TOKEN_ROW_BYTES
from aquila.protocol.submissions.column_sizes import DUMMIES, TAG_BYTES
from aquila.protocol.submissions.submission import ROW

PARQUET_ROW_BYTES = 33
"""A token row in a Parquet file, as measured on 2 million rows of the join's bench: 32.5."""

TAGS_OF_AN_ELEMENT = 2
"""Of a shadow column; measured are 0.8 to 3.2, by the fields and the length of lists."""

_HOUR = 3_600
_MICROSECONDS = 1e6


@dataclass(frozen=True, slots=True)
class Size:
    """A round of equal lists."""

    parties: int
    records: int
    inputs: float

    @property
    def elements(self) -> int:
        return round(self.records * self.inputs)

    @property
    def others(self) -> int:
        """The parties that evaluate an element besides its origin."""
        return self.parties - 1


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds of processor time that a step takes for one element."""

    prepare: float
    blind: float
    answer: float
    verify: float
    finalize: float
    add: float


def bytes_sent(elements: Sequence[int], own: int) -> int:
    """Return the bytes that one party sends: its elements, its evaluations of all others' elements, tokens for each."""
    return ELEMENT_BYTES * sum(elements) + TOKEN_ROW_BYTES * elements[own] * (len(elements) - 1)


def column_bytes(size: Size) -> int:
    """Return about how many bytes the shadow columns of a node have."""
    return TAG_BYTES * (TAGS_OF_AN_ELEMENT * size.elements + DUMMIES) * size.others


def node_sends(size: Size) -> int:
    return bytes_sent([size.elements] * size.parties, 0) + column_bytes(size)


def node_receives(size: Size) -> int:
    """Return the bytes that a node fetches: all others' elements, and all evaluations of its own."""
    return 2 * ELEMENT_BYTES * size.elements * size.others


def node_disk(size: Size) -> int:
    """Return the most that a node keeps for a round.

    Every evaluation of the own list lies here until the tokens for the last counterpart are made, beside the rows and
    the blinded elements; tokens and their secrets come on top while chunks
    are finalized, and columns when all are, of which one lies here twice while its rows are put in order. Answers to
    others leave at once and are not counted.
    """
    waiting = ROW.itemsize + ELEMENT_BYTES * (1 + size.others)
    made = (TOKEN_ROW_BYTES + SECRET_BYTES) * (size.others + 1)
    return size.elements * (waiting + made) + column_bytes(size)


def matcher_bytes(size: Size) -> int:
    """Return the bytes stored at the matcher if nothing is deleted before the tokens come: elements and evaluations."""
    return ELEMENT_BYTES * size.parties * size.elements * (1 + size.others)


def matcher_disk(size: Size, quota: int) -> int:
    """Return the most that lies at the matcher with early deletion and back-pressure.

    An evaluation goes when its origin has it, and evaluators wait while the quota is used up; a blinded chunk goes when
    its origin has every evaluation of it. Then come the tokens; the join of a pair lays its rows down once more.
    """
    elements = size.parties * size.elements
    answering = ELEMENT_BYTES * elements + min(quota, ELEMENT_BYTES * elements * size.others)
    joining = TOKEN_ROW_BYTES * elements * size.others + PARQUET_ROW_BYTES * 2 * size.elements
    joining += size.parties * column_bytes(size)
    return max(answering, joining)


def matcher_moves(size: Size) -> int:
    """Return the bytes that come to the matcher and leave it: what all nodes send and fetch."""
    return size.parties * (node_sends(size) + node_receives(size))


def node_hours(size: Size, cost: Cost) -> float:
    once = cost.prepare + cost.blind + cost.finalize + cost.add * (size.others - 1)
    each = cost.answer + cost.verify
    return size.elements * (once + each * size.others) / _MICROSECONDS / _HOUR


def transfer_hours(size: Size, bits_per_second: float) -> float:
    """Return how long a node's line is busy, when what it sends and fetches shares it."""
    return 8 * (node_sends(size) + node_receives(size)) / bits_per_second / _HOUR
