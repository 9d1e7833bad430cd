"""A party is late: with its consent, with its list, and the matcher is early."""

import pytest

from aquila.errors import OrderError
from tests.support.staged_round import NOW, WINDOW, StagedRound


def test_a_late_consent_does_not_count(stage: StagedRound) -> None:
    stage.now = WINDOW.consent_by + 1
    with pytest.raises(OrderError, match="time for a consent"):
        stage.consent()


def test_a_consent_on_the_last_second_counts(stage: StagedRound) -> None:
    stage.now = WINDOW.consent_by
    stage.consent()
    assert len(stage.round.participants) == 3


def test_the_matcher_waits_for_late_consents(stage: StagedRound) -> None:
    for code, enough in (("AL", False), ("RS", True)):
        node = stage.nodes[code]
        node.secrets, envelope = node.party.consent(node.round, node.next_sequence(), (), stage.random)
        stage.publish(envelope)
        with pytest.raises(OrderError, match="may still consent"):
            stage.matcher.open(stage.round, NOW)
        if not enough:
            with pytest.raises(OrderError, match="no two parties"):
                stage.matcher.open(stage.round, NOW + 1)
    stage.publish(stage.matcher.open(stage.round, NOW + 1))
    assert stage.round.participants == ("AL", "RS")


def test_a_late_list_does_not_count(stage: StagedRound) -> None:
    stage.locked()
    stage.now = WINDOW.submit_by + 1
    with pytest.raises(OrderError, match="time for a submission"):
        stage.submit(stage.nodes["SI"])
    assert not stage.round.submissions


def test_the_number_of_a_refused_statement_stays_empty(stage: StagedRound) -> None:
    """A party whose list came too late goes on: its next statement has the next number, and counts."""
    stage.locked()
    stage.now = WINDOW.submit_by + 1
    with pytest.raises(OrderError):
        stage.submit(stage.nodes["SI"])
    stage.publish(stage.nodes["SI"].party.refuse(stage.nodes["SI"].round, stage.nodes["SI"].next_sequence(), "late"))
    assert sorted(stage.round.sequences["SI"]) == [1, 2, 4]
