"""Parties' outcomes of their hits, kept as counts (PROTOCOL.md 3.11.4)."""

from sqlalchemy import delete

from aquila.protocol.messages import Outcomes
from services.matcher.round_memory import RoundTransaction
from services.matcher.storage.tables import OutcomeCountRow


def store_outcomes(turn: RoundTransaction, message: Outcomes) -> None:
    """Store a party's counts in place of its earlier ones, in the transaction that takes its statement."""
    before = (OutcomeCountRow.round_id == message.round_id) & (OutcomeCountRow.party == message.party)
    turn.session.execute(delete(OutcomeCountRow).where(before))
    turn.session.add_all(
        OutcomeCountRow(
            round_id=message.round_id,
            party=message.party,
            counterpart=pair.counterpart,
            certainty=level.certainty.value,
            outcome=outcome,
            hits=hits,
        )
        for pair in message.pairs
        for level in pair.levels
        for outcome, hits in level.model_dump(exclude={"certainty"}).items()
        if hits
    )
