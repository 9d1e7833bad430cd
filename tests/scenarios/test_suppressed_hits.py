"""A matcher hides hits: canaries show it where the matcher does not look at them, whatever basis it tells."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from aquila.errors import PolicyError
from aquila.matching.learning import least_common_per_million
from aquila.protocol.canaries import Verdict, judge
from aquila.protocol.messages import Canaries, LearnedWeight, Outcome, Padding

if TYPE_CHECKING:
    from collections.abc import Callable

    from aquila.protocol.messages import HitReport
    from tests.support.staged_round import StagedRound

TERMS: dict[str, Any] = {"padding": Padding(inputs_per_record=(), records_multiple=40), "canaries": 8}


def seen(stage: StagedRound, own: str, other: str, hidden: set[str]) -> Verdict:
    """Let a party judge as if some of its hits had not been reported."""
    node = stage.nodes[own]
    assert node.report is not None
    report = node.report.model_copy(update={"hits": tuple(h for h in node.report.hits if h.hit_id not in hidden)})
    return judge(node.round, stage.table, own, node.secrets.exchange, node.carried, report, stage.round.canaries[other])


@pytest.fixture
def met(staged: Callable[..., StagedRound]) -> StagedRound:
    """A round with canaries whose reports are there."""
    stage = staged(**TERMS).finalized()
    stage.match()
    return stage


def shared(stage: StagedRound) -> list[str]:
    """Return the ids of the hits of AL and RS."""
    report: HitReport | None = stage.nodes["AL"].report
    assert report is not None
    return [hit.hit_id for hit in report.hits if hit.counterpart == "RS"]


def test_a_quarter_of_a_pair(met: StagedRound) -> None:
    """Of a hundred matchers that drop a quarter of a pair's hits about nine of ten are found out, by either side."""
    ids, random, found = shared(met), Random(4), 0
    canaries = met.verdicts["AL", "RS"].expected
    for _ in range(100):
        hidden = {hit_id for hit_id in ids if random.random() < 0.25}
        verdicts = seen(met, "AL", "RS", hidden), seen(met, "RS", "AL", hidden)
        assert verdicts[0].missing == verdicts[1].missing
        found += not verdicts[0].trustworthy
    assert abs(found / 100 - (1 - 0.75**canaries)) < 0.1


def test_everything_of_a_pair(met: StagedRound) -> None:
    """A pair that is left out wholly is always seen, and no other is suspected."""
    hidden = set(shared(met))
    assert seen(met, "AL", "RS", hidden).missing == met.verdicts["AL", "RS"].expected
    assert seen(met, "AL", "SI", hidden).trustworthy


def test_hidden_persons_are_not_seen(met: StagedRound) -> None:
    """What canaries do not show: a matcher that tells them from persons leaves out every person's hit of a pair."""
    planted = {one.handle for one in met.nodes["AL"].carried}
    report = met.nodes["AL"].report
    assert report is not None
    hidden = {h.hit_id for h in report.hits if h.counterpart == "RS" and h.handle not in planted}
    assert hidden
    assert seen(met, "AL", "RS", hidden).trustworthy


@pytest.mark.parametrize("learned", [(), (LearnedWeight(of="all names", centibits=-1_500),)])
def test_a_false_basis_does_not_excuse_what_is_left_out(met: StagedRound, learned: tuple[LearnedWeight, ...]) -> None:
    """A matcher that leaves out a whole pair and tells of the least share and low weights is named all the same."""
    for own, other in (("AL", "RS"), ("RS", "AL")):
        node = met.nodes[own]
        assert node.report is not None
        least = least_common_per_million(met.table)
        bases = [b.model_copy(update={"common_per_million": least, "learned": learned}) for b in node.report.bases]
        report = node.report.model_copy(update={"hits": (), "bases": tuple(bases), "learned": None})
        node.party.check_report(report, met.table)
        told = met.round.canaries[other]
        found = judge(met.round, met.table, own, node.secrets.exchange, node.carried, report, told)
        assert found.missing == found.expected == met.verdicts[own, other].expected


def test_a_share_below_the_least_is_refused(met: StagedRound) -> None:
    """No lists give a smaller share of common persons than the least one: nobody takes a report that says so."""
    node = met.nodes["AL"]
    assert node.report is not None
    lower = node.report.bases[0].model_copy(update={"common_per_million": least_common_per_million(met.table) - 1})
    with pytest.raises(PolicyError, match="fewer persons are common"):
        node.party.check_report(node.report.model_copy(update={"bases": (lower,)}), met.table)


def test_canaries_that_cross_the_end(met: StagedRound) -> None:
    """An aborted round still hears of a party's canaries, which statistics need, if its report came before the end."""
    told = {envelope for envelope in met.envelopes if Canaries.payload_type.encode() in envelope}
    (own,) = (envelope for envelope in told if met.statement_in(envelope, Canaries).party == "AL")
    others = [envelope for envelope in met.envelopes if envelope != own]
    record = met.restored(others, sees_everything=True)
    record.accept(met.matcher.end(record, Outcome.ABORTED, "its time is over", met.now))
    assert record.accept(own, now=met.now).new
    assert set(record.canaries) == set(met.nodes)
