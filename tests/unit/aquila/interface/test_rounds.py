"""Requests and views of the operator interfaces."""

import pytest
from pydantic import ValidationError

from aquila.interface import rounds
from aquila.matching.certainty import Level
from aquila.protocol.messages import Kind, Mode

PROPOSAL: dict[str, object] = {
    "participants": ["AL", "SI"],
    "area": "terrorism",
    "legal_basis": "law",
    "purpose": "prevention",
    "category": "suspects",
}


def test_a_proposal_needs_little() -> None:
    proposal = rounds.RoundProposal.model_validate(PROPOSAL)
    assert (proposal.mode, proposal.minimum_certainty, proposal.rules) == (Mode.LISTS, Level.LOW, "default")
    assert (proposal.pairs, proposal.caps, proposal.window, proposal.padding) == ((), (), None, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"participants": ["AL"]},
        {"purpose": ""},
        {"purpose": "pre\u200bvention"},
        {"chunk_elements": 65_536},
        {"colour": "blue"},
    ],
)
def test_a_proposal_that_cannot_be(changes: dict[str, object]) -> None:
    """One party, no purpose, too large chunks or an unknown field are refused at once."""
    with pytest.raises(ValidationError):
        rounds.RoundProposal.model_validate(PROPOSAL | changes)


@pytest.mark.parametrize("state", rounds.AnswerState)
def test_hits_are_complete_when_all_is_answered(state: rounds.AnswerState) -> None:
    """One list or query that is not answered leaves open whether its persons are hits."""
    answers = [rounds.AnswerView(kind=Kind.LIST, submission_id=None, state=one) for one in ("answered", state)]
    hits = rounds.Hits(
        round_id="a" * 32, phase="open", answers=tuple(answers), awaited=(), hits=(), chance=(), problems=()
    )
    assert hits.complete is (state is rounds.AnswerState.ANSWERED)
