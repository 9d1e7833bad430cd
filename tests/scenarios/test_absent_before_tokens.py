"""A party vanishes before any token was sent: the others go on without it."""

from collections.abc import Callable

import pytest

from aquila.errors import BindingError, OrderError, PolicyError
from aquila.protocol import matcher as roles
from aquila.protocol.messages import Amendment, Evaluation, Tokens
from aquila.protocol.rounds.rules import amended_binding
from tests.support.staged_round import EXPECTED, LISTS, WINDOW, StagedRound


def without(code: str) -> set[tuple[str, str, str, str]]:
    return {pair for pair in EXPECTED if code not in pair}


def test_without_its_list(stage: StagedRound) -> None:
    """A party that never submits is left out; the rest of the round gives its hits."""
    stage.locked()
    stage.submit(stage.nodes["RS"])
    stage.submit(stage.nodes["SI"])
    stage.now = WINDOW.submit_by + 1
    assert roles.late_parties(stage.round, stage.now) == ("AL",)
    stage.leave_out("AL")
    stage.evaluate_all()
    stage.finalize_all()
    assert stage.matched() == without("AL")
    stage.exchange_notes()
    stage.close()


def test_without_its_evaluations(stage: StagedRound) -> None:
    """A party that submits and then vanishes is left out with its list; evaluations of the others stay valid."""
    stage.submitted()
    for origin in ("RS", "SI"):
        for index in range(len(stage.nodes[origin].chunks)):
            stage.evaluate_chunk(stage.nodes[origin], index, stage.nodes["SI" if origin == "RS" else "RS"])
    kept: dict[tuple[str, int, str], Evaluation] = dict(stage.round.evaluations)
    stage.evaluate(stage.nodes["AL"])
    stage.now = WINDOW.evaluate_by + 1
    assert roles.late_parties(stage.round, stage.now) == ("AL",)
    stage.leave_out("AL")
    assert stage.round.evaluations == kept
    assert {submission.party for submission in stage.round.submissions.values()} == {"RS", "SI"}
    stage.finalize_all()
    assert stage.matched() == without("AL")


def test_without_its_bytes(stage: StagedRound) -> None:
    """A party that signs its list and vanishes before its chunks came is late, and nobody who waits for them is."""
    stage.submitted()
    for origin in ("RS", "SI"):
        stage.evaluate(stage.nodes[origin])
    stage.now = WINDOW.evaluate_by + 1
    assert roles.late_parties(stage.round, stage.now) == ("RS", "SI")
    assert roles.late_parties(stage.round, stage.now, [stage.nodes["AL"].submission_id]) == ("AL",)


def test_the_same_hits_as_a_round_without_it(staged: Callable[..., StagedRound], stage: StagedRound) -> None:
    """Whoever is left finds the same as if the absent party had not been invited."""
    other = staged({code: LISTS[code] for code in ("RS", "SI")}, seed=7)
    assert other.finalized().matched() == without("AL")
    stage.submitted()
    stage.now = WINDOW.evaluate_by + 1
    stage.leave_out("AL")
    stage.evaluate_all()
    stage.finalize_all()
    (stage.directory / "second").mkdir()
    stage.directory /= "second"
    assert stage.matched() == without("AL")


def test_the_binding_is_a_second_one(stage: StagedRound) -> None:
    """The amended binding names the first and the absent; what goes into inputs stays."""
    stage.submitted()
    first, stage.now = stage.round.binding, WINDOW.evaluate_by + 1
    stage.leave_out("AL")
    assert stage.round.binding == amended_binding(first, ("AL",)) != first
    assert stage.round.first_binding.hex() == first
    assert {node.round.binding for node in stage.nodes.values()} == {stage.round.binding}


def test_nobody_signs_before_the_deadline(stage: StagedRound) -> None:
    stage.submitted()
    node = stage.nodes["SI"]
    stage.now = WINDOW.submit_by + 1
    with pytest.raises(PolicyError, match="AL is not late"):
        node.party.amend(node.round, node.next_sequence(), ("AL",), stage.now)
    assert roles.late_parties(stage.round, stage.now) == ()


def test_one_signature_is_not_enough(stage: StagedRound) -> None:
    """The amendment is in force when everyone who stays has signed it; until then the old set stands."""
    stage.submitted()
    node = stage.nodes["SI"]
    stage.publish(node.party.amend(node.round, node.next_sequence(), ("AL",), WINDOW.evaluate_by + 1))
    assert stage.round.participants == ("AL", "RS", "SI")
    assert len(stage.round.bindings) == 1


def test_whoever_signed_sends_no_tokens_under_the_old_set(stage: StagedRound) -> None:
    """Between its amendment and the amended binding a party is bound to silence."""
    stage.evaluated()
    node = stage.nodes["SI"]
    stage.publish(node.party.amend(node.round, node.next_sequence(), ("AL",), WINDOW.evaluate_by + 1))
    with pytest.raises(OrderError, match="signed an amendment"):
        stage.finalize(node)


def test_tokens_under_the_old_binding_are_refused(stage: StagedRound) -> None:
    stage.submitted()
    old, stage.now = stage.round.binding, WINDOW.evaluate_by + 1
    stage.leave_out("AL")
    stage.evaluate_all()
    submission_id = stage.nodes["SI"].submission_id
    tokens = stage.statement("SI", Tokens, binding=old, submission_id=submission_id, columns=())
    stage.refused(BindingError, stage.signed("SI", tokens), "was amended")


def test_the_absent_party_comes_back_too_late(stage: StagedRound) -> None:
    stage.locked()
    stage.submit(stage.nodes["SI"])
    stage.submit(stage.nodes["RS"])
    absent, stage.now = stage.nodes["AL"], WINDOW.submit_by + 1
    stage.leave_out("AL")
    stage.nodes["AL"] = absent
    stage.now = WINDOW.submit_by
    with pytest.raises(OrderError, match="AL is no longer in the round"):
        stage.submit(absent)


@pytest.mark.parametrize("absent", [("SI",), ("XK",), ("AL", "RS")], ids=["signer", "stranger", "all others"])
def test_an_amendment_that_leaves_no_round(stage: StagedRound, absent: tuple[str, ...]) -> None:
    stage.submitted()
    stage.refused(PolicyError, stage.signed("SI", stage.statement("SI", Amendment, absent=absent)), "two participants")


def test_an_amendment_under_another_binding(stage: StagedRound) -> None:
    """A second amendment of the first set, after the first is in force, is refused."""
    stage.submitted()
    old, stage.now = stage.round.binding, WINDOW.evaluate_by + 1
    stage.leave_out("AL")
    amendment = stage.statement("SI", Amendment, absent=("RS",), binding=old)
    stage.refused(BindingError, stage.signed("SI", amendment), "was amended")
