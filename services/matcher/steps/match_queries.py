"""Steps: match queries against the lists; of each list inform its owner first, then the asker (PROTOCOL.md 3.7.4)."""

from __future__ import annotations

from aquila.protocol.messages import Kind, Outcome
from aquila.protocol.rounds.round_state import Phase
from services.matcher.context import MatcherContext
from services.matcher.events import REPORT
from services.matcher.round_memory import CachedRound, RoundTransaction
from services.matcher.rounds.held_reports import awaits_owner, give_to_asker, held_in, owners_report
from services.matcher.rounds.progress import has_all_tokens, is_matched
from services.matcher.steps.iteration import QuietRounds, each_round
from services.matcher.steps.join import FaultyTokensError, JoinResult, frozen, join, store_counts
from services.matcher.steps.match_lists import report_fault
from services.matcher.storage.round_marks import OPEN
from services.matcher.storage.tables import HeldReportRow


def match_queries(context: MatcherContext, quiet: QuietRounds | None = None) -> bool:
    """Match every query whose tokens are in, one of each round at a time."""
    return each_round(context, OPEN, lambda round_id: _match(context, round_id), quiet)


def release_reports(context: MatcherContext, quiet: QuietRounds | None = None) -> bool:
    """Release the reports of queries whose owner of the list has acknowledged its own."""
    return each_round(context, OPEN, lambda round_id: _release(context, round_id), quiet)


def _match(context: MatcherContext, round_id: str) -> bool | None:
    with context.round_cache.reading(round_id) as turn:
        due = _due(turn.cached)
        if turn.row.wish == Outcome.ABORTED.value or not due:
            return False
        record = frozen(turn.round)
    query = due[0]
    lists = [record.list_of(to) or "" for one, to in record.tokens if one == query]
    try:
        joined = join(context, record, [one for found in lists for one in (query, found)], query)
    except FaultyTokensError as error:
        report_fault(context, round_id, error)
        return True
    if joined is None:
        return None  # another process is joining
    # The owners' reports as events and the asker's held, together: if we crash before the commit, it is matched again,
    # and nobody has seen anything.
    with context.round_cache.writing("query.report", round_id) as turn:
        if turn.round.ending is not None or query not in _due(turn.cached):
            return False
        _store(context, turn, joined, query)
    context.wakeup.notify(REPORT)
    return True


def _store(context: MatcherContext, turn: RoundTransaction, joined: JoinResult, query: str) -> None:
    asker = turn.round.submissions[query].party
    for report in joined.reports:
        envelope = context.matcher.report(report)
        if report.party == asker:
            place = {"round_id": turn.row.round_id, "submission_id": query, "owner": report.counterpart}
            turn.session.add(HeldReportRow(**place, envelope=envelope.decode()))
        else:
            turn.accept(envelope)
    store_counts(turn, joined, query)


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


def _due(known: CachedRound) -> list[str]:
    """Return the queries that can be matched now: of each party the first, in the order of their tokens."""
    record = known.round
    if record.phase is not Phase.REPORTING:
        return []
    first: dict[str, str] = {}
    for one in record.tokens:
        said = record.submissions[one]
        if said.kind is Kind.QUERY and not is_matched(record, one):
            first.setdefault(said.party, one)
    return [one for one in first.values() if has_all_tokens(known, one)]
