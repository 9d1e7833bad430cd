"""The status of one party in a round, for matcher and nodes alike: statements that all of them see."""

from __future__ import annotations

from typing import Any

from aquila.protocol.messages import Kind
from aquila.protocol.rounds.verified_round import Round


def party_status(record: Round, party: str) -> dict[str, Any]:
    """Return the fields of a `PartyStatus`, for the view that is made of it."""
    return {
        "party": party,
        "takes_part": party in record.participants or not record.bindings,
        "consented": party in record.consents,
        "listed": record.list_of(party) is not None,
        "queries": sum(one.party == party and one.kind is Kind.QUERY for one in record.submissions.values()),
    }
