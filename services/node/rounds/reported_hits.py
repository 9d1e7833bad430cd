"""Stored hits held against the matcher's signed report, which lies beside them: what it does not say is not shown.

A report names a hit by its id, the counterpart, the level and the evidence. On which own record it is, the row alone
says, by the seal of this node (ADR 74). How many hits of a report were stored here, this node's signed receipt says.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, literal, select
from sqlalchemy.orm import Session

from aquila.crypto.envelope import payload_of
from aquila.followup.lifecycle import Ground
from aquila.interface.sentence import SentenceView
from aquila.protocol.messages import Receipt, StatementKind
from aquila.sentences import Sentence
from services.kit.errors import ForgedRowError
from services.kit.log.entries import Journal
from services.kit.storage.row_seals import ROW_KEY, RowKey, left_out
from services.kit.storage.store import Store
from services.node.round_memory import ReportedHit, RoundMemories
from services.node.storage.tables import HitRow, HitStatusRow, HitStepRow, StatementRow, WithdrawalRow

Key = tuple[str, str]
Place = tuple[str, str | None]
"""Of which report of this node a hit is: with whom, and of which query; None for the lists."""

_AT_ONCE = 500
_OF_HITS = (HitRow, HitStatusRow, HitStepRow)


@dataclass(frozen=True, slots=True)
class Reported:
    """The signed reports of a round to this node."""

    hits: Mapping[str, ReportedHit]
    """What they say of each hit, by its id."""
    complete: frozenset[Place]
    """The reports that are there, or their receipts."""
    stored: Mapping[Place, int]
    """By report, how many hits the receipt says were stored."""

    def agrees(self, hit: HitRow) -> bool:
        """Return whether a stored hit is as its report says; before a report is complete, none speaks against it."""
        found = ReportedHit(hit.counterpart, hit.certainty, tuple(hit.families), hit.submission_id)
        said = self.hits.get(hit.hit_id)
        return said == found if said is not None else (hit.counterpart, hit.submission_id) not in self.complete

    def check(self, hit: HitRow) -> None:
        """Refuse a hit of which its report says something else; raises ForgedRowError if it does."""
        if not self.agrees(hit):
            raise ForgedRowError("hit_differs_from_report", hit=hit.hit_id, round=hit.round_id)


def reported(rounds: RoundMemories, code: str, round_id: str) -> Reported:
    """Return the signed reports of a round; raises as `RoundMemories.reading` does."""
    with rounds.reading(round_id) as round_:
        receipts = {key[1:]: one.hits.total for key, one in round_.receipts.items() if key.party == code}
        answered = {key[1:] for key in round_.reports if key.party == code}
        return Reported(rounds.of(round_id).reported, frozenset(answered | set(receipts)), receipts)


def check_hits(journal: Journal, rounds: RoundMemories, keys: Iterable[Key]) -> None:
    """Refuse what is to be done with hits of which the signed report says something else.

    Raises:
        ForgedRowError: There is one, or one that this service did not write.
    """
    by_round: dict[str, set[str]] = {}
    for round_id, hit_id in keys:
        by_round.setdefault(round_id, set()).add(hit_id)
    for round_id, hits in by_round.items():
        with journal.store.reading("hit.reported") as session:
            rows = [row for hit in sorted(hits) if (row := session.get(HitRow, (round_id, hit))) is not None]
        for row in rows:
            reported(rounds, journal.code, round_id).check(row)


def untrusted(journal: Journal, rounds: RoundMemories, keys: Sequence[Key]) -> set[Key]:
    """Return those of some hits of which a row was not written by this service, or the signed report says otherwise."""
    hits: list[HitRow] = []
    with journal.store.reading("hit.trusted") as session:
        for table in _OF_HITS:
            for some in some_of(keys, table):
                hits += [row for row in session.scalars(select(table).where(some)) if isinstance(row, HitRow)]
        found = refused(session)
    return found | unlike_reports(journal, rounds, hits)


def refused(session: Session) -> set[Key]:
    """Return the hits of which a row that was read in this session was not written by this service."""
    return {(row.round_id, row.hit_id) for row in left_out(session) if isinstance(row, _OF_HITS)}


def unlike_reports(journal: Journal, rounds: RoundMemories, hits: Sequence[HitRow]) -> set[Key]:
    """Return those of some hits of which the signed report says otherwise."""
    said = {one: reported(rounds, journal.code, one) for one in {hit.round_id for hit in hits}}
    return {(hit.round_id, hit.hit_id) for hit in hits if not said[hit.round_id].agrees(hit)}


def some_of(keys: Sequence[Key], rows: type[HitRow | HitStatusRow | HitStepRow]) -> Iterator[ColumnElement[bool]]:
    """Yield conditions for rows of hits with these keys, some hundred at a time."""
    for first in range(0, len(keys), _AT_ONCE):
        some = keys[first : first + _AT_ONCE]
        yield rows.round_id.in_({round_id for round_id, _ in some}) & rows.hit_id.in_([hit_id for _, hit_id in some])


def problems_of(session: Session, said: Mapping[str, Reported], unseen: Iterable[Key]) -> tuple[SentenceView, ...]:
    """Return in sentences which hits are not shown and which are gone; the report on the health names them, too."""
    key: RowKey | None = session.info.get(ROW_KEY)
    wrong = list(unseen)
    gone = missing_hits(session, {round_id: of.stored for round_id, of in said.items()})
    if key is not None:
        for place in wrong:
            key.distrust(HitRow.__tablename__, place)
        key.note_missing(dict.fromkeys(said, 0) | gone)
    sentences = [Sentence.of("hits_not_authentic", count=len(wrong))] if wrong else []
    sentences += [
        Sentence.of("health_hits_missing", round=round_id, count=count) for round_id, count in sorted(gone.items())
    ]
    return tuple(map(SentenceView.of, sentences))


def look_for_missing(store: Store) -> None:
    """Let the report on the health name the hits that are gone, of every round that keeps hits."""
    with store.reading("hit.missing") as session:
        gone = missing_hits(session, stored_by_receipts(session))
    if store.row_key is not None:
        store.row_key.note_missing(gone, every=True)


def stored_by_receipts(session: Session) -> dict[str, dict[Place, int]]:
    """Return by round and report how many hits were stored, as this node's receipts say; none is verified here."""
    # The kind is written out, because only then a database knows that the index of these receipts has them all.
    own = StatementRow.own, StatementRow.kind == literal(StatementKind.RECEIPT.value, literal_execute=True)
    found: dict[str, dict[Place, int]] = {}
    for round_id, envelope in session.execute(select(StatementRow.round_id, StatementRow.envelope).where(*own)):
        receipt = Receipt.from_payload(payload_of(envelope, Receipt.payload_type))
        found.setdefault(round_id, {})[receipt.counterpart, receipt.submission_id] = receipt.hits.total
    return found


def missing_hits(session: Session, stored: Mapping[str, Mapping[Place, int]]) -> dict[str, int]:
    """Return for each round how many hits that were stored once are gone, where there are any."""
    rounds = list(stored)
    left = {round_id: dict(of) for round_id, of in stored.items()}
    of = HitRow.round_id, HitRow.counterpart, HitRow.submission_id
    query = select(*of, func.count()).where(HitRow.round_id.in_(rounds)).group_by(*of)
    for round_id, counterpart, submission_id, hits in session.execute(query):
        if (counterpart, submission_id) in left[round_id]:
            left[round_id][counterpart, submission_id] -= hits
    gone = {round_id: sum(of.values()) for round_id, of in left.items()}
    erased = WithdrawalRow.own, WithdrawalRow.ground == Ground.ERASED.value
    of_gone = [round_id for round_id in rounds if gone[round_id] > 0]
    for row in session.scalars(select(WithdrawalRow).where(*erased, WithdrawalRow.round_id.in_(of_gone))):
        gone[row.round_id] -= 1
    return {round_id: hits for round_id, hits in gone.items() if hits > 0}
