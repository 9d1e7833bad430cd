"""Steps: match queries against the lists; of each list inform its owner first, then the asker (PROTOCOL.md 3.7.4)."""

from __future__ import annotations

from aquila.protocol.messages import Kind
from aquila.protocol.rounds.round_state import ReportKey
from services.matcher.context import MatcherContext
from services.matcher.events import REPORT
from services.matcher.round_memory import RoundTransaction
from services.matcher.rounds.held_reports import awaits_owner, give_to_asker, held_in, owners_report
from services.matcher.rounds.progress import faulty_columns, is_due, is_reported
from services.matcher.steps.iteration import QuietRounds, each_round
from services.matcher.steps.join import JoinResult
from services.matcher.steps.match_lists import match_due
from services.matcher.storage.round_marks import OPEN
from services.matcher.storage.tables import HeldReportRow


def match_queries(context: MatcherContext, quiet: QuietRounds | None = None) -> bool:
    """Match one query of every round with one list, of those whose tokens are in."""
    return each_round(context, OPEN, lambda round_id: _match(context, round_id), quiet)


def release_reports(context: MatcherContext, quiet: QuietRounds | None = None) -> bool:
    """Release the reports of queries whose owner of the list has acknowledged its own."""
    return each_round(context, OPEN, lambda round_id: _release(context, round_id), quiet)


def _match(context: MatcherContext, round_id: str) -> bool | None:
    return match_due(context, round_id, _due, _store)


def _store(context: MatcherContext, turn: RoundTransaction, joined: JoinResult) -> None:
    """Make the owner's report an event, and hold the asker's."""
    asker, owner, query = joined.pair
    for report in joined.reports:
        envelope = context.matcher.report(report)
        if report.party == asker:
            place = {"round_id": turn.row.round_id, "submission_id": query, "owner": owner}
            turn.session.add(HeldReportRow(**place, envelope=envelope.decode()))
        else:
            turn.accept(envelope)


def _release(context: MatcherContext, round_id: str) -> bool:
    with context.round_cache.reading(round_id) as turn:
        if not _releasable(turn):
            return False
    with context.round_cache.writing("query.release", round_id) as turn:
        due = _releasable(turn)
        for row in due:
            give_to_asker(turn, row)
    context.wakeup.notify(REPORT)
    return bool(due)


def _releasable(turn: RoundTransaction) -> list[HeldReportRow]:
    """Return the held reports that wait for their owner no more."""
    return [row for row in held_in(turn) if not awaits_owner(turn.round, owners_report(turn.round, row))]


def _due(turn: RoundTransaction) -> list[ReportKey]:
    """Return the queries that can be matched now, each with a list: of an asker and an owner the first one.

    Their order is that of the asker's tokens for the owner. One that cannot be joined keeps those after it back, whose
    checks rest on it (PROTOCOL.md 3.7.13.2).
    """
    record = turn.round
    if record.ending is not None:
        return []
    first: dict[ReportKey, ReportKey] = {}
    for query, owner in record.tokens:
        said = record.submissions[query]
        pair = ReportKey(said.party, owner, query)
        if said.kind is Kind.QUERY and not is_reported(record, pair):
            first.setdefault(pair._replace(submission_id=None), pair)
    faulty = faulty_columns(turn)
    return [pair for lists, pair in first.items() if is_reported(record, lists) and is_due(turn.cached, faulty, pair)]
