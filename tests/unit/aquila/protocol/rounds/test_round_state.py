"""The state of a round: phases follow their table."""

from collections.abc import Callable
from itertools import pairwise

from aquila.protocol.messages import Outcome
from aquila.protocol.rounds.round_state import PHASE_TRANSITIONS, Phase
from tests.support.staged_round import WINDOW, StagedRound


def test_rounds_go_through_all_transitions_of_phases_and_no_others(staged: Callable[..., StagedRound]) -> None:
    closed = staged().reported()
    closed.exchange_notes()
    closed.close()
    rounds = [staged(), staged().submitted(), staged().finalized(), staged().reported()]
    for aborted in rounds:
        aborted.abort()
    # A party sent no tokens, or two pairs could not be joined: what was reported when the time is over stays so.
    away, faulty = staged().evaluated(), staged().finalized()
    away.finalize(away.nodes["AL"], "RS")
    away.finalize(away.nodes["RS"], "AL")
    for partly in (away, faulty):
        partly.match_pair("AL", "RS")
        partly.now = WINDOW.closes_at + 1
        partly.publish(partly.matcher.end(partly.round, Outcome.CLOSED, "its time is over", partly.now))
    rounds += [closed, away, faulty]
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
