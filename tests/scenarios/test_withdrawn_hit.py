"""A withdrawn hit: its owner corrects a record after the round, and nobody can lie about it."""

import pytest

from aquila.errors import BindingError, OrderError, SignatureError
from aquila.followup.lifecycle import Ground
from aquila.protocol.messages import Withdrawal
from tests.support.staged_round import StagedRound


@pytest.fixture
def over(stage: StagedRound) -> StagedRound:
    stage.finalized().match()
    stage.exchange_notes()
    stage.close()
    return stage


def hit_of(stage: StagedRound, code: str, counterpart: str) -> str:
    report = stage.nodes[code].report
    assert report is not None
    return next(hit.hit_id for hit in report.hits if hit.counterpart == counterpart)


def test_the_owner_withdraws_and_the_counterpart_gives_a_receipt(over: StagedRound) -> None:
    """Keys of the round are gone by then; identity keys are enough."""
    si, rs = over.nodes["SI"], over.nodes["RS"]
    hit = hit_of(over, "SI", "RS")
    assert hit == next(one.hit_id for one in rs.report.hits if one.counterpart == "SI" and one.hit_id == hit)  # type: ignore[union-attr]
    over.publish(si.party.withdraw(si.round, si.next_sequence(), "RS", [hit], Ground.INCORRECT))
    [(digest, said)] = rs.round.withdrawals.items()
    assert (said.party, said.hits, said.ground) == ("SI", (hit,), Ground.INCORRECT)
    over.publish(rs.party.acknowledge(rs.round, rs.next_sequence(), digest, 1, erased=False))
    assert si.round.acknowledgements[digest].party == "RS"


def test_the_matcher_cannot_withdraw_in_a_party_s_name(over: StagedRound) -> None:
    fields = {"counterpart": "RS", "hits": (hit_of(over, "SI", "RS"),), "ground": Ground.INCORRECT}
    made_up = over.statement("SI", Withdrawal, **fields)
    over.refused(SignatureError, over.signed("matcher", made_up))
    over.refused(SignatureError, over.signed("AL", made_up))


def test_the_matcher_cannot_make_up_a_receipt(over: StagedRound) -> None:
    """Only the counterpart's own signature over this withdrawal is a receipt; another party's is none."""
    si, al = over.nodes["SI"], over.nodes["AL"]
    over.publish(si.party.withdraw(si.round, si.next_sequence(), "RS", [hit_of(over, "SI", "RS")], Ground.UNLAWFUL))
    [digest] = over.round.withdrawals
    over.refused(BindingError, al.party.acknowledge(al.round, al.next_sequence(), digest, 1, erased=True))
    assert not over.round.acknowledgements


def test_a_withdrawal_is_not_played_twice(over: StagedRound) -> None:
    """The same envelope changes nothing, and the same hits under another number are refused."""
    si = over.nodes["SI"]
    hit = hit_of(over, "SI", "RS")
    envelope = si.party.withdraw(si.round, si.next_sequence(), "RS", [hit], Ground.INCORRECT)
    over.publish(envelope)
    assert not over.round.accept(envelope, now=over.now).new
    again = si.party.withdraw(si.round, si.next_sequence(), "RS", [hit], Ground.INCORRECT)
    over.refused(OrderError, again, "already")
