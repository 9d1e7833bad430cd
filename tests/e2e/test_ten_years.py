"""Five parties by the commands of the operations page, from the bundle to a beginning anew.

What each part does when it goes wrong has tests of its own: `test_bundle`, `test_ceremony`,
`test_disasters`. This one shows that the parts follow each other at the same services, for years.
"""

import shutil
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from tests.support import manual
from tests.support.authority import Authority
from tests.support.bundles import NEEDED, make_next_bundle
from tests.support.certified_callers import CertifiedCallers
from tests.support.commanded_parties import ALARM_SECONDS, alarms_of, expected_hits, is_quiet
from tests.support.machines import Machine
from tests.support.operators import FIVE_PARTIES, Ceremony, Operator
from tests.support.process_world import Service, World

pytestmark = [pytest.mark.e2e, pytest.mark.soak, *NEEDED]

NEXT = "9.9.9"
LOST = "SI"
RENEWED = "RS"
SECRETS = ("identity.pem", "people.key", "ca.key", "service.key", "caller.key")
MORE = {"SI": "AL", "XK": "MK"}
"""Parties whose lists have the persons of another party's."""


@dataclass
class TenYears(CertifiedCallers):
    machines: tuple[Machine, Machine] = field(kw_only=True)

    # Years

    def renew_certificates(self) -> None:
        new = Authority.create(self.root, "new-callers")
        starts = {one.name: one.starts for one in self.stage.services.values()}
        for service in self.stage.services.values():
            before = shown_certificate(service)
            command = manual.command(
                "When a party joins, leaves, or gets a certificate", f"aquila {service.kind} renew-certificate"
            )
            self.admin(service.name).give(f"{command} --home HOME")
            assert shown_certificate(service) != before
        self.trust("callers", "new-callers")
        self.give_certificates(new)
        self.trust("new-callers")
        assert {one.name: one.starts for one in self.stage.services.values()} == starts

    def lose(self, safe: Operator, round_id: str) -> None:
        """Lose a node's machine in the middle of a round, and follow the runbook.

        Its limits of evaluation count as used for the day, so that its caps are raised, as the page says.
        """
        runbook, node, matcher = "A node's machine is lost", safe.process, self.people["matcher"]
        node.kill()
        shutil.rmtree(node.home)
        # 1. The secretariat aborts what is open.
        matcher.do(manual.command(runbook, "aquila call post_abort"), ID=round_id, TEXT="'a machine was lost'")
        # 2 and 3. A new machine.
        [backup] = safe.folder.glob("node-*.aquila")
        restore = manual.command(runbook, "aquila node restore FILE") + " --secret caller.key"
        assert "1 round refused for good" in safe.give(restore, FILE=backup.name)
        with (node.home / "node.toml").open("a") as settings:
            settings.write("\n[caps]\nday_full = 20000000\nday_partial = 30000000\nday_coarse = 34000000\n")
        safe.document(manual.command(runbook, "aquila doctor"), ends_with=(0, 1))
        safe.give(manual.command(runbook, "systemctl start"))
        # 4. Alarms are acknowledged, here and at the matcher.
        both = (safe, self.ceremony.secretariat)
        assert alarms_of(safe)
        for person in (self.people[node.name].first, self.people[node.name].second):
            person.sign_in()
        self.stage.until(lambda: is_quiet(runbook, both) and self._is_over(node, round_id), ALARM_SECONDS)

    def _is_over(self, node: Service, round_id: str) -> bool:
        rounds = self.people[node.name].first.document(manual.command("Set up", "aquila call get_rounds"))["rounds"]
        return {one["round_id"]: one["phase"] for one in rounds}.get(round_id) == "aborted"

    def lose_matcher(self) -> None:
        runbook, before = "The matcher is lost", self.root / "before"
        self.stage.matcher.kill()
        shutil.rmtree(self.stage.matcher.home)
        # 1. The auditors keep the logs that are left.
        before.mkdir()
        self.at_each(partial(self._export, before))
        # 2. All homes are put aside, and all begin as on the first day, with the old files in their folders.
        for node in self.nodes:
            administrator, home = self.admin(node.name), node.home
            administrator.give(manual.command(runbook, "systemctl stop"))
            administrator.give(manual.command(runbook, "mv HOME"), **{"HOME-before": f"{home}-before"})
            home.mkdir(mode=0o700)
        self.ceremony = Ceremony(self.stage, self.parties)
        self.ceremony.hold()
        self.agree()
        self.meet()


def shown_certificate(service: Service) -> str:
    with socket.create_connection(("127.0.0.1", service.port)) as link:
        context = ssl.create_default_context(cafile=service.ca)
        if service.shown is not None:
            context.load_cert_chain(*service.shown)
        with context.wrap_socket(link, server_hostname="localhost") as secured:
            return ssl.DER_cert_to_PEM_cert(secured.getpeercert(binary_form=True) or b"")


@pytest.fixture
def story(tmp_path: Path, bundle: Path, files: dict[str, Path]) -> Iterator[TenYears]:
    """Two machines with this release, and five lists; nothing else is made yet."""
    for code, source in MORE.items():
        files[code] = tmp_path / f"{code}.csv"
        files[code].write_text(files[source].read_text("utf-8").replace(source, code), encoding="utf-8")
    machines = Machine(tmp_path / "secretariat"), Machine(tmp_path / "party")
    for one in machines:
        one.install(bundle)
    at_matcher, at_parties = (one.program for one in machines)
    (tmp_path / "world").mkdir()
    stage = World(tmp_path / "world", program=at_parties, programs={"matcher": at_matcher}, poll_seconds=3)
    expected = expected_hits(files, tmp_path, at_parties)
    try:
        yield TenYears(tmp_path, stage, FIVE_PARTIES, files, expected, machines=machines)
    finally:
        stage.stop()


def test_ten_years(story: TenYears, tmp_path: Path) -> None:
    """Installed, joined, played, asked, upgraded, renewed, lost, restored and begun anew: all rounds as rehearsed."""
    stage, (at_matcher, at_parties) = story.stage, story.machines
    # 1. The ceremony with TLS, certificates of all callers, and people.
    story.ceremony.hold()
    story.agree()
    story.ask_for_certificates()
    story.meet()
    # 2. A round.
    story.bring_lists()
    first = story.begin()
    story.submit(first)
    # 3. An upgrade in its middle, the secretariat first; then a query.
    bundle = make_next_bundle(tmp_path, NEXT)
    at_matcher.upgrade(bundle, NEXT, [stage.matcher])
    at_parties.upgrade(bundle, NEXT, story.nodes)
    assert {at_matcher.version(), at_parties.version()} == {f"aquila {NEXT}"}
    for service in stage.services.values():
        assert service.log.read_text("utf-8").count('"schema_migrated"') == 2, service.name
    story.agree()
    answer = story.ask(first, "AL", "Stojan;Petrovski;1971-05-30")
    assert {hit["party"] for person in answer["persons"] for hit in person["hits"]} == {"MK", "RS", "XK"}
    story.close(first)
    # 4. Another identity key, other certificates, and another CA of callers.
    story.ceremony.renew_identity(RENEWED)
    story.renew_certificates()
    story.agree()
    # 5. A machine is lost in a round, for which everyone has consented with the new key and certificates.
    story.audit()
    second = story.begin()
    story.lose(story.back_up(LOST, *SECRETS), second)
    third = story.begin()
    story.submit(third)
    story.close(third)
    # 6. All logs, over the whole time, with the word about the node that was lost.
    story.audit("log_alarm")
    # 7. The matcher is lost with all of its backups.
    story.lose_matcher()
    story.bring_lists()
    story.submit(story.begin())
    story.audit()
