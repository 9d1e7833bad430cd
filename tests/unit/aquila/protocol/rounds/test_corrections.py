"""After the hits: what counts of withdrawals, acknowledgements and outcomes, also when the round has ended."""

from collections.abc import Callable
from typing import Any

import pytest

from aquila.errors import BindingError, MalformedError, OrderError, PolicyError, SignatureError
from aquila.followup.lifecycle import Ground
from aquila.matching.certainty import Level
from aquila.protocol.messages import Acknowledgement, FollowUp, LevelOutcomes, Outcomes, PairOutcomes, Withdrawal
from aquila.protocol.rounds.corrections import DAY, kept_until
from aquila.protocol.rounds.follow_ups import MOST_FOLLOWED, hits_of_part, sealed_length
from aquila.protocol.rounds.round_state import Phase
from aquila.simulation import SimulatedParty
from tests.support.staged_round import NOW, StagedRound

NONE = dict.fromkeys(("confirmed", "refuted", "unresolved", "withdrawn", "open"), 0)


@pytest.fixture
def over(stage: StagedRound) -> StagedRound:
    """A round of three parties that was closed after everyone had its hits."""
    stage.reported()
    stage.exchange_notes()
    stage.close()
    return stage


def hits_with(stage: StagedRound, code: str, counterpart: str) -> list[str]:
    return [hit.hit_id for hit in stage.report(code, counterpart).hits]


def withdrawal(stage: StagedRound, *hits: str, ground: Ground = Ground.INCORRECT, to: str = "RS") -> bytes:
    party_node = stage.nodes["SI"]
    return party_node.party.withdraw(party_node.round, party_node.next_sequence(), to, hits, ground)


def outcomes(party_node: SimulatedParty, counterpart: str, **counts: int) -> bytes:
    pair = PairOutcomes(counterpart=counterpart, levels=(LevelOutcomes(certainty=Level.HIGH, **NONE | counts),))
    return party_node.party.report_outcomes(party_node.round, party_node.next_sequence(), [pair])


def test_a_withdrawal_is_acknowledged_after_the_end(over: StagedRound) -> None:
    """The owner withdraws, the counterpart acknowledges, and both stand in every record that saw them."""
    envelope = withdrawal(over, *hits_with(over, "SI", "RS"))
    over.publish(envelope)
    [digest] = over.round.withdrawals
    rs = over.nodes["RS"]
    over.publish(rs.party.acknowledge(rs.round, rs.next_sequence(), digest, 3, erased=False))
    assert over.round.phase is Phase.CLOSED
    assert over.round.acknowledgements[digest].hits == 3
    assert over.round.withdrawals[digest].counterpart == "RS"
    restored = over.restored(sees_everything=True)
    assert restored.acknowledgements == over.round.acknowledgements


def test_a_hit_is_withdrawn_once_and_once_more_when_its_record_is_erased(over: StagedRound) -> None:
    """The same hit again is refused, under whatever number; an erasure may follow."""
    hit, other = hits_with(over, "SI", "RS")[:2]
    over.publish(withdrawal(over, hit))
    over.refused(OrderError, withdrawal(over, hit, other, ground=Ground.UNLAWFUL), "already")
    over.publish(withdrawal(over, hit, ground=Ground.ERASED))
    over.refused(OrderError, withdrawal(over, hit, ground=Ground.ERASED), "already")


def test_more_hits_than_the_receipts_say_are_refused(over: StagedRound) -> None:
    acknowledged = sum(len(hits_with(over, "SI", other)) for other in ("AL", "RS"))
    made_up = [f"{number:032x}" for number in range(acknowledged + 1)]
    over.round.accept(withdrawal(over, *made_up[:-1]), now=over.now)
    with pytest.raises(OrderError, match="more hits"):
        over.round.accept(withdrawal(over, made_up[-1]), now=over.now)


def test_outcomes_count_for_acknowledged_hits_alone(over: StagedRound) -> None:
    """As many of each counterpart and level as the party's receipts have; what is more changes nothing."""
    asker, most = over.nodes["SI"], len(hits_with(over, "SI", "RS"))
    assert most < sum(len(hits_with(over, "SI", other)) for other in ("AL", "RS"))
    for counts in ({"open": most + 1}, {"confirmed": most, "refuted": 1}):
        over.refused(OrderError, outcomes(asker, "RS", **counts), "more hits", only=())
    [level] = {hit.certainty for hit in over.report("SI", "RS").hits}
    other = next(one for one in Level if one is not level)
    pair = PairOutcomes(counterpart="RS", levels=(LevelOutcomes(certainty=other, **NONE | {"confirmed": 1}),))
    of_another_level = asker.party.report_outcomes(asker.round, asker.next_sequence(), [pair])
    over.refused(OrderError, of_another_level, "more hits", only=())
    assert not over.round.outcomes
    over.round.accept(outcomes(asker, "RS", confirmed=most), now=over.now)
    assert over.round.outcomes["SI"].total == most


def test_a_node_takes_the_matchers_word_for_receipts(over: StagedRound) -> None:
    record = over.new_record()
    for envelope in over.envelopes:
        if b"receipt+json" not in envelope:
            record.accept(envelope)
    assert record.accept(withdrawal(over, *hits_with(over, "SI", "RS"))).new


def test_only_a_counterpart_is_told(staged: Callable[..., StagedRound]) -> None:
    stage = staged(changes={"pairs": (("AL", "RS"), ("RS", "SI"))}).finalized()
    stage.match()
    stage.refused(PolicyError, withdrawal(stage, "0" * 32, to="AL"), "can have no hit with AL")
    stage.refused(PolicyError, outcomes(stage.nodes["SI"], "AL", open=1), "can have no hit with AL")


def test_only_whom_it_was_sent_to_acknowledges(over: StagedRound) -> None:
    """An acknowledgement by another party, of an unknown withdrawal, twice, or of too many hits does not count."""
    over.publish(withdrawal(over, *hits_with(over, "SI", "RS")[:1]))
    [digest] = over.round.withdrawals
    al, rs = over.nodes["AL"], over.nodes["RS"]

    def says(party_node: SimulatedParty, of: str, hits: int) -> bytes:
        return party_node.party.acknowledge(party_node.round, party_node.next_sequence(), of, hits, erased=True)

    over.refused(BindingError, says(al, digest, 1), "not sent")
    over.refused(BindingError, says(rs, "0" * 64, 1), "not sent")
    over.refused(MalformedError, says(rs, digest, 2), "more hits")
    over.publish(says(rs, digest, 1))
    over.refused(OrderError, says(rs, digest, 0), "already")


def test_of_outcomes_the_highest_number_stands(over: StagedRound) -> None:
    """One that comes after a later one changes nothing, and counts against how often they may be told."""
    first, later = (outcomes(over.nodes["SI"], "RS", open=number) for number in (1, 2))
    over.publish(later)
    over.publish(first)
    [pair] = over.round.outcomes["SI"].pairs
    assert [level.open for level in pair.levels] == [2]
    assert over.round.outcomes_told["SI"] == 2


def test_later_outcomes_take_the_place_of_earlier_ones(over: StagedRound) -> None:
    over.publish(outcomes(over.nodes["SI"], "RS", open=2))
    over.publish(outcomes(over.nodes["SI"], "RS", confirmed=1, refuted=1))
    [pair] = over.round.outcomes["SI"].pairs
    assert (pair.levels[0].confirmed, pair.levels[0].open, over.round.outcomes["SI"].total) == (1, 0, 2)


def follow_up(stage: StagedRound, *, to: str = "RS", part: int = 0, letters: int = 0) -> bytes:
    """Return a follow-up of SI, of the size that three hits and one third party have."""
    fields = {"to": to, "part": part, "sealed": "A" * (letters or sealed_length(3, 1))}
    node = stage.nodes["SI"]
    return stage.signed("SI", stage.statement("SI", FollowUp, sequence=node.next_sequence(), **fields))


def test_the_size_of_a_follow_up_follows_from_hits_and_parties(over: StagedRound) -> None:
    """So it says nothing. A receiver does not hold its teller to it: the matcher may have told both another number."""
    assert len(hits_with(over, "SI", "RS")) == 3
    over.publish(follow_up(over))
    over.publish(follow_up(over))
    for wrong in (follow_up(over, part=1), follow_up(over, letters=sealed_length(2, 1))):
        over.refused(MalformedError, wrong, "not the size", only=())
        assert over.nodes["RS"].round.accept(wrong).new
    over.refused(MalformedError, follow_up(over, to="AL"), "not the size", only=())
    assert [hits_of_part(MOST_FOLLOWED + 3, part) for part in range(3)] == [MOST_FOLLOWED, 3, 0]
    assert sealed_length(MOST_FOLLOWED, 10) < 1_300_000


def test_a_part_is_a_number_of_four_bytes(over: StagedRound) -> None:
    """As what it is sealed for has it: a receiver without a receipt takes the matcher's word on everything else."""
    said = over.statement("SI", FollowUp, to="RS", part=0, sealed="AAAA").payload()
    assert FollowUp.from_payload(said.replace(b'"part":0', b'"part":%d' % (2**32 - 1))).part == 2**32 - 1
    with pytest.raises(MalformedError):
        FollowUp.from_payload(said.replace(b'"part":0', b'"part":%d' % 2**32))


def test_no_follow_up_before_both_receipts(stage: StagedRound) -> None:
    stage.finalized().match_pair("RS", "SI")
    stage.refused(OrderError, follow_up(stage), "before both have acknowledged", only=())
    assert stage.nodes["SI"].round.accept(follow_up(stage)).new  # it lacks both receipts, and takes the matcher's word


def test_nothing_is_taken_after_retention(over: StagedRound) -> None:
    last = over.manifest.window.closes_at + over.manifest.retention_days * DAY
    assert kept_until(over.round) == last > NOW
    early = withdrawal(over, hits_with(over, "SI", "RS")[0])
    over.now = last
    over.publish(early)
    over.now = last + 1
    [digest] = over.round.withdrawals
    rs = over.nodes["RS"]
    over.refused(OrderError, withdrawal(over, hits_with(over, "SI", "AL")[0], to="AL"), "retention")
    over.refused(OrderError, outcomes(rs, "SI", open=1), "retention")
    over.refused(OrderError, follow_up(over), "retention")
    late = rs.party.acknowledge(rs.round, rs.next_sequence(), digest, 1, erased=True)
    over.refused(OrderError, late, "retention")
    assert over.round.accept(late).new  # what is stored already is read back whatever the time is


@pytest.mark.parametrize("kind", [Withdrawal, Acknowledgement, Outcomes, FollowUp])
def test_another_binding_is_refused(over: StagedRound, kind: type[Any]) -> None:
    fields: dict[type[Any], dict[str, Any]] = {
        Withdrawal: {"counterpart": "RS", "hits": ("0" * 32,), "ground": Ground.INCORRECT},
        Acknowledgement: {"withdrawal": "0" * 64, "hits": 0, "erased": False},
        Outcomes: {"pairs": ()},
        FollowUp: {"to": "RS", "part": 0, "sealed": "AAAA"},
    }
    statement = over.statement("SI", kind, binding="0" * 64, **fields[kind])
    over.refused(BindingError, over.signed("SI", statement))


def test_the_matcher_cannot_withdraw_in_a_party_s_name(over: StagedRound) -> None:
    fields = {"counterpart": "RS", "hits": tuple(hits_with(over, "SI", "RS")[:1]), "ground": Ground.INCORRECT}
    made_up = over.statement("SI", Withdrawal, **fields)
    over.refused(SignatureError, over.signed("matcher", made_up))
    over.refused(SignatureError, over.signed("AL", made_up))
