"""People are told how much waits for them: once a day, of alarms at once, and never of whom, where or with whom."""

import json
import re
import stat
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from aquila.audit.roles import Role
from aquila.errors import OrderError
from aquila.followup.lifecycle import HOUR
from aquila.interface.attention import DeliveryFailure, Notification, NotificationChannel
from clients.web.i18n.languages import languages
from clients.web.text.request_letter import compose
from services.kit.people.tables import AccountRow, NotificationRow
from services.kit.serving.notifications.driver import (
    DAY,
    LEAST_SECONDS,
    DeliveryError,
    NotificationDriver,
    deliver,
    sign_in,
)
from services.kit.serving.notifications.waiting import UNDECIDED_SECONDS, FaultWatch, forget_choices
from services.kit.settings import NotificationSettings
from services.kit.storage.files import write_secret
from services.kit.work.drivers import Driver
from services.node.main import build
from services.node.storage.tables import AlarmRow, RoundRow
from services.node.waiting import NodeWaiting
from tests.support.mail_server import MailServer, lines_of, settings_of
from tests.support.node_steps import does, hit_with, round_for_queries, round_with_hits
from tests.support.node_world import JUSTIFICATION, LISTS, PartyNode, World
from tests.support.played_worlds import WorldAfter
from tests.support.sealing import sealed

pytestmark = pytest.mark.more_rounds

ADDRESS = "https://aquila.ministry.example:8701"
MIRA = {"given_names": "Mira", "family_names": "Jankovi\u0107", "date_of_birth": "1988-08-08"}
CHOICE = {"channel": "mail", "address": "one@ministry.example", "language": "en"}


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[MailServer]:
    """The ministry's mail server; nothing that it takes tells of a person, a party, a round or a hit."""
    folder = tmp_path / "mail"
    folder.mkdir()
    server = MailServer(folder)
    server.start()
    yield server
    server.stop()
    for message in server.messages:
        del message["message-id"]  # random digits
        assert_nothing_is_told(f"{message.as_string()} {message['subject']} {message.get_content()}")


def assert_nothing_is_told(text: str) -> None:
    """Refuse a text with a field of a record, a party's code, or an id of a round, hit, list, query or person."""
    text = text.replace(ADDRESS, "")
    for line in "".join(LISTS.values()).splitlines():
        for value in filter(None, line.split(",")):
            assert not re.search(rf"\b{re.escape(value)}\b", text, re.IGNORECASE)
    assert not re.search(r"\b(AL|RS|SI)\b|Party|[0-9a-f]{12}|p-[0-9a-f]", text)


def teller(party_node: PartyNode, settings: NotificationSettings) -> NotificationDriver:
    faults = FaultWatch(party_node.app.state.health.health, party_node.clock)
    reading = partial(NodeWaiting, party_node.node.journal, party_node.node.settings.deliveries, faults)
    told = replace(party_node.app.state.notifications, settings=settings, reading=reading)
    party_node.app.state.notifications = told
    return NotificationDriver(told, settings, ADDRESS, compose)


async def choose(person: httpx.AsyncClient, **changes: str) -> httpx.Response:
    return await person.put("/v1/notifications", json=CHOICE | changes)


def last(mail: MailServer) -> str:
    return lines_of(mail.messages[-1])


def test_signing_in_sends_nothing(mail: MailServer, tmp_path: Path) -> None:
    """The doctor's look at the mail server connects and signs in; a wrong password is found, and no mail is sent."""
    given = settings_of(mail).mail
    assert given is not None
    sign_in(given)
    write_secret(tmp_path / "wrong", b"wrong")
    with pytest.raises(DeliveryError) as refused:
        sign_in(given.model_copy(update={"password_file": tmp_path / "wrong"}))
    assert refused.value.failure.value == "sign_in"
    assert mail.messages == []


async def test_a_test_is_the_first_notification_once_more(world_after: WorldAfter, mail: MailServer) -> None:
    """It needs a choice of one's own; when it was taken, what failed is tried again at once, and when not, not."""
    world, _ = await world_after(round_with_hits)
    al = world.nodes["AL"]
    told = teller(al, settings_of(mail))
    with pytest.raises(OrderError):
        told.test("p-111111111111")
    async with al.person(Role.ANALYST) as analyst:
        await choose(analyst)
    with al.node.store.transaction("test.failing") as session:
        row = session.scalars(select(NotificationRow)).one()
        person, row.failing_since, row.failure, row.retry_at = row.person, 1, "refused", world.clock.time + 999

    def waits() -> bool:
        with al.node.store.reading("test.waits") as session:
            return session.get_one(NotificationRow, person).retry_at > world.clock.time

    mail.stop()
    assert told.test(person) is DeliveryFailure.UNREACHABLE
    assert waits()
    mail.start()
    assert teller(al, settings_of(mail)).test(person) is None
    assert "notifications are on" in mail.messages[-1]["subject"]
    assert not waits()


async def test_an_analyst_is_told_once_a_day_and_of_what_is_urgent_at_once(
    world_after: WorldAfter, mail: MailServer
) -> None:
    """First the choice is confirmed; what was told is not told again, and what becomes urgent does not wait."""
    world, _ = await world_after(round_with_hits)
    al, clock = world.nodes["AL"], world.clock
    told = teller(al, settings_of(mail))
    await told.step()
    assert mail.calls == 0
    async with al.person(Role.ANALYST) as analyst:
        assert (await choose(analyst)).json()["confirmed"] is False
        await told.step()
        assert [message["subject"] for message in mail.messages] == ["Aquila: notifications are on"]
        assert (await analyst.get("/v1/notifications")).json()["confirmed"] is True
    await told.step()
    assert mail.messages[-1]["subject"] == "Aquila: work waits for you"
    assert re.fullmatch(r"New hits: 2, of which with high certainty: [012]\.", last(mail))
    assert f"Sign in to see it: {ADDRESS}" in mail.messages[-1].get_content()
    # Nothing is new: neither at once, nor the day after.
    for seconds in (0, HOUR, DAY):
        clock.time += seconds
        await told.step()
    assert len(mail.messages) == 2
    # Five hours before the two are due they are urgent, whatever was told that day.
    clock.time += 48 * HOUR - DAY - HOUR - 5 * HOUR
    await told.step()
    assert mail.messages[-1]["subject"] == "Aquila: something urgent waits for you"
    assert last(mail).startswith("Hits whose next step is due within 6 hours: 2.")
    await told.step()
    clock.time += LEAST_SECONDS
    await told.step()
    assert len(mail.messages) == 3
    # A day later they are overdue, which is new.
    clock.time += DAY
    await told.step()
    assert last(mail).startswith("Hits whose next step is overdue: 2.")
    assert len(mail.messages) == 4
    # Less than was told is no news.
    await does(al, await hit_with(al, "RS"), "acknowledge")
    clock.time += DAY
    await told.step()
    assert len(mail.messages) == 4


async def test_each_is_told_of_what_the_roles_allow_in_the_own_language(
    world_after: WorldAfter, mail: MailServer
) -> None:
    world, round_id = await world_after(round_with_hits)
    al = world.nodes["AL"]
    told = teller(al, settings_of(mail))
    people = {Role.APPROVER: "sr-Cyrl", Role.OFFICER: "sq", Role.AUDITOR: "en"}
    for role, language in people.items():
        async with al.person(role) as person:
            answer = await choose(person, address=f"{role}@ministry.example", language=language)
            assert answer.status_code == 200, answer.text
    await told.step()
    assert len(mail.messages) == 3
    second = await world.propose()
    async with al.person(Role.OFFICER) as officer:
        assert (await officer.post(f"/v1/rounds/{second}/consent")).status_code == 202
    with al.node.store.transaction("test.alarm") as session:
        session.execute(update(RoundRow).where(RoundRow.round_id == round_id).values(phase="reporting"))
        session.add(
            AlarmRow(
                round_id=round_id, submission_id="0" * 32, asker="RS", hits=9, expected=1, raised_at=world.clock.time
            )
        )
    await told.step()
    serbian = languages()["sr-Cyrl"]
    texts = {str(message["to"]).partition("@")[0]: lines_of(message) for message in mail.messages[3:]}
    assert texts["approver"].startswith(f"{serbian.say('Alarms: %(count)s.', count=1)}\n")
    asked = serbian.say("Requests that wait for your decision: %(count)s.", count=1)
    assert asked in texts["approver"]
    assert texts["officer"].startswith("Alarme: 1.")
    assert texts.keys() == {"approver", "officer", "auditor"}
    assert not any("2" in text for text in texts.values())


async def chosen(party_node: PartyNode, told: NotificationDriver, *roles: Role) -> None:
    """Let people of these roles choose to be told, and confirm it, with all that waits already."""
    for role in roles:
        async with party_node.person(role) as person:
            assert (await choose(person, address=f"{role}@ministry.example")).status_code == 200
    await told.step()
    await told.step()


async def test_an_urgent_request_is_told_at_once_and_again_after_ten_minutes(
    world_after: WorldAfter, mail: MailServer
) -> None:
    """To all who may decide it and to nobody else, however lately they were told of something else."""
    world, round_id = await world_after(round_for_queries)
    al, clock = world.nodes["AL"], world.clock
    told = teller(al, settings_of(mail))
    async with al.person(Role.APPROVER, Role.OFFICER) as second:
        assert (await choose(second, address="second@ministry.example")).status_code == 200
    await chosen(al, told, Role.OFFICER, Role.APPROVER, Role.ANALYST)
    officer, before = al.person(Role.OFFICER), len(mail.messages)

    async def ask(urgency: str) -> dict[str, Any]:
        body = {"round_id": round_id, "persons": [MIRA], "justification": JUSTIFICATION | {"urgency": urgency}}
        answer = await officer.post("/v1/queries", json=body)
        assert answer.status_code == 202, answer.text
        await told.step()
        return dict(answer.json())

    def came() -> list[str]:
        nonlocal before
        new, before = mail.messages[before:], len(mail.messages)
        for message in new:
            assert message["subject"] == "Aquila: something urgent waits for you"
            assert lines_of(message).startswith("Urgent requests that wait for your decision: 1.")
        return sorted(str(message["to"]).partition("@")[0] for message in new)

    woken = list[bool]()
    al.app.state.approvals = replace(al.app.state.approvals, wake=lambda: woken.append(True))
    await ask("normal")
    assert [one["subject"] for one in mail.messages[before:]] == ["Aquila: work waits for you"] * 2  # the day's
    before = len(mail.messages)
    clock.time += 1
    urgent = await ask("urgent")
    assert came() == ["approver", "second"]
    assert len(woken) == 2  # the driver does not wait for its time
    for seconds, times in ((UNDECIDED_SECONDS - 1, 0), (1, 2), (HOUR, 0)):
        clock.time += seconds
        await told.step()
        assert len(came()) == times
    async with al.person(Role.APPROVER) as approver:
        counts = (await approver.get("/v1/waiting")).json()["counts"]
        assert (counts["requests"], counts["urgent_requests"]) == (2, 1)
        waiting = (await approver.get("/v1/approvals?waiting=true")).json()["approvals"]
        assert sorted(one["urgent"] for one in waiting) == [False, True]
        refused = await approver.post(f"/v1/approvals/{urgent['approval_id']}/refuse", json={"reason": "no"})
        assert refused.status_code == 200
    clock.time += UNDECIDED_SECONDS
    await told.step()
    assert came() == []


async def test_a_request_wakes_the_driver_of_notifications(
    world: World, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken = list[str]()
    monkeypatch.setattr(Driver, "wake", lambda driver: woken.append(driver.name))
    node = world.nodes["AL"].node
    build(node.settings.model_copy(update={"notifications": settings_of(mail)}), node, compose).state.approvals.wake()
    assert "notifications" in woken


def rows(party_node: PartyNode) -> list[tuple[Any, ...]]:
    with party_node.node.store.reading("test.rows") as session:
        return [tuple(row) for row in session.execute(select(NotificationRow.__table__))]


async def waiting(world: World, *roles: Role) -> dict[str, Any]:
    async with world.nodes["AL"].person(*roles) as person:
        found: dict[str, Any] = (await person.get("/v1/waiting")).json()
        return found


async def test_what_cannot_be_sent_is_tried_again_and_shown(world_after: WorldAfter, mail: MailServer) -> None:
    """The person and the administrator see since when and why; the wait grows, and a success ends the problem."""
    world, _ = await world_after(round_with_hits)
    al, clock = world.nodes["AL"], world.clock
    told = teller(al, settings_of(mail))
    async with al.person(Role.ANALYST) as analyst:
        await choose(analyst)
    port, since = mail.port, clock.time
    mail.stop()
    for wait in (60, 120, 240):
        await told.step()
        clock.time += wait - 1
        await told.step()  # too early
        clock.time += 1
    ((*_, attempts, retry_at, failing_since, failure),) = rows(al)
    assert (attempts, retry_at, failing_since, failure) == (3, clock.time, since, "unreachable")
    for role, seen in ((Role.ANALYST, True), (Role.ADMINISTRATOR, True), (Role.APPROVER, False)):
        found = await waiting(world, role)
        assert (found["undelivered_since"], found["failure"]) == ((since, "unreachable") if seen else (None, None))
    assert (await al.get("/status"))["notifications_failing_since"] == since
    mail.start(port)
    await told.step()
    assert [message["subject"] for message in mail.messages] == ["Aquila: notifications are on"]
    assert (await waiting(world, Role.ADMINISTRATOR))["undelivered_since"] is None
    assert (await al.get("/status"))["notifications_failing_since"] is None


@pytest.mark.parametrize(
    ("server", "changes", "failure"),
    [
        ({}, {"user": "stranger"}, "sign_in"),
        ({}, {"ca": None}, "tls"),
        ({}, {"security": "tls"}, "tls"),
        ({}, {"password_file": Path("missing")}, "settings"),
        ({"starttls": False}, {}, "tls"),
        ({"refuses": {CHOICE["address"]}}, {}, "refused"),
        ({}, {"domains": ("elsewhere.example",)}, "settings"),
    ],
)
def test_why_it_cannot_be_sent(mail: MailServer, server: dict[str, Any], changes: dict[str, Any], failure: str) -> None:
    """A server without encryption or with another kind or a certificate of nobody known gets no password either."""
    mail.stop()
    for name, value in server.items():
        setattr(mail, name, value)
    mail.start()
    said = Notification(language="en", address=ADDRESS, counts=None, urgent=False)
    with pytest.raises(DeliveryError) as caught:
        deliver(settings_of(mail, **changes), NotificationChannel.MAIL, CHOICE["address"], said, compose(said))
    assert (caught.value.failure.value, mail.messages) == (failure, [])


async def test_the_command_of_a_party(world_after: WorldAfter, tmp_path: Path) -> None:
    world, _ = await world_after(round_with_hits)
    al, taken, script = world.nodes["AL"], tmp_path / "taken", tmp_path / "tell"
    script.write_text(f"#!/bin/sh\nenv > {taken}.env\ncat >> {taken}\necho >> {taken}\n[ ! -e {tmp_path}/broken ]\n")
    script.chmod(stat.S_IRWXU)
    told = teller(al, NotificationSettings(command=(str(script),)))
    async with al.person(Role.ANALYST) as analyst:
        assert (await choose(analyst)).status_code == 422
        assert (await choose(analyst, channel="command", address="+3851234")).status_code == 200
        await told.step()
        (tmp_path / "broken").touch()
        await told.step()
        assert (await analyst.get("/v1/notifications")).json()["failure"] == "command"
    first, second = map(json.loads, taken.read_text().splitlines())
    assert (first["to"], first["urgent"], first["subject"]) == ("+3851234", False, "Aquila: notifications are on")
    assert "New hits: 2" in second["text"]
    assert_nothing_is_told(taken.read_text())
    assert not {"HOME", "USER", "PYTEST_CURRENT_TEST"} & {
        line.partition("=")[0] for line in (tmp_path / "taken.env").read_text().splitlines()
    }


async def test_a_choice_is_the_persons_own_and_goes_with_the_account(world: World, mail: MailServer) -> None:
    al = world.nodes["AL"]
    told = teller(al, settings_of(mail))
    key = (al.home / "operator.token").read_text().strip()
    answer = await al.operator.put("/v1/notifications", json=CHOICE, headers={"authorization": f"Bearer {key}"})
    assert (answer.status_code, "not the account of a person" in answer.json()["detail"]) == (422, True)
    async with al.person(Role.ANALYST) as analyst:
        for wrong in ("ana@elsewhere.example", "ana", "one@ministry.example.org"):
            assert (await choose(analyst, address=wrong)).status_code == 422
        await choose(analyst)
        assert (await analyst.delete("/v1/notifications")).status_code == 204
        assert rows(al) == []
        await choose(analyst, address="One@MINISTRY.example")
    with al.node.store.transaction("test.ended") as session:
        session.execute(update(AccountRow).where(AccountRow.login == "person-analyst").values(active=False))
        sealed(session)
    await told.step()
    assert mail.calls == 0
    assert forget_choices(al.node.store)
    assert rows(al) == []
    assert not forget_choices(al.node.store)


async def test_a_person_who_chooses_otherwise_meanwhile_is_told_there(world: World, mail: MailServer) -> None:
    al = world.nodes["AL"]
    told = teller(al, settings_of(mail))
    async with al.person(Role.ANALYST) as analyst:
        await choose(analyst)
        (due,) = told._due()
        await choose(analyst, address="other@ministry.example")
        told._tell(due)
        assert (await analyst.get("/v1/notifications")).json()["confirmed"] is False
    await told.step()
    assert [str(message["to"]) for message in mail.messages] == [CHOICE["address"], "other@ministry.example"]
