"""A service's health for people and for monitoring programs: the first line, the checks, the exit status."""

from pathlib import Path

import pytest
import typer

from aquila.interface.sentence import FaultView
from aquila.interface.service.health import Grade, HealthCheck, Subject
from aquila.sentences import Sentence
from clients.cli.output.health_views import Status, health_views, show_status, status_of
from clients.cli.output.screen import Table
from tests.support.health_example import FINE, FULL


def test_a_service_that_is_well() -> None:
    """One line has it all, with numbers after the bar; each check has its figure."""
    first, checks = health_views(FINE)
    assert first == (
        "AQUILA NODE SI OK - open rounds: 0, of them waiting for somebody: 0"
        " | rounds=0 stuck=0 chunks=3 disk_free=5242880B log=7 certificate_days=40"
    )
    assert isinstance(checks, Table)
    shown = {row[0]: row[2] for row in checks.rows}
    assert shown == {
        "database": "answers",
        "rows": "have valid seals",
        "disk": "5 MiB left for files",
        "workers": "2, group backend native",
        "drivers": "make progress",
        "log": "7 entries, witnessed 2 h ago",
        "matcher": "answered 2 min ago",
        "clock": "-2 s at the matcher",
        "certificates": "tls.certificate 40 days",
        "identity": "can sign",
        "rounds": "open rounds: 0, of them waiting for somebody: 0",
    }
    assert status_of(FINE) is Status.OK


def test_a_service_that_just_started() -> None:
    young = FINE.model_copy(
        update={"workers": 0, "witnesses": (), "contacts": (), "clock_difference": None, "certificates": ()}
    )
    first, checks = health_views(young)
    assert "certificate_days" not in str(first)
    assert isinstance(checks, Table)
    shown = {row[0]: row[2] for row in checks.rows}
    assert shown["workers"] == "none started yet, group backend native"
    assert shown["log"] == "7 entries"
    assert shown["matcher"] == "answered 0 s ago"
    assert shown["clock"] == "not compared yet"
    assert shown["certificates"] == "none"


def test_the_worst_fault_comes_first() -> None:
    """The first line names faults by their gravity; a bar in one does not begin the numbers."""
    low = FaultView.of(Sentence.of("health_disk_low", free=9))
    full = FaultView.of(Sentence.of("health_certificate_ended", setting="a|b"))
    checks = (
        HealthCheck(subject=Subject.DISK, grade=Grade.WARNING, sentences=(low,)),
        HealthCheck(subject=Subject.CERTIFICATES, grade=Grade.CRITICAL, sentences=(full,)),
    )
    bad = FINE.model_copy(update={"checks": checks, "grade": Grade.CRITICAL, "service": "matcher", "name": "matcher"})
    first = str(next(health_views(bad)))
    assert first.startswith("AQUILA MATCHER CRITICAL - the certificate of a/b has ended; files may take 9 MiB more")
    assert first.count("|") == 1
    assert status_of(bad) is Status.CRITICAL
    assert status_of(bad.model_copy(update={"grade": Grade.WARNING})) is Status.WARNING


def test_each_fault_has_its_hint_below() -> None:
    ends = [FaultView.of(Sentence.of("health_certificate_ends", setting=name, days=12)) for name in ("one", "two")]
    unreadable = FaultView.of(Sentence.of("health_certificate_unreadable", setting="three"))
    check = HealthCheck(subject=Subject.CERTIFICATES, grade=Grade.CRITICAL, sentences=(*ends, unreadable))
    old = FaultView(code="health_disk_low", fields={"free": 9}, text="files may take 9 MiB more of the disk")
    disk = HealthCheck(subject=Subject.DISK, grade=Grade.WARNING, sentences=(old,))
    _, checks = health_views(FINE.model_copy(update={"checks": (check, disk)}))
    assert isinstance(checks, Table)
    assert [tuple(row) for row in checks.rows] == [
        ("certificates", "critical", "the certificate of one ends in 12 days"),
        ("", "", "the certificate of two ends in 12 days"),
        ("", "", "hint: put the new files in its place; they are read again without a restart"),
        ("", "", "the file of three holds no certificate that can be read"),
        ("", "", "hint: put the right files in its place"),
        ("disk", "warning", "files may take 9 MiB more of the disk"),
    ]


def test_rounds_and_who_they_wait_for() -> None:
    """Each step has a row, with the time since which it is awaited."""
    first, _, table, more = health_views(FULL)
    assert "open rounds: 6, of them waiting for somebody: 1" in str(first)
    assert isinstance(table, Table)
    assert [tuple(row) for row in table.rows] == [
        ("abababab", "open", "list of AL", "2027-01-15 07:59 UTC", "1 d ago (stuck)"),
        ("", "", "list of RS", "2027-01-15 07:59 UTC", ""),
        ("cdcdcdcd", "reporting", "nobody", "", "0 s ago"),
    ]
    assert more == "More open rounds: 4."


@pytest.mark.parametrize("as_json", [False, True])
def test_a_home_that_is_none_is_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str], *, as_json: bool) -> None:
    """Where nothing can be found out the status is 3, as monitoring programs expect."""
    with pytest.raises(typer.Exit) as ended:
        show_status("node", tmp_path, None, None, None, as_json=as_json)
    assert ended.value.exit_code == Status.UNKNOWN
    out, err = capsys.readouterr()
    assert ('"grade": "unknown"' if as_json else "AQUILA NODE UNKNOWN - ") in out
    assert ("hint" in err) is not as_json
