"""Everyone is honest: the right hits, on both sides, and nothing left afterwards."""

from aquila.protocol.rounds.round_state import Phase
from tests.support.staged_round import EXPECTED, StagedRound


def test_the_right_records_hit(stage: StagedRound) -> None:
    """Exactly the persons that two lists share are hits."""
    assert stage.finalized().matched() == EXPECTED


def test_both_sides_see_the_same_hit(stage: StagedRound) -> None:
    stage.reported()
    sides = {code: {hit.hit_id: hit for hit in node.report.hits} for code, node in stage.nodes.items()}
    for code, hits in sides.items():
        for hit_id, hit in hits.items():
            other = sides[hit.counterpart][hit_id]
            assert (other.counterpart, other.certainty, other.families) == (code, hit.certainty, hit.families)
            assert other.handle != hit.handle
            assert len(stage.nodes[code].record_ids_of([bytes.fromhex(hit.handle)])) == 1


def test_a_round_goes_through_its_phases(stage: StagedRound) -> None:
    phases = [stage.round.phase]
    for step in (
        stage.submitted,
        stage.evaluate_all,
        stage.finalize_all,
        stage.match,
        stage.exchange_notes,
        stage.close,
    ):
        step()
        phases.append(stage.round.phase)
    assert phases == [Phase.PROPOSED, Phase.OPEN, Phase.OPEN, Phase.MATCHING, *[Phase.REPORTING] * 2, Phase.CLOSED]
    assert all(node.round.phase is Phase.CLOSED for node in stage.nodes.values())
    assert all(node.seed.closed and node.secrets.lock.closed for node in stage.nodes.values())
