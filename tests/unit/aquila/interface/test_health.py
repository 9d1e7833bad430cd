"""The health of a service: the worst grade, and what keeps it from its work."""

import pytest

from aquila.interface.service.health import Grade, HealthCheck, RoundHealth, Subject, not_ready, worst

ROUND = RoundHealth(round_id="a" * 32, phase="open", began_at=1, progress_at=2, awaited=(), stuck=True, here=False)


def test_the_worst_grade_counts() -> None:
    """One critical check makes the whole critical; without a check all is well."""
    assert worst([Grade.WARNING, Grade.CRITICAL, Grade.OK]) is Grade.CRITICAL
    assert worst([Grade.OK, Grade.WARNING]) is Grade.WARNING
    assert worst([]) is Grade.OK


def test_a_service_is_not_ready_without_what_it_needs() -> None:
    """A database that is gone counts, a certificate that ends does not, and neither does a mere warning."""
    checks = [
        HealthCheck(subject=Subject.DATABASE, grade=Grade.CRITICAL),
        HealthCheck(subject=Subject.DISK, grade=Grade.WARNING),
        HealthCheck(subject=Subject.CERTIFICATES, grade=Grade.CRITICAL),
    ]
    assert not_ready(checks, []) == (Subject.DATABASE,)


@pytest.mark.parametrize("subject", list(Subject))
def test_each_subject_counts_or_does_not(subject: Subject) -> None:
    """A critical check of these alone takes a service out of its work; a warning of none."""
    others = {Subject.CLOCK, Subject.CERTIFICATES, Subject.ROUNDS, Subject.ROWS}
    expected = () if subject in others else (subject,)
    assert not_ready([HealthCheck(subject=subject, grade=Grade.CRITICAL)], []) == expected
    assert not_ready([HealthCheck(subject=subject, grade=Grade.WARNING)], []) == ()


def test_a_round_counts_where_it_is_stuck() -> None:
    assert not_ready([], [ROUND]) == ()
    assert not_ready([], [ROUND.model_copy(update={"here": True})]) == (Subject.ROUNDS,)
