"""The state of a round: phases follow their table."""

from collections.abc import Callable
from itertools import pairwise

from aquila.protocol.rounds.round_state import PHASE_TRANSITIONS, Phase
from tests.support.staged_round import StagedRound


def test_rounds_go_through_all_transitions_of_phases_and_no_others(staged: Callable[..., StagedRound]) -> None:
    closed = staged().reported()
    closed.exchange_notes()
    closed.close()
    rounds = [closed, staged(), staged().submitted(), staged().finalized(), staged().reported()]
    for aborted in rounds[1:]:
        aborted.abort()
    found = {phase: set[Phase]() for phase in Phase}
    for stage in rounds:
        record = stage.new_record(sees_everything=True)
        phases = [record.phase]
        for envelope in stage.envelopes:
            record.accept(envelope)
            phases.append(record.phase)
        for before, after in pairwise(phases):
            if after is not before:
                found[before].add(after)
    assert found == PHASE_TRANSITIONS
