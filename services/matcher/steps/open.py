"""Step: open a round when everyone consented, or when the time for consents is over (PROTOCOL.md 3.3.4)."""

from __future__ import annotations

from aquila.protocol.messages import Outcome
from aquila.protocol.rounds.round_state import Phase
from aquila.protocol.rounds.verified_round import Round
from aquila.sentences import Sentence
from services.kit.logging import Log
from services.matcher.context import MatcherContext
from services.matcher.steps.end import end_round
from services.matcher.steps.iteration import QuietRounds, each_round
from services.matcher.storage.round_marks import OPEN

_LOG = Log("matcher.opening")
_FEWEST = 2


def open_due(context: MatcherContext, quiet: QuietRounds | None = None) -> bool:
    """Open every round whose consents are in, and abort those that too few agreed to."""
    return each_round(context, OPEN, lambda round_id: _open(context, round_id), quiet)


def _open(context: MatcherContext, round_id: str) -> bool:
    with context.round_cache.reading(round_id) as turn:
        if not _due(turn.round, context.clock()):
            return False
    with context.round_cache.writing("round.open", round_id) as turn:
        if not _due(turn.round, context.clock()):
            return False  # another worker was first
        if len(turn.round.consents) < _FEWEST:
            end_round(context, turn, Outcome.ABORTED, Sentence.of("round_lacks_consents"))
        else:
            turn.accept(context.matcher.open(turn.round, context.clock()))
    context.wakeup.notify()
    _LOG.info("round_opened", round=round_id)
    return True


def _due(round_: Round, now: int) -> bool:
    return round_.phase is Phase.PROPOSED and (round_.everybody_answered or now > round_.manifest.window.consent_by)
