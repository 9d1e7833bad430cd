"""What the first page says: each alarm in its own words, for the roles that may see it, with a way on."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from aquila.audit.roles import Role, Service, role_table
from aquila.interface.attention import AttentionKind, AttentionList, RoundAttention
from aquila.interface.log import LogAlarmView, LogView
from aquila.interface.sentence import FaultView, SentenceView
from aquila.interface.service.health import Grade, HealthCheck, Outage, Subject
from aquila.sentences import Sentence, quoted
from clients.web.i18n.languages import TAGS, languages
from clients.web.pages import home

ROUND = "a" * 32
AT_NODE = (
    AttentionKind.LEFT_OUT,
    AttentionKind.HELD_BACK,
    AttentionKind.REFUSED,
    AttentionKind.FAILED,
    AttentionKind.PROBLEM,
    AttentionKind.WITHHELD,
    AttentionKind.CONSENT,
    AttentionKind.LIST,
)
AT_MATCHER = (
    AttentionKind.LEFT_OUT,
    AttentionKind.HELD_BACK,
    AttentionKind.EVIDENCE,
    AttentionKind.PROBLEM,
    AttentionKind.FLAGS,
)


@dataclass
class Visitor:
    service: Service
    role: Role
    tag: str = "en"
    alarms: list[LogAlarmView] = field(default_factory=list)

    @property
    def site(self) -> Any:
        return SimpleNamespace(is_node=self.service is Service.NODE)

    @property
    def language(self) -> Any:
        return languages()[self.tag]

    def say(self, message: str, **values: object) -> str:
        said: str = self.language.say(message, **values)
        return said

    def may(self, action: str) -> bool:
        return action in role_table().rows[self.service, self.role].actions

    def log(self) -> Any:
        view = LogView(
            origin="aquila-log/SI/0", size=1, newer=0, checkpoint="", witnesses=(), alarms=tuple(self.alarms)
        )
        return SimpleNamespace(view=lambda: view)


def needed(*kinds: AttentionKind, left_out: int = 0) -> AttentionList:
    found = [
        RoundAttention(
            round_id=ROUND,
            round_title="2026-04 fighters",
            kind=kind,
            parties=("AL", "RS"),
            count=2,
            until=1_800_000_000,
        )
        for kind in kinds
    ]
    return AttentionList(needs=tuple(found), left_out=left_out)


def told(visitor: Visitor, found: AttentionList) -> list[home.AttentionItem]:
    return list(home.of_rounds(visitor, found))  # type: ignore[arg-type]  # as much of a visit as is asked for


def alarm(**changes: Any) -> LogAlarmView:
    fields = {
        "alarm_id": 1,
        "origin": "aquila-log/matcher/0123456789abcdef",
        "what": "fork",
        "sentence": SentenceView.of(quoted("it forked")),
        "seen": "",
        "got": "",
        "found_at": 1,
        "acknowledged_at": None,
        "acknowledged_by": None,
    }
    return LogAlarmView.model_validate(fields | changes)


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize(
    ("service", "role", "kinds"),
    [(Service.NODE, Role.OFFICER, AT_NODE), (Service.MATCHER, Role.SECRETARIAT, AT_MATCHER)],
)
def test_each_has_its_own_words(service: Service, role: Role, kinds: tuple[AttentionKind, ...], tag: str) -> None:
    """No two alarms read alike, in any language, and each names its round and a way to it."""
    shown = told(Visitor(service, role, tag), needed(*kinds))
    assert len({(need.title, need.text) for need in shown}) == len(kinds)
    for need in shown:
        assert "2026-04 fighters" in need.title + need.text
        assert "%(" not in need.title + need.text
        assert need.path.startswith(f"/rounds/{ROUND}")
        assert need.word
        assert need.mark in {"stop", "care", "told"}


def test_who_may_not_see_it_is_not_told() -> None:
    shown = told(Visitor(Service.NODE, Role.ANALYST), needed(*AT_NODE))
    assert [need.word for need in shown] == ["alarm", "alarm", "refused", "problem", "withheld"]
    assert told(Visitor(Service.NODE, Role.ADMINISTRATOR), needed(*AT_NODE)) == []


def test_an_approver_is_asked_to_decide() -> None:
    """A held answer is the approver's to release; others are shown the alarm."""
    for role, link in ((Role.APPROVER, "Read it and decide"), (Role.OFFICER, "See the alarm")):
        (need,) = told(Visitor(Service.NODE, role), needed(AttentionKind.HELD_BACK))
        assert (need.link, need.path) == (link, f"/rounds/{ROUND}#safeguards")


def test_what_a_page_does_not_take_is_counted() -> None:
    (need,) = told(Visitor(Service.NODE, Role.OFFICER), needed(left_out=7))
    assert "7" in need.text
    assert need.path == "/rounds"


@pytest.mark.parametrize(
    ("role", "path"), [(Role.AUDITOR, "/log"), (Role.ADMINISTRATOR, "/log"), (Role.OFFICER, ""), (Role.ANALYST, "")]
)
def test_a_rewritten_log_is_told_to_all(role: Role, path: str) -> None:
    """Who has a page of the log is led there; everyone hears that work stands still. One that was explained is over."""
    visitor = Visitor(Service.NODE, role, alarms=[alarm(), alarm(acknowledged_at=2)])
    (need,) = home.of_logs(visitor)  # type: ignore[arg-type]  # as much of a visit as is asked for
    assert (need.path, need.mark) == (path, "stop")
    assert "the matcher" in need.text


def _with(*checks: HealthCheck) -> Any:
    return SimpleNamespace(checks=checks)


ENDS = HealthCheck(
    subject=Subject.CERTIFICATES,
    grade=Grade.WARNING,
    sentences=(FaultView.of(Sentence.of("health_certificate_ends", setting="tls.certificate", days=12)),),
)
FULL = HealthCheck(
    subject=Subject.DISK, grade=Grade.CRITICAL, sentences=(FaultView.of(Sentence.of("health_disk_full", kept=256)),)
)


@pytest.mark.parametrize("service", list(Service))
@pytest.mark.parametrize("tag", TAGS)
def test_administrators_see_faults_of_the_service(service: Service, tag: str) -> None:
    """A certificate that ends and a full disk are one item for who can mend them, in English; nobody else's."""
    visitor: Any = Visitor(service, Role.ADMINISTRATOR, tag)
    (item,) = home.of_service(visitor, _with(ENDS, FULL))
    assert "tls.certificate" in item.text
    assert "12" in item.text
    assert "256 MiB" in item.text
    for check in (ENDS, FULL):
        assert check.sentences[0].hint in item.text
    assert f"aquila {service.value} status" in item.text
    assert item.mark == "stop"
    (soon,) = home.of_service(visitor, _with(ENDS, HealthCheck(subject=Subject.DRIVERS, grade=Grade.OK)))
    assert soon.mark == "care"
    assert list(home.of_service(visitor, _with())) == []
    stuck = ENDS.model_copy(update={"subject": Subject.ROUNDS})
    assert list(home.of_service(visitor, _with(stuck))) == []  # rounds have their own items
    auditor: Any = Visitor(service, Role.AUDITOR, tag)
    assert list(home.of_service(auditor, _with(FULL))) == []


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize(("service", "peer"), [(Service.NODE, "matcher"), (Service.MATCHER, "RS")])
def test_an_outage_is_told_to_everyone_while_it_lasts(service: Service, peer: str, tag: str) -> None:
    now = 1_800_000_000
    outages = [
        Outage(peer=peer, began_at=now - 420, ended_at=None),
        Outage(peer=peer, began_at=now - 9_000, ended_at=now - 8_000),
    ]
    health: Any = SimpleNamespace(outages=outages, at=now)
    visitor: Any = Visitor(service, Role.AUDITOR, tag)
    (item,) = home._of_outages(visitor, health)
    assert "7" in item.text
    assert (item.mark, item.path) == ("stop", "")
    assert ("RS" in item.title) is (service is Service.MATCHER)
