"""A party asks a justified question during the round: matched against the lists, seen by both sides."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aquila.errors import EquivocationError, OrderError, PolicyError
from aquila.protocol.messages import Mode
from aquila.protocol.rounds.exchange import unfinished
from tests.support.staged_round import LISTS, WINDOW, StagedRound, person

QUESTION = (person("q-1", "Бесник", "Хоџа", "1979-05-06"), person("q-2", "Nobody", "Atall", "1950-01-01"))


@pytest.fixture
def asked(staged: Callable[..., StagedRound]) -> StagedRound:
    """A round that takes queries, with every list in."""
    return staged(changes={"mode": Mode.LISTS_AND_QUERIES}).reported()


def test_both_sides_learn_of_it(asked: StagedRound) -> None:
    """The owner of each list and the asker get a report of the two, with the same hits."""
    asker = asked.ask("SI", LISTS["AL"][:1])
    asked.answer(asker)
    sides = [("SI", "AL"), ("AL", "SI"), ("SI", "RS"), ("RS", "SI")]
    reports = asked.reports_of(asker)
    assert [(report.party, report.counterpart) for report in reports] == sides
    assert [hit.hit_id for hit in reports[0].hits] == [hit.hit_id for hit in reports[1].hits]
    assert [len(report.hits) for report in reports] == [1] * 4
    for report in reports:
        asked.publish(asked.matcher.report(report))
        node = asked.nodes[report.party]
        asked.publish(node.party.receipt(node.round, node.next_sequence(), report.counterpart, asker.submission_id))
    assert [report[:2] for report in asked.round.receipts if report.submission_id] == sides


def test_no_report_of_another_pair(asked: StagedRound) -> None:
    """A report of a query is of its asker and an owner that the asker may be compared with, and of no other two."""
    asker = asked.ask("SI", LISTS["AL"][:1])
    asked.answer(asker)
    report = next(one for one in asked.reports_of(asker) if one.party == "AL")
    for change in ({"counterpart": "RS"}, {"party": "RS", "counterpart": "AL"}, {"counterpart": "AL"}):
        asked.refused(PolicyError, asked.matcher.report(report.model_copy(update=change)), "may not be matched")
    of_a_list = report.model_copy(update={"submission_id": asked.round.list_of("SI")})
    asked.refused(PolicyError, asked.matcher.report(of_a_list), "may not be matched")


def test_one_owner_holds_up_no_other(asked: StagedRound) -> None:
    """While AL says nothing of its report, RS and the asker exchange all that the answer of RS needs."""
    asker = asked.ask("SI", LISTS["AL"][:1])
    asked.answer(asker)
    reports = {(one.party, one.counterpart): one for one in asked.reports_of(asker)}
    for side in (("AL", "SI"), ("RS", "SI"), ("SI", "RS")):
        asked.publish(asked.matcher.report(reports[side]), only={side[0]})
        if side[0] != "AL":
            node = asked.nodes[side[0]]
            receipt = node.party.receipt(node.round, node.next_sequence(), side[1], asker.submission_id)
            asked.publish(receipt, only={side[0]})
    assert ("SI", "RS", asker.submission_id) in asked.nodes["SI"].round.receipts
    assert ("SI", "AL", asker.submission_id) not in asked.round.reports
    asked.exchange_notes()
    # Hits of the lists are confirmed; those of the query with RS wait for notes, and nobody waits for AL.
    assert set(unfinished(asked.round)) == {("RS", "SI"), ("SI", "RS")}


def test_a_question_without_an_answer(asked: StagedRound) -> None:
    """A question that hits nothing gives empty reports to all whom it concerns."""
    asker = asked.ask("SI", QUESTION[1:])
    asked.answer(asker)
    assert [report.hits for report in asked.reports_of(asker)] == [()] * 4


def test_only_allowed_counterparts(staged: Callable[..., StagedRound]) -> None:
    """A query meets the lists of its origin's counterparts, and nobody else hears of it."""
    stage = staged(changes={"mode": Mode.LISTS_AND_QUERIES, "pairs": (("AL", "RS"), ("RS", "SI"))}).reported()
    asker = stage.ask("SI", LISTS["AL"][:1])
    stage.answer(asker)
    assert {report.party for report in stage.reports_of(asker)} == {"RS", "SI"}


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
