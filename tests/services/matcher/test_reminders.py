"""Parties are reminded of what rounds wait for: at a click, and two days and two hours before a deadline."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from clients.web.text.request_letter import remind
from services.kit.serving.notifications.driver import DAY, HOUR
from services.matcher.administration.reminders import ReminderDriver
from services.matcher.settings import MatcherSettings
from tests.support.mail_server import MailServer, settings_of
from tests.support.matcher_world import BASE, NOW, World
from tests.support.people import FourEyes
from tests.support.renewing import logged

pytestmark = pytest.mark.postgresql_soak

PARTIES = {"AL": "desk@ministry.example", "RS": "desk@elsewhere.example"}
"""The second one is of a domain that the settings do not take."""


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[MailServer]:
    folder = tmp_path / "mail"
    folder.mkdir()
    server = MailServer(folder)
    server.start()
    yield server
    server.stop()


async def operate(world: World, method: str, path: str, **options: object) -> httpx.Response:
    transport = FourEyes(httpx.ASGITransport(world.app), world.secretariat)
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        return await client.request(method, f"/v1/operator{path}", **options)


async def named(world: World, mail: MailServer) -> ReminderDriver:
    """Name contacts of two of three parties in the registry, and return the driver of reminders."""
    for party, contact in PARTIES.items():
        answer = await operate(world, "POST", f"/registry/parties/{party}/contact", json={"contact": contact})
        assert answer.status_code == 202, answer.text
    settings: MatcherSettings = world.context.settings
    object.__setattr__(settings, "notifications", settings_of(mail))
    server = settings_of(mail).mail
    assert server is not None
    return ReminderDriver(world.context, server, remind)


def told(mail: MailServer) -> list[str]:
    found = [str(message["to"]) for message in mail.messages]
    mail.messages.clear()
    return found


async def test_one_click_reminds_who_is_awaited(three: World, mail: MailServer) -> None:
    """Step and deadline are told, and neither the round's title nor a person; a party without a contact is named."""
    driver = await named(three, mail)
    window = dict.fromkeys(("consent_by", "submit_by", "evaluate_by", "closes_at"), NOW + 100)
    await three.propose(window=window, title="2026-12 Fighters")
    answer = await operate(three, "POST", f"/rounds/{three.round_id}/remind")
    assert answer.json() == {"parties": ["AL", "RS"], "without_contact": ["SI"]}
    await driver.step()
    (message,) = mail.messages
    assert (message["to"], message["subject"]) == ("desk@ministry.example", "Aquila: një raund pret palën tuaj")
    assert "Fighters" not in message.as_string() + str(message.get_content())
    assert [one.recipient for one in logged(three.context.store, "reminder")] == ["AL", "RS"]
    assert all(one.person and one.role for one in logged(three.context.store, "reminder"))
    mail.messages.clear()
    await driver.step()
    assert told(mail) == []


async def test_each_is_reminded_once_before_a_deadline(three: World, mail: MailServer) -> None:
    driver = await named(three, mail)
    days = dict(zip(("consent_by", "submit_by", "evaluate_by", "closes_at"), (5, 6, 7, 8), strict=True))
    await three.propose(window={name: NOW + day * DAY for name, day in days.items()})
    for at, to in (
        (NOW, []),
        (NOW + 3 * DAY, ["desk@ministry.example"]),
        (NOW + 4 * DAY, []),
        (NOW + 5 * DAY - 2 * HOUR, ["desk@ministry.example"]),
        (NOW + 5 * DAY, []),
    ):
        three.clock.time = at
        await driver.step()
        assert told(mail) == to
    assert [(one.recipient, one.person) for one in logged(three.context.store, "reminder")] == [("AL", None)] * 2


async def test_what_cannot_be_reminded(three: World, mail: MailServer) -> None:
    await three.propose()
    assert (await operate(three, "POST", f"/rounds/{three.round_id}/remind")).status_code == 422
    await named(three, mail)
    await three.opened()
    assert (await operate(three, "POST", "/registry/parties/XX/contact", json={"contact": "a@b"})).status_code == 404
    assert (await operate(three, "POST", "/registry/parties/AL/contact", json={"contact": "a b"})).status_code == 422
