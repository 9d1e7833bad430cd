"""Steps: match lists pair by pair as their tokens come, and queries against the lists (PROTOCOL.md 3.7.1 to 3.7.4).

Of lists both sides get their reports at once; of a query first the owner of the list, then the asker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aquila.protocol.messages import Kind, Outcome
from aquila.protocol.rounds.round_state import ReportKey
from aquila.protocol.rounds.verified_round import Round
from aquila.sentences import Sentence
from aquila.sentences.sentence import dumps
from services.kit.logging import Log
from services.matcher.context import MatcherContext
from services.matcher.events import REPORT
from services.matcher.round_memory import RoundTransaction
from services.matcher.rounds.held_reports import awaits_owner, give_to_asker, held_in, owners_report
from services.matcher.rounds.progress import faulty_columns, is_due, is_reported, pairs_of
from services.matcher.steps.iteration import QuietRounds, each_round
from services.matcher.steps.join import FaultyTokensError, JoinResult, frozen, join, store_counts
from services.matcher.storage.round_marks import OPEN
from services.matcher.storage.tables import FaultRow, HeldReportRow

_LOG = Log("matcher.matching")


def match_lists(context: MatcherContext, quiet: QuietRounds | None = None) -> bool:
    """Match one pair of lists of every round, of those whose tokens are in."""
    return each_round(context, OPEN, lambda round_id: _match(context, round_id, _due_lists, _store_of_lists), quiet)


def _store_of_lists(context: MatcherContext, turn: RoundTransaction, joined: JoinResult) -> None:
    for report in joined.reports:
        turn.accept(context.matcher.report(report))


def _match(
    context: MatcherContext,
    round_id: str,
    due_in: Callable[[RoundTransaction], Sequence[ReportKey]],
    store: Callable[[MatcherContext, RoundTransaction, JoinResult], None],
) -> bool | None:
    """Match one of the pairs that are due in a round, and store its reports and counts, all or none.

    If we crash before the commit, the pair is matched again, under new hit ids: nobody has seen the others.
    """
    with context.round_cache.reading(round_id) as turn:
        due = due_in(turn)
        if turn.row.wish == Outcome.ABORTED.value or not due:
            return False
        record = frozen(turn.round)
    try:
        # Another one each second: one whose files are lost here does not hold up the others.
        joined = join(context, record, due[context.clock() % len(due)])
    except FaultyTokensError as error:
        _report_fault(context, record, error)
        return True
    if joined is None:
        return None  # another process is joining
    with context.round_cache.writing("match.report", round_id) as turn:
        if joined.pair not in due_in(turn):
            return False
        store(context, turn, joined)
        store_counts(turn, joined)
    context.wakeup.notify(REPORT, turn.readers)
    return True


def _report_fault(context: MatcherContext, round_: Round, error: FaultyTokensError) -> None:
    """Record faulty tokens as a problem of the round, which goes on without their pair: they cannot be sent again."""
    _LOG.error("faulty_tokens", round=round_.round_id, error=error)
    place = {
        "round_id": round_.round_id,
        "submission_id": error.column.submission_id,
        "counterpart": error.column.counterpart,
    }
    party = round_.submissions[error.column.submission_id].party
    fault = Sentence.of("faulty_tokens", party=party, counterpart=error.column.counterpart, reason=error.sentence)
    with context.round_cache.writing("round.fault", round_.round_id) as turn:
        turn.session.merge(FaultRow(**place, sentence=dumps(fault)))
    context.wakeup.notify()


def _due_lists(turn: RoundTransaction) -> list[ReportKey]:
    """Return the pairs that can be matched now."""
    if turn.round.ending is not None:
        return []
    faulty = faulty_columns(turn)
    return [pair for pair in pairs_of(turn.round, None) if is_due(turn.cached, faulty, pair)]


def match_queries(context: MatcherContext, quiet: QuietRounds | None = None) -> bool:
    """Match one query of every round with one list, of those whose tokens are in."""
    return each_round(context, OPEN, lambda round_id: _match(context, round_id, _due_queries, _store_of_query), quiet)


def release_reports(context: MatcherContext, quiet: QuietRounds | None = None) -> bool:
    """Release the reports of queries whose owner of the list has acknowledged its own."""
    return each_round(context, OPEN, lambda round_id: _release(context, round_id), quiet)


def _store_of_query(context: MatcherContext, turn: RoundTransaction, joined: JoinResult) -> None:
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
    context.wakeup.notify(REPORT, turn.readers)
    return bool(due)


def _releasable(turn: RoundTransaction) -> list[HeldReportRow]:
    """Return the held reports that wait for their owner no more."""
    return [row for row in held_in(turn) if not awaits_owner(turn.round, owners_report(turn.round, row))]


def _due_queries(turn: RoundTransaction) -> list[ReportKey]:
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
