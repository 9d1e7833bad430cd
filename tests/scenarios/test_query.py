"""A party asks a justified question during the round: matched against the lists, seen by both sides."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from aquila.errors import EquivocationError, InputError, MalformedError, OrderError
from aquila.matching.join import TokenTable
from aquila.protocol import matcher as roles
from aquila.protocol.messages import HitReport, Mode
from aquila.simulation import SimulatedParty
from tests.support.staged_round import LISTS, WINDOW, StagedRound, person

QUESTION = (person("q-1", "Бесник", "Хоџа", "1979-05-06"), person("q-2", "Nobody", "Atall", "1950-01-01"))


@pytest.fixture
def asked(staged: Callable[..., StagedRound]) -> StagedRound:
    """A round that takes queries, with every list in."""
    return staged(changes={"mode": Mode.LISTS_AND_QUERIES}).finalized()


def reports_of(stage: StagedRound, asker: SimulatedParty, directory: Path) -> list[HitReport]:
    """Match a query against the lists of its counterparts, as the matcher does."""
    submissions = [asker.submission_id, *roles.lists_for_query(stage.round, asker.submission_id)]
    directory.mkdir()
    with TokenTable(directory) as tokens:
        for number, submission in enumerate(submissions):
            for chunk in stage.tokens[submission]:
                tokens.add(number, chunk)
        tokens.join([(0, number) for number in range(1, len(submissions))], stage.manifest.frequency_limit)
        grading_bases = roles.learn_grading_bases(stage.round, stage.table, submissions, tokens.patterns())
        graded = roles.grade_pairs(stage.round, stage.table, grading_bases, tokens.pairs())
        met = tokens.met(graded.every).positions()
    return roles.make_reports(stage.round, submissions, graded, met, asker.submission_id, stage.random)


def test_both_sides_learn_of_it(asked: StagedRound, tmp_path: Path) -> None:
    """The asker and the owners of the lists get a report each, with the same hits."""
    asker = asked.ask("SI", LISTS["AL"][:1])
    asked.answer(asker)
    reports = {report.party: report for report in reports_of(asked, asker, tmp_path / "query")}
    assert set(reports) == {"AL", "RS", "SI"}
    assert [len(reports[code].hits) for code in ("AL", "RS", "SI")] == [1, 1, 2]
    for report in reports.values():
        asked.publish(asked.matcher.report(report))
        node = asked.nodes[report.party]
        asked.publish(node.party.receipt(node.round, node.next_sequence(), asker.submission_id, len(report.hits)))
    assert {party for party, submission in asked.round.receipts if submission} == {"AL", "RS", "SI"}


def test_a_question_without_an_answer(asked: StagedRound, tmp_path: Path) -> None:
    """A question that hits nothing gives empty reports to all whom it concerns."""
    asker = asked.ask("SI", QUESTION[1:])
    asked.answer(asker)
    assert [report.hits for report in reports_of(asked, asker, tmp_path / "query")] == [(), (), ()]


def test_a_query_has_no_columns(asked: StagedRound) -> None:
    """Its tokens have no tags that could link the persons of many queries, and a statement with a column is refused."""
    asker = asked.ask("SI", LISTS["AL"][:1])
    asked.answer(asker)
    said, columns = asked.round.tokens[asker.submission_id], asked.round.tokens[asked.nodes["SI"].submission_id].columns
    assert len(columns) == 2
    assert said.columns == ()
    records = (asked.round, *(node.round for node in asked.nodes.values()))
    for record in records:
        del record.tokens[asker.submission_id]
    changed = asked.changed("SI", said, columns=columns)
    asked.refused(MalformedError, changed, "each of its counterparts")


def test_hidden_hits_of_a_query(asked: StagedRound, tmp_path: Path) -> None:
    """A matcher can hide them from both sides: nobody refuses such reports, and nothing in them is checked."""
    asker = asked.ask("SI", LISTS["AL"][:1])
    asked.answer(asker)
    for report in reports_of(asked, asker, tmp_path / "query"):
        assert report.hits
        assert {basis.met for basis in report.bases} == {None}
        assert not report.below
        asked.publish(asked.matcher.report(report.model_copy(update={"hits": ()})))
        node = asked.nodes[report.party]
        asked.publish(node.party.receipt(node.round, node.next_sequence(), asker.submission_id, 0))
    assert len([1 for _, submission in asked.round.receipts if submission]) == 3


def test_only_allowed_counterparts(staged: Callable[..., StagedRound], tmp_path: Path) -> None:
    """A query meets the lists of its origin's counterparts, and nobody else hears of it."""
    stage = staged(changes={"mode": Mode.LISTS_AND_QUERIES, "pairs": (("AL", "RS"), ("RS", "SI"))}).finalized()
    asker = stage.ask("SI", LISTS["AL"][:1])
    stage.answer(asker)
    assert {report.party for report in reports_of(stage, asker, tmp_path / "query")} == {"RS", "SI"}


def test_after_the_window(asked: StagedRound) -> None:
    """A query comes until the round closes, later than a list, and not after."""
    asked.now = WINDOW.closes_at
    asked.ask("SI", QUESTION)
    asked.now = WINDOW.closes_at + 1
    with pytest.raises(OrderError, match="time for a submission"):
        asked.ask("SI", QUESTION)


def test_under_the_id_of_another(asked: StagedRound) -> None:
    """A submission id is used once in a round."""
    asker = asked.ask("SI", QUESTION)
    again = asked.changed("RS", asked.round.submissions[asker.submission_id], party="RS")
    asked.refused(EquivocationError, again, "id is taken")


def test_a_list_is_no_query(asked: StagedRound) -> None:
    """Lists are matched with lists, not as a query."""
    with pytest.raises(InputError, match="not a query"):
        roles.lists_for_query(asked.round, asked.nodes["SI"].submission_id)
