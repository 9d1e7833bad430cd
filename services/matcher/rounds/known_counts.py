"""Persons known to several parties: counted at a round's end, when no more pairs are joined (PROTOCOL.md 8).

Until then the handles of records that met surely are kept, one row a pair.
"""

from collections.abc import Iterable, Iterator

from sqlalchemy import delete, select

from aquila.matching.certainty import Level
from aquila.matching.regional_counts import Place, persons_by_parties
from aquila.octets import parted
from aquila.protocol.matcher import GradedPair
from aquila.protocol.submissions.submission import HANDLE_BYTES
from services.matcher.round_memory import RoundTransaction
from services.matcher.storage.tables import KnownCountRow, SurePairRow

_LEVELS = tuple(Level)
_WIDTH = 1 + 2 * HANDLE_BYTES


def packed(pairs: Iterable[GradedPair]) -> bytes:
    """Return the level and the handles of each hit that counts as a person: one that is not second to a surer one."""
    return b"".join(
        [
            bytes([_LEVELS.index(level)]) + pair.left_handle + pair.right_handle
            for pair, level, _grade, second in pairs
            if not second
        ]
    )


def store_known_counts(turn: RoundTransaction) -> None:
    """Count the persons of a round that ends, and delete what they were counted from."""
    of_round = SurePairRow.round_id == turn.row.round_id
    rows = turn.session.scalars(select(SurePairRow).where(of_round)).all()
    places = {party: place for place, party in enumerate(sorted(turn.round.participants))}
    pairs = [(left, right) for left, right in turn.round.manifest.pairs if {left, right} <= places.keys()]
    allowed = {(places[left], places[right]) for left, right in pairs}
    for least in Level:
        known = persons_by_parties(_met(rows, places, least), allowed)
        turn.session.add_all(
            KnownCountRow(round_id=turn.row.round_id, certainty=least.value, parties=parties, persons=persons)
            for parties, persons in known.items()
        )
    turn.session.execute(delete(SurePairRow).where(of_round))


def _met(rows: Iterable[SurePairRow], places: dict[str, int], least: Level) -> Iterator[tuple[Place, Place]]:
    """Yield the two records of each hit of a level at least, each by its party's place and its handle."""
    for row in rows:
        for one in parted(row.records, _WIDTH):
            if _LEVELS[one[0]] >= least:
                left, right = parted(one[1:], HANDLE_BYTES)
                yield (places[row.left], left), (places[row.right], right)
