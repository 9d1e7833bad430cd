"""The page on which a person chooses to be told, the number in the bar, and what is said when nothing can be sent."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from aquila.interface.attention import DeliveryFailure, Notification, WaitingCounts
from clients.web.i18n.languages import TAGS, languages
from clients.web.text.request_letter import FAILURES, compose
from services.kit.log.entries import ALARMS
from services.kit.people.tables import NotificationRow
from tests.support import web_world

homes_without = web_world.homes
SETTINGS = """
[notifications]
address = "https://aquila.ministry.example"

[notifications.mail]
host = "smtp.ministry.example"
sender = "aquila@ministry.example"
"""


@pytest.fixture
def homes(homes_without: Path) -> Path:
    for path in (homes_without / "SI" / "node.toml", homes_without / "matcher" / "matcher.toml"):
        with path.open("a") as file:
            file.write(SETTINGS)
    return homes_without


async def test_a_person_chooses_and_ends(node: Any) -> None:
    browser = await node.visitor("ana", "analyst")
    assert "At most once a day you are told how much waits for you" in await browser.open("/account")
    page = await browser.send("/account/notifications", channel="mail", address="ana@elsewhere.example")
    assert browser.answer.status_code == 422
    assert "The service does not send to this address." in page
    assert 'value="ana@elsewhere.example"' in page
    await browser.open("/account")
    await browser.send("/language", tag="sq", back="/account")
    page = await browser.send("/account/notifications", channel="mail", address="ana@ministry.example")
    assert languages()["sq"].say("not sent yet") in page
    with node.log.witness.store.reading("test.choice") as session:
        row = session.scalars(select(NotificationRow)).one()
        assert (row.channel, row.address, row.language) == ("mail", "ana@ministry.example", "sq")
    await browser.send("/account/notifications/end")
    with node.log.witness.store.reading("test.choice") as session:
        assert session.scalars(select(NotificationRow)).all() == []


async def test_the_secretariats_people_choose_too(matcher: Any) -> None:
    browser = await matcher.visitor("ana", "secretariat")
    assert "within a minute of an alarm. A notification has numbers" in await browser.open("/account")
    page = await browser.send("/account/notifications", channel="mail", address="ana@ministry.example")
    assert "not sent yet" in page
    assert "<title>Home - Aquila</title>" in await browser.open("/")
    with matcher.log.witness.store.transaction("test.alarm") as session:
        session.execute(
            insert(ALARMS).values(
                origin="aquila/SI", what="fork", sentence="forked", got=b"", found_at=matcher.clock[0]
            )
        )
        session.execute(update(NotificationRow).values(failing_since=1, failure="tls"))
    assert "<title>(1) Home - Aquila</title>" in await browser.open("/")
    assert "Notifications are not sent" in browser.page
    await browser.send("/account/notifications/end")
    assert "Notifications are not sent" not in await browser.open("/")


async def test_the_bar_counts_what_waits(node: Any) -> None:
    """The tab's title and the way to the first page have the number; where nothing waits there is none."""
    browser = await node.visitor("ana", "analyst")
    assert "<title>Home - Aquila</title>" in await browser.open("/")
    assert 'class="count"' not in browser.page
    with node.log.witness.store.transaction("test.alarm") as session:
        session.execute(
            insert(ALARMS).values(
                origin="aquila/matcher", what="fork", sentence="forked", got=b"", found_at=node.clock[0]
            )
        )
    assert "<title>(1) Hits - Aquila</title>" in await browser.open("/hits")
    assert '<span class="count"><span class="unseen">waiting for you: </span>1</span>' in browser.page


async def test_what_is_not_sent_is_said(node: Any) -> None:
    """On the first page of the person and of the administrator, and with the reason on the account's page."""
    browser, administrator = await node.visitor("ana", "analyst"), await node.visitor("bor", "administrator")
    await browser.open("/account")
    await browser.send("/account/notifications", channel="mail", address="ana@ministry.example")
    for failure in DeliveryFailure:
        with node.log.witness.store.transaction("test.failing") as session:
            session.execute(update(NotificationRow).values(failing_since=1, failure=failure.value))
        for visitor in (browser, administrator):
            page = await visitor.open("/")
            assert "Notifications are not sent" in page
            assert FAILURES[failure] in page
        assert FAILURES[failure] in await browser.open("/account")


@pytest.mark.parametrize("tag", TAGS)
def test_a_notification_says_every_count(tag: str) -> None:
    counts = WaitingCounts(
        alarms=11, requests=12, rounds=13, hits=14, new_hits=15, high_hits=16, due_hits=17, overdue_hits=18, faults=21
    )
    said = compose(Notification(language=tag, address="https://own.example", counts=counts, urgent=True))
    for number in ("11", "12", "13", "15", "16", "17", "18", "21", "https://own.example"):
        assert said.text.count(number) == 1
    few = compose(Notification(language=tag, address="", counts=WaitingCounts(requests=1), urgent=False))
    assert len(few.text.partition("\n\n")[0].splitlines()) == 1
    assert said.subject != few.subject


def test_an_unknown_language_is_english() -> None:
    """A language that an earlier version had is no reason to be silent."""
    said = compose(Notification(language="xx", address="", counts=None, urgent=False))
    assert said.subject == "Aquila: notifications are on"
