"""The secretariat's people are told how much waits for them: of alarms and critical faults at once, in counts alone."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx
import pytest
from sqlalchemy import insert, select, update

from aquila.audit.roles import Role
from aquila.interface.sentence import FaultView
from aquila.interface.service.health import Grade, HealthCheck, Outage, ServiceHealth, Subject
from aquila.sentences import Sentence
from clients.web.text.request_letter import compose
from services.kit.log.entries import ALARMS
from services.kit.people.tables import AccountRow, NotificationRow, PeopleRows
from services.kit.serving.notifications.driver import DAY, LEAST_SECONDS, NotificationDriver
from services.kit.serving.notifications.waiting import OUTAGE_SECONDS, FaultWatch, Sightings
from services.matcher.administration.health import MatcherWaiting
from services.matcher.steps.schedule import steps_of
from services.matcher.storage.tables import EvidenceRow
from tests.support.health_example import FINE
from tests.support.mail_server import MailServer, lines_of, settings_of
from tests.support.matcher_world import BASE, World
from tests.support.people import signed_in
from tests.support.sealing import sealed

pytestmark = pytest.mark.postgresql_soak

SHORT = {"participants": ["RS", "AL"], "area": "a", "legal_basis": "b", "purpose": "c", "category": "d"}
ADDRESS = "https://aquila.secretariat.example:8700"


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[MailServer]:
    """The secretariat's mail server; nothing that it takes tells of a party, a round or a person."""
    folder = tmp_path / "mail"
    folder.mkdir()
    server = MailServer(folder)
    server.start()
    yield server
    server.stop()
    for message in server.messages:
        del message["message-id"]  # random digits
        text = f"{message.as_string()} {message['subject']} {message.get_content()}".replace(ADDRESS, "")
        assert not re.search(r"\b(AL|RS|SI)\b|Party|[0-9a-f]{12}|p-[0-9a-f]", text)


def teller(world: World, mail: MailServer) -> NotificationDriver:
    """Let the matcher tell its people over this server; return the driver that does."""
    settings = settings_of(mail)
    world.app.state.notifications = replace(world.app.state.notifications, settings=settings)
    return NotificationDriver(world.app.state.notifications, settings, ADDRESS, compose)


async def choose(world: World, role: Role) -> None:
    token = signed_in(world.context.people, f"person-{role}", role)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(world.app), base_url=BASE, headers={"authorization": f"Bearer {token}"}
    ) as client:
        wanted = {"channel": "mail", "address": f"{role}@ministry.example", "language": "en"}
        answer = await client.put("/v1/notifications", json=wanted)
        assert answer.status_code == 200, answer.text
        assert answer.json()["channels"] == ["mail"]


def told_to(mail: MailServer) -> dict[str, str]:
    """Return the lines of the newest messages by the role of whom they are for, and forget the messages."""
    found = {str(message["to"]).partition("@")[0]: lines_of(message) for message in mail.messages}
    mail.messages.clear()
    return found


async def test_alarms_are_told_at_once_and_once(world: World, mail: MailServer) -> None:
    """The secretariat and an auditor hear of evidence."""
    told = teller(world, mail)
    await choose(world, Role.SECRETARIAT)
    await choose(world, Role.AUDITOR)
    await told.step()
    assert len(told_to(mail)) == 2
    await told.step()
    assert mail.messages == []
    round_id = (await world.operate("POST", json=SHORT)).json()["round_id"]
    now = world.clock.time
    with world.context.store.transaction("test.needs") as session:
        session.add(EvidenceRow(round_id=round_id, party="AL", digest="0" * 64, refused="{}", found_at=now))
    await told.step()
    assert told_to(mail) == {"secretariat": "Alarms: 1.", "auditor": "Alarms: 1."}
    # What stands is told once; another alarm at once, though not within a quarter of an hour.
    world.clock.time += LEAST_SECONDS
    await told.step()
    assert mail.messages == []
    with world.context.store.transaction("test.alarm") as session:
        session.execute(
            insert(ALARMS).values(origin="aquila/SI", what="fork", sentence="forked", got=b"", found_at=now)
        )
    await told.step()
    assert told_to(mail)["auditor"] == "Alarms: 2."


async def test_an_administrator_is_told_of_faults(world: World, mail: MailServer) -> None:
    """Of a critical one at once, and again when it comes back; of a warning with the day's work; others never."""
    found = [HealthCheck(subject=Subject.DISK, grade=Grade.OK)]
    health = FaultWatch(lambda: FINE.model_copy(update={"checks": tuple(found)}), world.clock)
    reading = partial(MatcherWaiting, world.context, health, Sightings(world.clock))
    world.app.state.notifications = replace(world.app.state.notifications, reading=reading)
    told = teller(world, mail)
    await choose(world, Role.ADMINISTRATOR)
    await choose(world, Role.SECRETARIAT)
    await told.step()
    await told.step()
    told_to(mail)
    full = FaultView.of(Sentence.of("store_failed"))
    for grade, seconds, hears in (
        (Grade.CRITICAL, LEAST_SECONDS, True),
        (Grade.CRITICAL, LEAST_SECONDS, False),
        (Grade.OK, LEAST_SECONDS, False),
        (Grade.CRITICAL, LEAST_SECONDS, True),
        (Grade.CRITICAL, DAY, False),
    ):
        world.clock.time += seconds
        found[:] = [HealthCheck(subject=Subject.DISK, grade=grade, sentences=(full,) if grade is not Grade.OK else ())]
        await told.step()
        assert told_to(mail) == ({"administrator": "Faults of the service: 1."} if hears else {})
    # One more that is no reason to wake anybody, and one that people hear of as an alarm.
    found += [
        HealthCheck(subject=subject, grade=Grade.WARNING, sentences=(full,))
        for subject in (Subject.CERTIFICATES, Subject.LOG)
    ]
    world.clock.time += LEAST_SECONDS
    await told.step()
    assert told_to(mail) == {"administrator": "Faults of the service: 2."}


async def test_an_administrator_is_told_of_an_outage_after_five_minutes(world: World, mail: MailServer) -> None:
    """Once, however lately something else was told; that the service is not ready until then is no reason."""
    began = world.clock.time
    away = FaultView.of(Sentence.of("health_matcher_away", minutes=1, reason=Sentence.of("store_failed")))
    check = HealthCheck(subject=Subject.MATCHER, grade=Grade.CRITICAL, sentences=(away,))
    lasting, found = Outage(peer="RS", began_at=began, ended_at=None), list[HealthCheck]()

    def report() -> ServiceHealth:
        told_of = {"outages": (lasting,) if found else (), "checks": tuple(found), "at": world.clock.time}
        return FINE.model_copy(update=told_of)

    reading = partial(MatcherWaiting, world.context, FaultWatch(report, world.clock), Sightings(world.clock))
    world.app.state.notifications = replace(world.app.state.notifications, reading=reading)
    told = teller(world, mail)
    await choose(world, Role.ADMINISTRATOR)
    await told.step()
    await told.step()
    told_to(mail)
    found.append(check)
    for seconds, hears in ((OUTAGE_SECONDS - 1, False), (1, True), (LEAST_SECONDS, False)):
        world.clock.time += seconds
        await told.step()
        texts = told_to(mail).get("administrator", "")
        assert ("Services that were not heard of for five minutes: 1." in texts) is hears


def test_choices_of_ended_accounts_are_forgotten(world: World) -> None:
    """By the step that ends requests, whose driver looks every minute."""
    signed_in(world.context.people, "ana", Role.SECRETARIAT)
    with world.context.store.transaction("test.choice") as session:
        person = session.scalars(select(AccountRow.person)).first()
        session.add(NotificationRow(person=person, channel="mail", address="a@b", language="en", told_at=0, told_day=0))
    step = steps_of(world.context, world.app.state.approvals)["people"]
    assert step() is False
    with world.context.store.transaction("test.end") as session:
        session.execute(update(AccountRow).values(active=False))
        sealed(session, PeopleRows)
    assert step() is True
    with world.context.store.reading("test.choice") as session:
        assert session.scalars(select(NotificationRow)).all() == []
