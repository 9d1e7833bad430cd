"""Steps: open a round, and end it.

A round opens when everyone consented, or when the time for consents is over (PROTOCOL.md 3.3.4). It ends when it is
due, by wish, by a party's refusal or by its window (3.9).
"""

from __future__ import annotations

from sqlalchemy import delete

from aquila.protocol.messages import Outcome
from aquila.protocol.rounds.exchange import unfinished
from aquila.protocol.rounds.round_state import Phase
from aquila.protocol.rounds.verified_round import Round
from aquila.sentences import Sentence, quoted, text_of
from aquila.sentences.sentence import QUOTED, dumps, loads
from services.kit.log import own_approvals
from services.kit.logging import Log
from services.matcher.context import MatcherContext
from services.matcher.round_memory import RoundTransaction
from services.matcher.rounds.held_reports import give_to_asker, held_in, owners_report, undecided_alarms
from services.matcher.rounds.known_counts import store_known_counts
from services.matcher.steps.iteration import QuietRounds, each_round
from services.matcher.storage.round_marks import OPEN
from services.matcher.storage.tables import HeldReportRow

_LOG = Log("matcher.ending")
_LONGEST_REASON = 500


def end_due(context: MatcherContext, quiet: QuietRounds | None = None) -> bool:
    """End every round whose end is due."""
    return each_round(context, OPEN, lambda round_id: _end(context, round_id), quiet)


def _end(context: MatcherContext, round_id: str) -> bool:
    with context.round_cache.reading(round_id) as turn:
        if _end_of(turn, context.clock()) is None:
            return False
    with context.round_cache.writing("round.end", round_id) as turn:
        due = _end_of(turn, context.clock())
        if due is None:
            return False  # another worker was first
        if due[1].code == QUOTED and turn.row.wish == Outcome.ABORTED.value and not turn.round.breaking_refusal:
            own_approvals.check_abort(turn.session, round_id, text_of(due[1]))
        end_round(context, turn, *due)
    context.wakeup.notify()
    _LOG.info("round_ended", round=round_id, state=due[0].value)
    return True


def _end_of(turn: RoundTransaction, now: int) -> tuple[Outcome, Sentence] | None:
    """Return how a round ends now and why, or None where it goes on."""
    if turn.round.ending is not None:
        return None
    refusal = turn.round.breaking_refusal
    if refusal is not None:
        why = Sentence.of("party_takes_no_further_part", party=refusal.party, reason=quoted(refusal.reason))
        return Outcome.ABORTED, why
    if turn.row.wish == Outcome.ABORTED.value:
        return Outcome.ABORTED, loads(turn.row.reason) if turn.row.reason else Sentence.of("aborted_by_secretariat")
    return _closing_of(turn, now)


def _closing_of(turn: RoundTransaction, now: int) -> tuple[Outcome, Sentence] | None:
    """Return how a round ends that is not to be aborted."""
    over = now > turn.round.manifest.window.closes_at
    if turn.row.wish == Outcome.CLOSED.value and _is_complete(turn.round, now) and (over or not unfinished(turn.round)):
        return Outcome.CLOSED, loads(turn.row.reason or "")
    if not over:
        return None
    if turn.round.reports:
        return Outcome.CLOSED, Sentence.of("round_time_over")
    return Outcome.ABORTED, Sentence.of("round_time_over_without_hits")


def _is_complete(round_: Round, now: int) -> bool:
    """Return whether nothing is to come of the lists, and every party has acknowledged its reports of them."""
    missed = round_.missed(now)
    return bool(round_.reports) and all(round_.has_its_hits(party, missed) for party in round_.participants)


def end_round(context: MatcherContext, turn: RoundTransaction, outcome: Outcome, reason: Sentence) -> None:
    """Sign and store the end, after what the end must not withhold: a query's report whose other side has its own.

    One over which an owner raised an alarm that nobody decided on is never told: the end of the round is the end of the
    time for it (PROTOCOL.md 3.7.14). Nor is that of an owner that has closed, which could not raise one.
    """
    # Signed first: notes of a report that comes with the end are exchanged after it.
    ending = context.matcher.end(turn.round, outcome, text_of(reason)[:_LONGEST_REASON], context.clock())
    turn.row.reason = dumps(reason)
    undecided = undecided_alarms(turn.round)
    for row in held_in(turn):
        if owners_report(turn.round, row) not in undecided and row.owner not in turn.round.closings:
            give_to_asker(turn, row)
    turn.session.execute(delete(HeldReportRow).where(HeldReportRow.round_id == turn.row.round_id))
    store_known_counts(turn)
    # Statistics are published with the row's time, and compared with the entry's.
    turn.row.ended_at = context.clock()
    turn.accept(ending, taken_at=turn.row.ended_at)


def open_due(context: MatcherContext, quiet: QuietRounds | None = None) -> bool:
    """Open every round whose consents are in, and abort those that too few agreed to."""
    return each_round(context, OPEN, lambda round_id: _open(context, round_id), quiet)


def _open(context: MatcherContext, round_id: str) -> bool:
    with context.round_cache.reading(round_id) as turn:
        if not _opens(turn.round, context.clock()):
            return False
    with context.round_cache.writing("round.open", round_id) as turn:
        if not _opens(turn.round, context.clock()):
            return False  # another worker was first
        if not turn.round.manifest.has_pair_among(turn.round.consents):
            end_round(context, turn, Outcome.ABORTED, Sentence.of("round_lacks_consents"))
        else:
            turn.accept(context.matcher.open(turn.round, context.clock()))
    context.wakeup.notify()
    _LOG.info("round_opened", round=round_id)
    return True


def _opens(round_: Round, now: int) -> bool:
    return round_.phase is Phase.PROPOSED and (round_.everybody_answered or now > round_.manifest.window.consent_by)
