"""The state of each party's answer to a submission of this node: answered, awaited, on hold or refused.

An owner of a list says itself that its answer to a query is on hold or refused, in a signed statement that the asker's
node has from the feed (PROTOCOL.md 3.7.16). Neither tells a number or a person.
"""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.interface.rounds import AnswerState, PartyAnswer
from aquila.protocol.messages import StatementKind, WithheldAnswer, Withholding
from aquila.protocol.registry import Registry
from aquila.protocol.rounds.round_state import ReportKey
from aquila.protocol.rounds.verified_round import Round
from services.node.context import Signer
from services.node.rounds import progress, statements
from services.node.storage.states import LocalRoundState
from services.node.storage.tables import RoundRow, StatementRow

_WITHHELD: Mapping[Withholding | None, AnswerState] = {
    Withholding.ON_HOLD: AnswerState.ON_HOLD,
    Withholding.REFUSED: AnswerState.REFUSED,
}


def answer_state(signer: Signer, round_: Round, row: RoundRow, query: str | None) -> AnswerState:
    """Return the state of the answers to this party's list, or to one of its queries, all of them together.

    It is answered when no counterpart is waited for: each has answered, or refused to.
    """
    party, now = signer.code, signer.clock()
    states = {_state(ReportKey(party, other, query), round_, row, now) for other in round_.counterparts_of(party)}
    if states and states <= {AnswerState.ANSWERED, AnswerState.REFUSED}:
        return AnswerState.ANSWERED
    is_over = bool(states) and states.isdisjoint({AnswerState.AWAITED, AnswerState.ON_HOLD, AnswerState.ERASED})
    return AnswerState.NEVER if is_over else _without_report(party, round_, row)


def party_answers(
    session: Session, signer: Signer, round_: Round, row: RoundRow, query: str | None
) -> tuple[PartyAnswer, ...]:
    """Return the state of each counterpart's answer to this party's list, or to one of its queries.

    Args:
        query: The query's submission id, or None for the list.
    """
    withheld = _withheld_since(session, signer.registry, round_.round_id, query) if query and round_.withheld else {}
    found = []
    for other in round_.counterparts_of(signer.code):
        report = ReportKey(signer.code, other, query)
        statement = session.get(StatementRow, (round_.round_id, round_.reports.get(report, "")))
        state, since = _state(report, round_, row, signer.clock()), statement.taken_at if statement else None
        if state in _WITHHELD.values():
            since = withheld.get(other)
        found.append(PartyAnswer(party=other, state=state, since=since))
    return tuple(found)


def _state(report: ReportKey, round_: Round, row: RoundRow, now: int) -> AnswerState:
    """Return the state of one counterpart's answer."""
    said = round_.withheld.get(report.other_side)
    if said is Withholding.REFUSED:
        return AnswerState.REFUSED
    if row.hits_erased_at is None and report in round_.reports:
        return AnswerState.ANSWERED
    state = _without_report(report.party, round_, row)
    if state is not AnswerState.AWAITED:
        return state
    # Who has closed has no key any more to acknowledge its report with.
    is_over = report.counterpart in round_.closings or progress.lacks_list(round_, report, now)
    return AnswerState.NEVER if is_over else _WITHHELD.get(said, state)


def _without_report(party: str, round_: Round, row: RoundRow) -> AnswerState:
    """Return whether a report that is not here was erased, may still come, or never comes."""
    if row.hits_erased_at is not None:
        return AnswerState.ERASED
    left_out = bool(round_.participants) and party not in round_.participants
    if round_.ending or left_out or row.state != LocalRoundState.ACTIVE or row.refused is not None:
        return AnswerState.NEVER
    return AnswerState.AWAITED


def _withheld_since(session: Session, registry: Registry, round_id: str, query: str) -> dict[str, int | None]:
    """Return by party when this node took its last word on its answer to a query, in seconds since 1970."""
    rows = select(StatementRow).where(
        StatementRow.round_id == round_id, StatementRow.kind == StatementKind.WITHHELD_ANSWER.value, ~StatementRow.own
    )
    found: dict[str, int | None] = {}
    for row in session.scalars(rows.order_by(StatementRow.event_id)):
        message = statements.message_of(statements.open_statement(registry, row.envelope))
        assert isinstance(message, WithheldAnswer)  # as the row's kind says
        if message.submission_id == query:
            found[message.party] = row.taken_at
    return found
