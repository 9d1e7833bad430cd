"""The matching of a round without its masks: what the matcher sees, from the records themselves.

A token of a round is a pseudorandom function of rule and input, so equality of tokens is equality of inputs: input
digests stand for tokens here. Everything before and after the masks is the round's own: digests, plan, join, grading.
That it gives the same hits is a test (`tests/quality/test_plaintext_matching.py`).
"""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aquila.crypto.keys import IdentityKey, SecretBytes
from aquila.matching.certainty import Level
from aquila.matching.join import TokenTable
from aquila.protocol.messages import Manifest
from aquila.protocol.registry import RegisteredParty, Registry
from aquila.protocol.submission_plan import plan_submission
from aquila.protocol.submissions.padding import DIGEST_BYTES
from aquila.protocol.submissions.tasks import digest_records
from aquila.records.person import Record
from aquila.records.rules import RuleTable
from aquila.simulation import CHUNK_ELEMENTS, NO_PADDING, Terms, make_manifest
from tests.quality.measuring.labelled_sets import Pair

FREQUENCY_LIMIT = 8
_BATCH = 2_048
_BINDING = bytes(32)  # of no round
_ROW = np.dtype([("zero", "V8"), ("place", ">u8"), ("rule", "u1"), ("high", ">u8"), ("low", ">u8")])
_DIGEST = np.dtype([("high", ">u8"), ("low", ">u8"), ("rest", f"V{DIGEST_BYTES - 16}")])
_ROWS_AT_ONCE = 1 << 18


class Met(NamedTuple):
    """Two records that share a token, and the mask of the rules that met."""

    pair: Pair
    rules: int


@dataclass(frozen=True)
class Meeting:
    """What meets between two lists."""

    party_a: str
    party_b: str
    size_a: int
    size_b: int
    met: tuple[Met, ...]

    def patterns(self, rules: int = -1) -> dict[int, int]:
        """How many pairs met under each mask, if only some rules had been there."""
        counts: dict[int, int] = {}
        for found in self.met:
            if mask := found.rules & rules:
                counts[mask] = counts.get(mask, 0) + 1
        return counts

    def __repr__(self) -> str:
        return f"Meeting({self.party_a!r}, {self.party_b!r})"


@dataclass(frozen=True)
class Sent:
    """What one party sends, after the frequency limit.

    Attributes:
        rows: For each of n inputs the place of its record as the handle, its rule, its digest as the token.
    """

    records: Sequence[Record]
    rows: NDArray[np.void]

    def __repr__(self) -> str:
        return f"Sent(records={len(self.records)})"

    def holders(self) -> Iterator[tuple[int, NDArray[np.uint64]]]:
        """Yield for each different token its rule and the places of the records that have it."""
        rows = self.rows[np.lexsort((self.rows["low"], self.rows["high"], self.rows["rule"]))]
        other = np.zeros(max(0, len(rows) - 1), dtype=bool)
        for column in ("rule", "high", "low"):
            other |= rows[column][1:] != rows[column][:-1]
        for group in np.split(rows, np.flatnonzero(other) + 1):
            yield int(group["rule"][0]), group["place"].astype(np.uint64)

    def profiles(self) -> NDArray[np.int64]:
        """Return for each of m records how many inputs of each rule, by number, it has: m x 64."""
        counts = np.zeros((len(self.records), 64), dtype=np.int64)
        np.add.at(counts, (self.rows["place"].astype(np.int64), self.rows["rule"]), 1)
        return counts


def send(records: Sequence[Record], table: RuleTable, frequency_limit: int = FREQUENCY_LIMIT) -> Sent:
    """Make what a party sends, by the two passes of a round (PROTOCOL.md 3.4.4 to 3.4.7)."""
    batches = [
        digest_records(_BINDING, table, records[first : first + _BATCH]) for first in range(0, len(records), _BATCH)
    ]
    plan = plan_submission(_manifest(table, frequency_limit), table, [batch.outline() for batch in batches])
    made = [np.zeros(0, dtype=_ROW)]
    with SecretBytes(os.urandom(32)) as seed:
        for number, batch in enumerate(batches):
            kept = plan.batch(number, seed, "00" * 16, batch).inputs
            rows = np.zeros(len(kept.rules), dtype=_ROW)
            rows["place"] = np.repeat(np.arange(kept.first, kept.first + len(kept.counts)), kept.counts)
            rows["rule"] = kept.rules
            digests = np.frombuffer(kept.digests, dtype=_DIGEST)
            rows["high"], rows["low"] = digests["high"], digests["low"]
            made.append(rows)
    return Sent(records, np.concatenate(made, dtype=_ROW))  # named, or it takes the order of bytes of this machine


def meet(sent: Mapping[str, Sent], frequency_limit: int = FREQUENCY_LIMIT) -> list[Meeting]:
    """Join the inputs of all pairs of parties."""
    codes = sorted(sent)
    met: dict[tuple[int, int], list[Met]] = {}
    pairs = list(combinations(range(len(codes)), 2))
    with tempfile.TemporaryDirectory(prefix="aquila-") as scratch, TokenTable(Path(scratch)) as tokens:
        for number, code in enumerate(codes):
            rows = sent[code].rows
            for first in range(0, len(rows), _ROWS_AT_ONCE):
                tokens.add(number, rows[first : first + _ROWS_AT_ONCE].tobytes())
        tokens.join(pairs, frequency_limit)
        for found in tokens.pairs():
            a, b = codes[found.left], codes[found.right]
            records = _record(sent[a], found.left_handle), _record(sent[b], found.right_handle)
            pair = Pair(a, records[0].record_id, b, records[1].record_id)
            met.setdefault((found.left, found.right), []).append(Met(pair, found.rules))
    return [
        Meeting(
            codes[a], codes[b], len(sent[codes[a]].records), len(sent[codes[b]].records), tuple(met.get((a, b), ()))
        )
        for a, b in pairs
    ]


def _manifest(table: RuleTable, frequency_limit: int) -> Manifest:
    """Return the terms of a round that nobody plays."""
    keys = {code: IdentityKey.generate(os.urandom).public for code in ("AA", "BB")}
    parties = {code: RegisteredParty(code, code, key) for code, key in keys.items()}
    registry = Registry(IdentityKey.generate(os.urandom).public, parties)
    return make_manifest(registry, Terms(table, NO_PADDING, Level.LOW, frequency_limit, CHUNK_ELEMENTS), "0" * 32, 0)


def _record(sent: Sent, handle: bytes) -> Record:
    return sent.records[int.from_bytes(handle, "big")]
