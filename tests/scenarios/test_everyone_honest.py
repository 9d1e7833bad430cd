"""Everyone is honest: the right hits, on both sides, and nothing left afterwards."""

from aquila.protocol.rounds.round_state import Phase
from tests.support.staged_round import EXPECTED, StagedRound


def test_the_right_records_hit(stage: StagedRound) -> None:
    """Exactly the persons that two lists share are hits."""
    assert stage.finalized().matched() == EXPECTED


def test_both_sides_see_the_same_hit(stage: StagedRound) -> None:
    stage.reported()
    for code, node in stage.nodes.items():
        for counterpart, told in node.told.items():
            other_side = stage.report(counterpart, code)
            assert other_side.basis == told.terms.basis.model_copy(update={"records": other_side.basis.records})
            for hit, other in zip(told.whole.hits, other_side.hits, strict=True):
                alike = ("hit_id", "certainty", "families", "second")
                assert [getattr(hit, one) for one in alike] == [getattr(other, one) for one in alike]
                assert (other.handle, other.counterpart_handle) == (hit.counterpart_handle, hit.handle)
                assert len(node.record_ids_of([bytes.fromhex(hit.handle)], counterpart)) == 1


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
