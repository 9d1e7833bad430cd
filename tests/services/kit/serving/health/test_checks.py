"""The checks that node and matcher share: which faults they find, and how grave each is."""

from pathlib import Path
from typing import Any

import pytest

from aquila.errors import ExecutorError, OrderError
from aquila.interface.rounds import Awaited
from aquila.interface.service.health import Grade, Subject
from aquila.sentences import quoted
from services.kit.errors import PeerUnavailableError
from services.kit.http.certificates import CertificateEnds, CertificateFile
from services.kit.serving.health import checks
from services.kit.serving.health.checks import OpenRound, round_faults, round_health
from services.kit.work.drivers import Driver
from services.kit.work.executors import ExecutorHandle, WorkersState, open_local
from tests.support.authority import Authority
from tests.support.stuck_work import QuietWorkers, StillDriver

MIB = 1 << 20
NOW = 1_800_000_000
ROUND = "ab" * 16


def graded(faults: Any) -> list[tuple[str, str]]:
    return [(grade.value, sentence.code) for grade, sentence in faults]


def test_no_fault_is_without_a_hint() -> None:
    """A fault that has none, such as the text of a peer, leads to the log and to the book of operations."""
    (shown,) = checks.checked(Subject.MATCHER, [(Grade.CRITICAL, quoted("something else"))]).sentences
    assert shown.text == "something else"
    assert "*When something is wrong*" in shown.hint
    (own,) = checks.checked(Subject.MATCHER, [(Grade.CRITICAL, quoted("something else", "ask them"))]).sentences
    assert (own.code, own.hint) == ("quoted", "ask them")


@pytest.mark.parametrize(
    ("free", "found"),
    [(0, [("critical", "health_disk_full")]), (700 * MIB, [("warning", "health_disk_low")]), (800 * MIB, [])],
)
def test_the_disk(free: int, found: list[tuple[str, str]]) -> None:
    """No room is critical, and less than three times what is kept free is worth a warning."""
    assert graded(checks.disk_faults(free, 256 * MIB)) == found


def test_the_workers() -> None:
    fine = WorkersState(workers=2, lost=0, lost_seconds=None, pieces=0, piece_seconds=0, error=None)
    assert graded(checks.worker_faults(fine)) == []
    bad = WorkersState(
        workers=0, lost=3, lost_seconds=60, pieces=1, piece_seconds=601, error=ExecutorError("service_stopping")
    )
    assert graded(checks.worker_faults(bad)) == [
        ("critical", "service_stopping"),
        ("warning", "health_workers_lost"),
        ("warning", "health_worker_slow"),
    ]
    long_ago = WorkersState(workers=2, lost=3, lost_seconds=3_601, pieces=1, piece_seconds=600, error=None)
    assert graded(checks.worker_faults(long_ago)) == []


def handle() -> ExecutorHandle:
    return ExecutorHandle(lambda: open_local(1, ()))


async def test_a_driver_that_hangs() -> None:
    """A long step is critical, but not while pieces of work come to an end."""
    long, short = StillDriver(checks.HUNG_SECONDS + 1), StillDriver(checks.HUNG_SECONDS / 2)
    quiet = QuietWorkers(lambda: open_local(1, ()))
    assert checks.hanging_drivers([long, short], quiet) == ["still"]
    assert graded(checks.driver_faults([long], quiet)) == [("critical", "health_driver_hangs")]
    assert checks.hanging_drivers([long], handle()) == []


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (OrderError("service_stopping"), "the service is stopping"),
        (ValueError("Muhamed"), "ValueError"),
        (PeerUnavailableError("peer_answer_failed", status_code=503), None),
    ],
)
async def test_a_driver_that_fails_again_and_again(error: Exception, found: str | None) -> None:
    """Three failures in a row are a warning with the reason, of a foreign error its class alone."""
    fails = True

    async def step() -> bool:
        if fails:
            raise error
        return False

    driver = Driver("d", step)
    for _ in range(2):
        await driver._attempt()
    assert graded(checks.driver_faults([driver], handle())) == []
    await driver._attempt()
    faults = list(checks.driver_faults([driver], handle()))
    if found is None:
        assert faults == []
    else:
        ((grade, sentence),) = faults
        assert grade is Grade.WARNING
        shown = checks.checked(Subject.DRIVERS, faults).sentences[0].text
        assert shown.startswith("3 steps of the driver d in a row have failed: ")
        assert found in shown
        assert "Muhamed" not in str(sentence)
    fails = False
    await driver._attempt()
    assert driver.state.failing == 0
    assert driver.state.failures == 3
    assert graded(checks.driver_faults([driver], handle())) == []


def test_certificates(tmp_path: Path) -> None:
    authority = Authority.create(tmp_path, "ca")
    authority.issue("one", days=100)
    ends = CertificateEnds([CertificateFile("tls.certificate", tmp_path / "one.pem")])
    end = ends.current()[0].ends_at
    assert end is not None
    days = 86_400
    for left, found in (
        (31 * days, []),
        (30 * days - 1, [("warning", "health_certificate_ends")]),
        (7 * days - 1, [("critical", "health_certificate_ends")]),
        (-1, [("critical", "health_certificate_ended")]),
    ):
        assert graded(checks.certificate_faults(ends, end - left)) == found
    missing = CertificateEnds([CertificateFile("tls.ca", tmp_path / "no.pem", authorities=True)])
    assert graded(checks.certificate_faults(missing, 0)) == [("critical", "health_certificate_unreadable")]


def test_files_that_do_not_fit_together(tmp_path: Path) -> None:
    def make() -> None:
        raise OrderError("service_stopping")

    ends = CertificateEnds([CertificateFile("tls.ca", None)], [tmp_path / "key"], [make])
    assert graded(checks.certificate_faults(ends, 0)) == [("critical", "service_stopping")]


def open_round(step: Awaited, *, party: str = "AL", **newest: int) -> OpenRound:
    return OpenRound(ROUND, "open", NOW - 9_000, newest, [(party, step)])


@pytest.mark.parametrize("step", [Awaited.EVALUATIONS, Awaited.TOKENS, Awaited.REPORT, Awaited.RECEIPT])
def test_a_round_that_waits_for_a_service_is_stuck_after_an_hour(step: Awaited) -> None:
    """Services take these steps by themselves, so an hour without any statement is a fault; not at this service."""
    found = round_health(open_round(step, submission=NOW - 3_601), "RS", NOW)
    assert found.stuck
    assert not found.here
    assert graded(round_faults([found], NOW)) == [("critical", "health_round_stuck")]
    assert round_health(open_round(step, submission=NOW - 3_601), "AL", NOW).here
    assert not round_health(open_round(step, submission=NOW - 3_600), "AL", NOW).stuck


def test_a_round_that_waits_for_persons_is_not_stuck() -> None:
    """A consent or a list may take days."""
    assert not round_health(open_round(Awaited.CONSENT), "RS", NOW).stuck
    assert not round_health(open_round(Awaited.LIST, opening=NOW - 8_000), "RS", NOW).stuck
    nobody = round_health(open_round(Awaited.NOTHING), "RS", NOW)
    assert nobody.awaited == ()
    assert not nobody.stuck
    assert list(round_faults([nobody], NOW)) == []


def test_since_when_a_step_is_awaited() -> None:
    """It is due since the newest statement that made it due, or else since the round began."""
    found = round_health(open_round(Awaited.LIST, opening=NOW - 70, consent=NOW - 80), "RS", NOW)
    assert found.awaited[0].since == NOW - 70
    assert found.progress_at == NOW - 70
    assert round_health(open_round(Awaited.CONSENT, consent=NOW - 80), "RS", NOW).awaited[0].since == NOW - 9_000
