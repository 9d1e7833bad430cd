"""The matcher lies in its reports: too early, to a stranger, of another round, twice, of a forbidden pair."""

from collections.abc import Callable
from typing import Any

import pytest

from aquila.errors import BindingError, EquivocationError, OrderError, PolicyError
from aquila.protocol.messages import HitReport
from tests.support.staged_round import StagedRound

BASIS = {
    "records": 5,
    "common_per_million": 1,
    "duplicates_per_million": 1,
    "settled": 0,
    "chance_hits": {"high": 0, "medium": 0, "low": 0},
    "learned": (),
    "met": None,
}


def report(stage: StagedRound, **fields: Any) -> bytes:
    content = {"party": "SI", "counterpart": "RS", "submission_id": None, "basis": BASIS, "hits": (), "below": ()}
    place = {"round_id": stage.manifest.round_id, "binding": fields.get("binding") or stage.round.binding}
    return stage.signed("matcher", HitReport(**(content | fields | place)))


def test_before_the_lists_are_in(stage: StagedRound) -> None:
    stage.evaluated()
    stage.refused(OrderError, report(stage), "before the tokens of SI and")


def test_before_the_opening(stage: StagedRound) -> None:
    stage.refused(OrderError, report(stage, binding="0" * 64), "not open yet")


def test_of_a_query_that_nobody_asked(stage: StagedRound) -> None:
    stage.finalized()
    stage.refused(PolicyError, report(stage, submission_id="0" * 32), "may not be matched")


def test_for_a_stranger(stage: StagedRound) -> None:
    stage.finalized()
    stage.refused(OrderError, report(stage, party="XK"), "not in the round")


def test_of_another_binding(stage: StagedRound) -> None:
    stage.finalized()
    stage.refused(BindingError, report(stage, binding="0" * 64), "another binding")


def test_two_reports_to_one_party(stage: StagedRound) -> None:
    """A second, different report to one party is an equivocation, kept as evidence where the first one was shown."""
    stage.reported()
    stage.refused(EquivocationError, report(stage), "two different announcements of the kind hitreport", only={"SI"})


@pytest.mark.parametrize("counterpart", ["AL", "SI", "XK"], ids=["pair not allowed", "oneself", "stranger"])
def test_of_a_pair_that_may_not_be_matched(staged: Callable[..., StagedRound], counterpart: str) -> None:
    stage = staged(changes={"pairs": (("AL", "RS"), ("RS", "SI"))}).finalized()
    stage.refused(PolicyError, report(stage, counterpart=counterpart), "may not be matched")


def test_pairs_that_may_not_be_matched_never_are(staged: Callable[..., StagedRound]) -> None:
    """Records of a pair without reciprocity do not hit, though their tokens are equal."""
    stage = staged(changes={"pairs": (("AL", "RS"), ("RS", "SI"))}).finalized()
    assert stage.matched() == {
        ("AL", "al-1", "RS", "rs-3"),
        ("RS", "rs-1", "SI", "si-1"),
        ("RS", "rs-2", "SI", "si-2"),
        ("RS", "rs-3", "SI", "si-4"),
    }
    assert set(stage.nodes["AL"].told) == {"RS"}
    assert len(stage.round.reports) == 4
