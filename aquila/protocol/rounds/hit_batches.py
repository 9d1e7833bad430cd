"""The hits of a report in batches whose notes go together, each of one counterpart (PROTOCOL.md 3.7.6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import starmap
from operator import attrgetter
from typing import NamedTuple

from aquila.matching.certainty import Level
from aquila.octets import hexadecimal
from aquila.protocol.messages import Hit, HitReport

HIT_ID_BYTES = 16


class HitKind(NamedTuple):
    """The result of grading, which many hits have in common."""

    level: Level
    second: bool
    families: tuple[str, ...]


class HitColumns(NamedTuple):
    """Hits of a report with one counterpart, as columns: compact, and fast to hand on.

    Attributes:
        counterpart: With whom they are.
        ids: 16 bytes each.
        handles: Of the own records, 16 bytes each.
        counterpart_handles: Of the other ones.
        met: The places of the tokens that met, a byte each.
        kinds: The kinds that occur.
        kind: Which of them each hit is of.
    """

    counterpart: str
    ids: bytes
    handles: bytes
    counterpart_handles: bytes
    met: list[bytes]
    kinds: list[HitKind]
    kind: list[int]

    @classmethod
    def of(cls, counterpart: str, hits: Sequence[Hit]) -> HitColumns:
        """Return hits with one counterpart as columns."""
        places: dict[str, bytes] = {}  # few of all places and kinds occur: each is kept once
        kinds: dict[tuple[Level, bool, tuple[str, ...]], int] = {}
        met, kind = [], []
        for hit in hits:
            if hit.met not in places:
                places[hit.met] = bytes.fromhex(hit.met)
            met.append(places[hit.met])
            kind.append(kinds.setdefault((hit.certainty, hit.second, hit.families), len(kinds)))
        return cls(
            counterpart,
            bytes.fromhex("".join([hit.hit_id for hit in hits])),
            bytes.fromhex("".join([hit.handle for hit in hits])),
            bytes.fromhex("".join([hit.counterpart_handle for hit in hits])),
            met,
            list(starmap(HitKind, kinds)),
            kind,
        )

    def hits(self) -> Iterator[Hit]:
        """Yield the hits as objects again."""
        columns = (hexadecimal(column, HIT_ID_BYTES) for column in (self.ids, self.handles, self.counterpart_handles))
        for hit_id, handle, counterpart_handle, met, kind in zip(*columns, self.met, self.kind, strict=True):
            level, second, families = self.kinds[kind]
            yield Hit(
                certainty=level,
                counterpart=self.counterpart,
                counterpart_handle=counterpart_handle,
                families=families,
                handle=handle,
                hit_id=hit_id,
                met=met.hex(),
                second=second,
            )


@dataclass(frozen=True, slots=True)
class HitBatch:
    """Hits of a report with one counterpart, whose notes are sent together, and which batch of the report it is."""

    index: int
    hits: HitColumns


class HitBatches:
    """Parts a report's hits into batches for each counterpart, in the order of their ids.

    The same pages give the same batches, and no more hits than a batch of each counterpart are held meanwhile.

    Args:
        most: Hits of a batch at most.
    """

    def __init__(self, most: int) -> None:
        self._most, self._index = most, 0
        self._waiting: dict[str, list[Hit]] = {}

    def put(self, page: HitReport) -> Iterator[HitBatch]:
        """Take the next page, or the one message that the report is, and yield the batches that are full."""
        for hit in sorted(page.hits, key=attrgetter("hit_id")):
            together = self._waiting.setdefault(hit.counterpart, [])
            together.append(hit)
            if len(together) == self._most:
                yield self._batch(hit.counterpart)

    def rest(self) -> Iterator[HitBatch]:
        """Yield the hits that are left when every page was taken, a batch for each counterpart."""
        for counterpart in sorted(self._waiting):
            yield self._batch(counterpart)

    def _batch(self, counterpart: str) -> HitBatch:
        self._index += 1
        return HitBatch(self._index - 1, HitColumns.of(counterpart, self._waiting.pop(counterpart)))


def hit_batches(pages: Iterable[HitReport], most: int) -> Iterator[HitBatch]:
    """Part the hits of a report's pages, in their order, as `HitBatches` does."""
    together = HitBatches(most)
    for page in pages:
        yield from together.put(page)
    yield from together.rest()
