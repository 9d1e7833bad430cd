"""Step: match the lists when all tokens are in, and report each pair to both sides (PROTOCOL.md 3.7.1 to 3.7.3)."""

from aquila.protocol.matcher import lists_to_join
from aquila.protocol.messages import Outcome
from aquila.protocol.rounds.round_state import Phase
from aquila.sentences import Sentence
from aquila.sentences.sentence import dumps
from services.kit.logging import Log
from services.matcher.context import MatcherContext
from services.matcher.events import REPORT
from services.matcher.round_memory import CachedRound
from services.matcher.rounds.progress import has_all_tokens
from services.matcher.steps.iteration import QuietRounds, each_round
from services.matcher.steps.join import FaultyTokensError, frozen, join, store_counts
from services.matcher.storage.round_marks import OPEN

_LOG = Log("matcher.matching")


def match_lists(context: MatcherContext, quiet: QuietRounds | None = None) -> bool:
    """Match the lists of every round whose tokens are all in."""
    return each_round(context, OPEN, lambda round_id: _match(context, round_id), quiet)


def _match(context: MatcherContext, round_id: str) -> bool | None:
    with context.round_cache.reading(round_id) as turn:
        if turn.row.wish == Outcome.ABORTED.value or not _due(turn.cached):
            return False
        record = frozen(turn.round)
    try:
        joined = join(context, record, lists_to_join(record), None)
    except FaultyTokensError as error:
        report_fault(context, round_id, error)
        return True
    if joined is None:
        return None  # another process is joining
    # All reports and counts, or none: if we crash before the commit, the lists are matched again, under new hit ids
    # that nobody has seen.
    with context.round_cache.writing("lists.report", round_id) as turn:
        if turn.round.ending is not None or not _due(turn.cached):
            return False
        for report in joined.reports:
            turn.accept(context.matcher.report(report))
        store_counts(turn, joined, None)
    context.wakeup.notify(REPORT)
    return True


def report_fault(context: MatcherContext, round_id: str, error: FaultyTokensError) -> None:
    """Record a party's faulty tokens as a problem of the round, which is aborted for it: they cannot be sent again."""
    _LOG.error("faulty_tokens", round=round_id, error=error)
    with context.round_cache.writing("round.fault", round_id) as turn:
        if turn.round.ending is None:
            fault = Sentence.of("faulty_tokens", party=error.fields["party"], reason=error.sentence)
            turn.row.problem = turn.row.reason = dumps(fault)
            turn.row.wish = Outcome.ABORTED.value
    context.wakeup.notify()


def _due(known: CachedRound) -> bool:
    lists = [known.round.list_of(party) for party in known.round.participants]
    return known.round.phase is Phase.MATCHING and all(found and has_all_tokens(known, found) for found in lists)
