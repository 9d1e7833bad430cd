"""The matcher's role: counting, grading, reporting."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aquila.errors import MalformedError, PolicyError
from aquila.matching.certainty import GradingBasis, Level
from aquila.matching.join import MatchedPair, MatchedTokenPositions
from aquila.protocol import matcher as roles
from aquila.protocol.messages import ClassCounts, HitReport, PartyCap
from aquila.protocol.rounds.exchange import grading_basis_on
from aquila.protocol.shadow.meeting import ColumnTerms
from aquila.records.rules import MILLION, load_rules
from tests.support.staged_round import BOTH_CLASSES, StagedRound

NO_SETS = ColumnTerms((), frozenset())


def lists_of(stage: StagedRound) -> list[str]:
    return roles.lists_to_join(stage.round)


COLUMNS = {("AL", "RS"): (0, 1), ("AL", "SI"): (2, 3), ("RS", "SI"): (4, 5)}
"""The list numbers of each two parties' columns, where all pairs may be compared."""


def reports_of(
    stage: StagedRound, graded: roles.GradedPairs, places: list[MatchedTokenPositions]
) -> dict[tuple[str, str], HitReport]:
    """Return the reports of the lists by party and counterpart."""
    reports = roles.make_reports(stage.round, lists_of(stage), graded, places, None, stage.random)
    return {(report.party, report.counterpart): report for report in reports}


def met(left: int, right: int, handle: int, rules: int) -> MatchedPair:
    return MatchedPair(left, right, bytes([handle]) * 16, bytes([handle + 1]) * 16, rules)


def test_rows_that_are_not_whole(stage: StagedRound) -> None:
    submission = stage.submitted().round.submissions[stage.nodes["SI"].submission_id]
    with pytest.raises(MalformedError, match="not whole token rows"):
        roles.TokenCount(BOTH_CLASSES, submission).add(bytes(32))


def test_lists_to_join(staged: Callable[..., StagedRound]) -> None:
    stage = staged(changes={"pairs": (("AL", "RS"), ("RS", "SI"))})
    stage.locked()
    stage.submit(stage.nodes["RS"])
    assert roles.lists_to_join(stage.round) == []
    stage.submit(stage.nodes["SI"])
    lists = [stage.nodes["RS"].submission_id, stage.nodes["SI"].submission_id]
    assert roles.lists_to_join(stage.round) == lists
    assert roles.columns_of(stage.round, lists) == [(lists[0], "SI"), (lists[1], "RS")]


def test_learned_footings(stage: StagedRound) -> None:
    """For each pair of lists a share in parts per million and the padded sizes."""
    stage.submitted()
    grading_bases = roles.learn_grading_bases(
        stage.round, stage.table, lists_of(stage), {(0, 1): {1: 1}, (4, 5): {3: 3}}
    )
    sizes = {code: stage.round.submissions[node.submission_id].records for code, node in stage.nodes.items()}
    assert {lists: (one.size_a, one.size_b) for lists, one in grading_bases.items()} == {
        (0, 1): (sizes["AL"], sizes["RS"]),
        (4, 5): (sizes["RS"], sizes["SI"]),
    }
    assert all(1 <= grading_basis.common_per_million <= MILLION for grading_basis in grading_bases.values())


def test_other_rules_than_the_round(stage: StagedRound) -> None:
    stage.submitted()
    with pytest.raises(PolicyError, match="other match rules"):
        roles.learn_grading_bases(stage.round, load_rules("exact"), lists_of(stage), {})


@pytest.mark.parametrize(
    ("minimum", "kept"),
    [(Level.LOW, [Level.HIGH, Level.MEDIUM]), (Level.MEDIUM, [Level.HIGH, Level.MEDIUM]), (Level.HIGH, [Level.HIGH])],
)
def test_pairs_below_the_minimum_are_no_hits(
    staged: Callable[..., StagedRound], minimum: Level, kept: list[Level]
) -> None:
    """What does not reach the manifest's minimum is not told; below every level nothing is."""
    stage = staged(minimum=minimum).submitted()
    pairs = [met(0, 1, 1, 0b01), met(4, 5, 3, 0b01), met(4, 5, 5, 0b10)]
    grading_bases = {(0, 1): GradingBasis(5, 5, MILLION // 2, 1), (4, 5): GradingBasis(5, 5, 1, 1)}
    graded = roles.grade_pairs(stage.round, stage.table, grading_bases, pairs, dict.fromkeys(grading_bases, NO_SETS))
    assert [pair.level for pair in graded.pairs] == kept
    assert set(graded.grading_bases) == set(grading_bases)


def test_pairs_below_are_told_to_both_sides(staged: Callable[..., StagedRound]) -> None:
    """A pair that meets a set and is no hit stands in both reports, under one id and with each side's own places."""
    stage = staged(minimum=Level.HIGH).submitted()
    pairs = [met(0, 1, 1, 0b01), met(4, 5, 5, 0b10)]
    grading_bases = {lists: GradingBasis(5, 5, 1, 1) for lists in ((0, 1), (4, 5))}
    columns = {lists: ColumnTerms(((1,),), frozenset()) for lists in grading_bases}
    graded = roles.grade_pairs(stage.round, stage.table, grading_bases, pairs, columns)
    places = [MatchedTokenPositions(b"\x00", b"\x03")]
    reports = reports_of(stage, graded, places)
    assert {pair: (report.hits, len(report.below)) for pair, report in reports.items()} == {
        ("AL", "RS"): ((), 1),
        ("RS", "AL"): ((), 1),
        ("RS", "SI"): ((), 0),
        ("SI", "RS"): ((), 0),
    }
    (left,), (right,) = reports["AL", "RS"].below, reports["RS", "AL"].below
    assert (left.pair_id, left.handle, left.counterpart_handle) == (
        right.pair_id,
        right.counterpart_handle,
        right.handle,
    )
    assert (left.met, right.met) == ("00", "03")


def test_a_pair_by_chance_is_no_hit(stage: StagedRound) -> None:
    """A pair whose probability is below every level is dropped."""
    stage.submitted()
    weak = load_rules("default")
    mask = 1 << min(weak.rules, key=lambda rule: rule.centibits).number - 1
    grading_bases = {(0, 1): GradingBasis(5, 5, 1, 1)}
    columns = dict.fromkeys(grading_bases, NO_SETS)
    graded = roles.grade_pairs(stage.round, weak, grading_bases, [met(0, 1, 1, mask)], columns)
    assert graded == (grading_bases, [], [], {})


def test_reports_are_sorted_and_symmetric(stage: StagedRound) -> None:
    """Each side sees its own handle first; hits are in the order of their random ids."""
    stage.submitted()
    pairs = [*(met(0, 1, handle, 0b11) for handle in (1, 7, 9)), met(2, 3, 3, 0b11), met(4, 5, 5, 0b11)]
    grading_bases = {lists: GradingBasis(4, 5, MILLION // 2, 1, 0, (("whole date", 20),)) for lists in COLUMNS.values()}
    graded = roles.grade_pairs(stage.round, stage.table, grading_bases, pairs, dict.fromkeys(grading_bases, NO_SETS))
    places = [MatchedTokenPositions(b"\x00\x02", b"\x01\x03")] * 5
    reports = reports_of(stage, graded, places)
    sides = [("AL", "RS"), ("RS", "AL"), ("AL", "SI"), ("SI", "AL"), ("RS", "SI"), ("SI", "RS")]
    assert list(reports) == sides
    for (party, other), report in reports.items():
        ids = [hit.hit_id for hit in report.hits]
        assert ids == sorted(ids)
        assert ids == [hit.hit_id for hit in reports[other, party].hits]
        assert len(ids) == (3 if {party, other} == {"AL", "RS"} else 1)
        assert report.basis.settled == len(ids)
        assert report.basis.records == (5 if party < other else 4)
        assert report.basis.chance_hits.high < 10 * len(ids)
        assert report.basis.chance_hits == reports[other, party].basis.chance_hits
        assert not any(hit.second for hit in report.hits)
        assert {hit.met for hit in report.hits} == {"0002" if party < other else "0103"}


def test_weights_that_moved_are_stated_for_each_two_lists(stage: StagedRound) -> None:
    stage.submitted()
    moved = {("AL", "RS"): (("whole date", 20),), ("AL", "SI"): (), ("RS", "SI"): (("whole date", -7),)}
    places = {lists: GradingBasis(4, 5, MILLION // 2, 1, 0, moved[lists]) for lists in moved}
    graded = roles.GradedPairs({COLUMNS[lists]: places[lists] for lists in moved}, [], [], {})
    reports = reports_of(stage, graded, [])
    assert set(reports) == {*moved, *((right, left) for left, right in moved)}
    for pair, report in reports.items():
        assert grading_basis_on(report, (4, 5)).learned == moved[min(pair), max(pair)]


def test_bytes_on_disk(staged: Callable[..., StagedRound]) -> None:
    """An element may need itself, for each other party an evaluation and a token row, one more in a join; and tags."""
    small = ClassCounts(full=11, partial=3, coarse=2)
    stage = staged(changes={"caps": tuple(PartyCap(party=code, elements=small) for code in ("AL", "RS", "SI"))})
    tags = 3 * 2 * 16 * (2 * 128 + 4_096)
    tokens = 33 * 16 * (3 * 2 + 2)
    assert roles.disk_bytes(stage.manifest) == 3 * 16 * 32 * 3 + tokens + tags
    assert roles.disk_bytes(stage.manifest, 1_000_000) == 3 * 16 * 32 * 3 + tokens + tags
    assert roles.disk_bytes(stage.manifest, 1_000) == 3 * 16 * 32 + tokens + 1_000 + tags
    assert roles.disk_bytes(stage.manifest, None, {"AL", "SI"}) == 2 * 16 * (32 * 2 + 2 * 33) + tags / 3
    assert roles.disk_bytes(stage.manifest, None, {"AL"}) == 16 * 32
    assert roles.disk_bytes(stage.manifest, 1_000, ()) == 0
