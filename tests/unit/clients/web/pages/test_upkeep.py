"""The page of the service for its administrator: its health, a backup, a certificate and a test, each with a button."""

from pathlib import Path
from typing import Any

import pytest

from aquila.audit.entries import EntryKind
from aquila.crypto.keys import SealingKey
from aquila.interface.attention import DeliveryFailure
from services.kit.administration.backup.keys import make_keys, read_private, read_public
from services.kit.administration.backup.make import back_up
from services.kit.administration.upkeep import Upkeep
from services.kit.home_folder import TLS_FOLDER
from services.kit.http.certificates import OwnCertificates, issue, make_ca
from services.kit.people.tables import NotificationRow
from services.kit.settings import TlsSettings
from services.node.backup import check_node
from tests.support import stored_log, web_world

homes_without = web_world.homes
SECRET = "correct horse"
SETTINGS = """
[notifications]
command = ["/usr/bin/notify", "--key", "correct horse"]
"""


@pytest.fixture
def homes(homes_without: Path) -> Path:
    with (homes_without / "SI" / "node.toml").open("a") as file:
        file.write(SETTINGS)
    return homes_without


def upkeep_of(place: Any) -> Upkeep:
    found: Upkeep = place.app._service.state.upkeep
    return found


def logged(place: Any, kind: EntryKind) -> list[Any]:
    with place.log.witness.store.reading("test.log") as session:
        return [one for _, one in stored_log.entries(session) if one is not None and one.kind is kind]


async def test_health_and_settings_are_readable_and_no_secret_is(node: Any) -> None:
    browser = await node.visitor("ana", "administrator")
    page = await browser.open("/service")
    for words in ("<h2>Health</h2>", "database", "sqlite", "There is no backup yet.", "matcher.url", "/usr/bin/notify"):
        assert words in page
    assert SECRET not in page
    assert 'action="/service/' not in page  # nothing can be done yet
    assert "1 file waits for an officer." not in page
    (Path(upkeep_of(node)._settings.deliveries) / "list.csv").write_text("record_id,full_name\n1,X\n")
    assert "files wait" in await browser.open("/service")


async def test_a_backup_is_begun_and_sealed_to_the_key_in_the_home(node: Any, homes: Path, tmp_path: Path) -> None:
    """Whoever signs in chooses neither the key nor the place; the log says who began it."""
    home = homes / "SI"
    browser = await node.visitor("ana", "administrator")
    await browser.open("/service")
    page = await browser.send("/service/backup")
    assert browser.answer.status_code == 409
    assert "the home has no public backup key backup.key.pub" in page
    private, public = tmp_path / "backup.key", home / "backup.key.pub"
    public.write_text("no key")
    assert "backup.key.pub" in await browser.open("/service")
    public.unlink()
    make_keys(private, public)
    await browser.open("/service")
    assert 'action="/service/backup"' in browser.page
    assert "The backup is being made." in await browser.send("/service/backup")
    upkeep_of(node).wait()
    page = await browser.open("/service")
    assert "The newest was begun" in page  # the log knows no more of it, so no mark says that it is whole
    assert "<header><h2>Backup</h2></header>" in page
    (made,) = (home / "backups").iterdir()
    with read_private(private) as key:
        assert isinstance(key, SealingKey)
        assert check_node(made, key).head.party == "SI"
    (entry,) = logged(node, EntryKind.BACKUP)
    assert (entry.person.startswith("p-"), entry.role) == (True, "administrator")
    # One that cannot be written is said, until the next one.
    made.unlink()
    (home / "backups").rmdir()
    (home / "backups").write_text("in the way")
    await browser.send("/service/backup")
    upkeep_of(node).wait()
    assert "the backup could not be written" in await browser.open("/service")
    # One that is made elsewhere, as by the timer, is newer; a fault of any kind is said.
    upkeep, public_key = upkeep_of(node), read_public(public)
    node.clock[0] += 1
    back_up(upkeep._service, home, "SI", public_key, tmp_path / "timer", lambda: node.clock[0])
    assert "the backup could not be written" not in await browser.open("/service")
    upkeep._make(public_key, home / "more", None, "")  # type: ignore[arg-type]  # a fault of Aquila itself
    assert "the backup could not be written" in await browser.open("/service")


async def test_one_backup_at_a_time(node: Any, homes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_keys(tmp_path / "backup.key", homes / "SI" / "backup.key.pub")
    upkeep, browser = upkeep_of(node), await node.visitor("ana", "administrator")
    monkeypatch.setattr(upkeep, "_is_running", lambda: True)
    upkeep._began_at = node.clock[0]
    page = await browser.open("/service")
    assert "is being made" in page
    assert 'action="/service/backup"' not in page
    await browser.send("/service/backup")
    assert browser.answer.status_code == 409


async def test_a_certificate_of_the_homes_own_ca_is_renewed(node: Any, homes: Path) -> None:
    own, browser = OwnCertificates(homes / "SI" / TLS_FOLDER), await node.visitor("ana", "administrator")
    await browser.open("/service")
    await browser.send("/service/certificate")
    assert browser.answer.status_code == 409  # the service shows none
    make_ca(own, "SI")
    issue(own, "127.0.0.1")
    before, upkeep = own.certificate.read_bytes(), upkeep_of(node)
    shown = TlsSettings(certificate=own.certificate, key=own.key)
    upkeep._settings = upkeep._settings.model_copy(update={"tls": shown})
    await browser.open("/service")
    await browser.send("/service/certificate")
    assert own.certificate.read_bytes() != before
    (entry,) = logged(node, EntryKind.MAINTENANCE)
    assert (entry.ids["what"], entry.role) == ("certificate", "administrator")


class Notifier:
    """Hands tests over as it is told to."""

    def __init__(self) -> None:
        self.failure: DeliveryFailure | None = None
        self.told: list[str] = []

    def test(self, person: str) -> DeliveryFailure | None:
        self.told.append(person)
        return self.failure


async def test_a_test_goes_to_whoever_asks_for_it(node: Any) -> None:
    browser, notifier, upkeep = await node.visitor("ana", "administrator"), Notifier(), upkeep_of(node)
    page = await browser.open("/service")
    assert "choose notifications" in page
    await browser.send("/service/notification-test")
    assert browser.answer.status_code == 409  # the service notifies nobody
    upkeep._notifier = notifier  # type: ignore[assignment]  # as much of one as is asked for
    await browser.open("/account")
    await browser.send("/account/notifications", channel="command", address="ana")
    await browser.open("/service")
    assert "The test was handed over." in await browser.send("/service/notification-test")
    notifier.failure = DeliveryFailure.COMMAND
    page = await browser.send("/service/notification-test")
    assert "The test was not handed over" in page
    assert "Your organization's own command failed." in page
    assert len(set(notifier.told)) == 1
    assert [one.ids["what"] for one in logged(node, EntryKind.MAINTENANCE)] == ["notification"] * 2
    with node.log.witness.store.transaction("test.own") as session:
        row = session.get(NotificationRow, notifier.told[0])
        assert row is not None
        row.failing_since, row.failure = 1, "command"
    assert "Not handed over since" in await browser.open("/service")
