"""The state of each party's answer to a submission of this node: answered, awaited, on hold or refused.

An owner of a list says itself that its answer to a query is on hold or refused, in a signed statement that the asker's
node has from the feed (PROTOCOL.md 3.7.16). Neither tells a number or a person.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.interface.rounds import AnswerState, PartyAnswer
from aquila.protocol.messages import StatementKind, WithheldAnswer, Withholding
from aquila.protocol.registry import Registry
from aquila.protocol.rounds.round_state import AlarmKey, ReportKey
from aquila.protocol.rounds.verified_round import Round
from services.node.context import Signer
from services.node.rounds import statements
from services.node.storage.states import LocalRoundState
from services.node.storage.tables import RoundRow, StatementRow

_WITHHELD = {Withholding.ON_HOLD: AnswerState.ON_HOLD, Withholding.REFUSED: AnswerState.REFUSED}


def answer_state(party: str, round_: Round, row: RoundRow, query: str | None) -> AnswerState:
    """Return the state of the whole answer to this party's list, or to one of its queries."""
    if row.hits_erased_at is not None:
        return AnswerState.ERASED
    if ReportKey(party, query) in round_.reports:
        return AnswerState.ANSWERED
    left_out = bool(round_.participants) and party not in round_.participants
    if round_.ending or left_out or row.state != LocalRoundState.ACTIVE or row.refused is not None:
        return AnswerState.NEVER
    return AnswerState.AWAITED


def party_answers(
    session: Session, signer: Signer, round_: Round, row: RoundRow, query: str | None
) -> tuple[PartyAnswer, ...]:
    """Return the state of each counterpart's answer to this party's list, or to one of its queries.

    Args:
        query: The query's submission id, or None for the list.
    """
    party = signer.code
    whole = answer_state(party, round_, row, query)
    report = session.get(StatementRow, (round_.round_id, round_.reports.get(ReportKey(party, query), "")))
    withheld = _withheld_since(session, signer.registry, round_.round_id, query) if query and round_.withheld else {}
    found = []
    for other in round_.counterparts_of(party):
        state, since = whole, report.taken_at if report else None
        said = round_.withheld.get(AlarmKey(other, query)) if query else None
        if said is Withholding.REFUSED or (said and whole is AnswerState.AWAITED):
            state, since = _WITHHELD[said], withheld.get(other)
        found.append(PartyAnswer(party=other, state=state, since=since))
    return tuple(found)


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
