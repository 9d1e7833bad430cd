"""Reports of queries that are held for their askers until the owner of the list has answered (PROTOCOL.md 3.7.4)."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from aquila.protocol.rounds.round_state import ColumnKey, ReportKey
from aquila.protocol.rounds.verified_round import Round
from services.matcher.round_memory import RoundTransaction
from services.matcher.storage.tables import HeldReportRow


def awaits_owner(round_: Round, owners: ReportKey) -> bool:
    """Return whether the owner of a list has neither acknowledged its report of a query nor refused its answer."""
    return owners not in round_.receipts and not round_.is_refused(owners)


def undecided_alarms(round_: Round) -> list[ReportKey]:
    """Return the reports of owners of lists whose alarm still holds the asker's back: neither released nor refused."""
    return sorted(owners for owners in round_.alarms if awaits_owner(round_, owners))


def held_in(turn: RoundTransaction) -> Iterable[HeldReportRow]:
    """Return the held reports in the order of their queries' tokens: a check rests on those before it (3.7.13.2)."""
    held = turn.session.scalars(select(HeldReportRow).where(HeldReportRow.round_id == turn.row.round_id))
    order = list(turn.round.tokens)
    return sorted(held, key=lambda row: order.index(ColumnKey(row.submission_id, row.owner)))


def owners_report(round_: Round, row: HeldReportRow) -> ReportKey:
    """Return which report of the list's owner a held one waits for."""
    return ReportKey(row.owner, round_.submissions[row.submission_id].party, row.submission_id)


def give_to_asker(turn: RoundTransaction, row: HeldReportRow) -> None:
    """Give a held report to its asker, in this transaction; one of a refused answer goes (PROTOCOL.md 3.7.16)."""
    if not turn.round.is_refused(owners_report(turn.round, row)):
        turn.accept(row.envelope.encode())
    turn.session.delete(row)
