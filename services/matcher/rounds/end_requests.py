"""Use case: the secretariat wants a round to end; a step ends it when that is possible."""

from aquila.audit.entries import Entry, EntryKind, Word
from aquila.audit.roles import Action
from aquila.errors import OrderError
from aquila.protocol.messages import Outcome
from aquila.protocol.registry import MATCHER
from aquila.sentences import Sentence, quoted
from aquila.sentences.sentence import dumps
from services.kit.actor import Actor
from services.kit.log.entries import actor_fields, append
from services.matcher.context import MatcherContext
from services.matcher.round_memory import RoundTransaction
from services.matcher.rounds.views import held_reports


def request_close(context: MatcherContext, actor: Actor, round_id: str) -> None:
    """Store a request to close a round, with its author; a request to abort takes precedence.

    Raises:
        NotFoundError: There is no such round.
        OrderError: It has ended already, is to be aborted, or a party holds a report back.
    """
    with context.round_cache.writing("round.wish", round_id) as turn:
        check_end(turn)
        if holders := {party for party, _, _ in held_reports(turn.round)}:
            raise OrderError("round_report_on_hold_at", round=round_id, parties=", ".join(sorted(holders)))
        turn.row.wish, turn.row.reason = Outcome.CLOSED.value, dumps(Sentence.of("every_party_has_its_hits"))
        append(
            turn.session,
            Entry.of(
                EntryKind.END_ASKED,
                turn.clock(),
                MATCHER,
                round=round_id,
                ids={"what": Word.CLOSE},
                **actor_fields(actor, Action.CLOSE_ROUND),
            ),
        )
    context.wakeup.notify()


def check_end(turn: RoundTransaction) -> None:
    """Refuse to close or abort a round that has ended; raises OrderError if it has, or is to be aborted already."""
    if turn.round.ending is not None or turn.row.wish == Outcome.ABORTED.value:
        raise OrderError("round_ended_or_ending", round=turn.row.round_id)


def request_abort(turn: RoundTransaction, reason: str) -> None:
    """Store that a round shall be aborted, which cannot be taken back; raises as `check_end` does."""
    check_end(turn)
    turn.row.wish, turn.row.reason = Outcome.ABORTED.value, dumps(quoted(reason))
