"""Step: match lists pair by pair as their tokens come, and report to both sides (PROTOCOL.md 3.7.1 to 3.7.3)."""

from collections.abc import Sequence

from aquila.protocol.messages import Outcome
from aquila.protocol.rounds.round_state import ReportKey
from aquila.protocol.rounds.verified_round import Round
from aquila.sentences import Sentence
from aquila.sentences.sentence import dumps
from services.kit.logging import Log
from services.matcher.context import MatcherContext
from services.matcher.events import REPORT
from services.matcher.round_memory import RoundTransaction
from services.matcher.rounds.progress import faulty_columns, is_due, pairs_of
from services.matcher.steps.iteration import QuietRounds, each_round
from services.matcher.steps.join import FaultyTokensError, frozen, join, store_counts
from services.matcher.storage.round_marks import OPEN
from services.matcher.storage.tables import FaultRow

_LOG = Log("matcher.matching")


def match_lists(context: MatcherContext, quiet: QuietRounds | None = None) -> bool:
    """Match one pair of lists of every round, of those whose tokens are in."""
    return each_round(context, OPEN, lambda round_id: _match(context, round_id), quiet)


def _match(context: MatcherContext, round_id: str) -> bool | None:
    with context.round_cache.reading(round_id) as turn:
        due = _due(turn)
        if turn.row.wish == Outcome.ABORTED.value or not due:
            return False
        record = frozen(turn.round)
    try:
        joined = join(context, record, of_the_moment(context, due))
    except FaultyTokensError as error:
        report_fault(context, record, error)
        return True
    if joined is None:
        return None  # another process is joining
    # Both reports and the counts, or none: if we crash before the commit, the pair is matched again, under new hit ids
    # that nobody has seen.
    with context.round_cache.writing("lists.report", round_id) as turn:
        if joined.pair not in _due(turn):
            return False
        for report in joined.reports:
            turn.accept(context.matcher.report(report))
        store_counts(turn, joined)
    context.wakeup.notify(REPORT)
    return True


def of_the_moment(context: MatcherContext, due: Sequence[ReportKey]) -> ReportKey:
    """Return one of the due pairs, another each second: one whose files are lost here does not hold up the others."""
    return due[context.clock() % len(due)]


def report_fault(context: MatcherContext, round_: Round, error: FaultyTokensError) -> None:
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


def _due(turn: RoundTransaction) -> list[ReportKey]:
    """Return the pairs that can be matched now."""
    if turn.round.ending is not None:
        return []
    faulty = faulty_columns(turn)
    return [pair for pair in pairs_of(turn.round, None) if is_due(turn.cached, faulty, pair)]
