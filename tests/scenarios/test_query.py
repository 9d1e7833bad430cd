"""A party asks a justified question during the round: matched against the lists, seen by both sides."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aquila.errors import EquivocationError, InputError, OrderError
from aquila.protocol import matcher as roles
from aquila.protocol.messages import Mode
from tests.support.staged_round import LISTS, WINDOW, StagedRound, person

QUESTION = (person("q-1", "Бесник", "Хоџа", "1979-05-06"), person("q-2", "Nobody", "Atall", "1950-01-01"))


@pytest.fixture
def asked(staged: Callable[..., StagedRound]) -> StagedRound:
    """A round that takes queries, with every list in."""
    return staged(changes={"mode": Mode.LISTS_AND_QUERIES}).reported()


def test_both_sides_learn_of_it(asked: StagedRound) -> None:
    """The asker and the owners of the lists get a report each, with the same hits."""
    asker = asked.ask("SI", LISTS["AL"][:1])
    asked.answer(asker)
    reports = {report.party: report for report in asked.reports_of(asker)}
    assert set(reports) == {"AL", "RS", "SI"}
    assert [len(reports[code].hits) for code in ("AL", "RS", "SI")] == [1, 1, 2]
    for report in reports.values():
        asked.publish(asked.matcher.report(report))
        node = asked.nodes[report.party]
        asked.publish(node.party.receipt(node.round, node.next_sequence(), asker.submission_id, len(report.hits)))
    assert {party for party, submission in asked.round.receipts if submission} == {"AL", "RS", "SI"}


def test_a_question_without_an_answer(asked: StagedRound) -> None:
    """A question that hits nothing gives empty reports to all whom it concerns."""
    asker = asked.ask("SI", QUESTION[1:])
    asked.answer(asker)
    assert [report.hits for report in asked.reports_of(asker)] == [(), (), ()]


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


def test_a_list_is_no_query(asked: StagedRound) -> None:
    """Lists are matched with lists, not as a query."""
    with pytest.raises(InputError, match="not a query"):
        roles.lists_for_query(asked.round, asked.nodes["SI"].submission_id)
