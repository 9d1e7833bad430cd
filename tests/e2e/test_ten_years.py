"""Five parties by the commands of the operations page, from the bundle to a beginning anew.

What each part does when it goes wrong has tests of its own: `test_bundle`, `test_ceremony`, `test_mixed_versions`,
`test_backup`. This one shows that the parts follow each other at the same services, for years.
"""

from __future__ import annotations

import json
import shutil
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from clients.cli.exit_codes import ExitCode
from tests.support import manual
from tests.support.authority import Authority
from tests.support.bundles import NEEDED, make_next_bundle
from tests.support.machines import Machine
from tests.support.operators import FIVE_PARTIES, Ceremony, Operator
from tests.support.persons import Pair
from tests.support.process_world import AT_ONCE, World, paired_sides, rehearsed_hits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from tests.support.process_world import Hit, Service

pytestmark = [pytest.mark.e2e, pytest.mark.soak, *NEEDED]

NEXT = "0.3.0"
ROLES = (("officer", "analyst", "auditor"), ("approver", "auditor"))
AT_MATCHER = (("secretariat", "auditor"), ("secretariat", "auditor"))
LOST = "SI"
RENEWED = "RS"
SECRETS = ("identity.pem", "people.key", "ca.key", "service.key", "caller.key")
_CALLER_DAYS = 365
_ALARM_SECONDS = 120
MORE = {"SI": "AL", "XK": "MK"}
"""Parties whose lists have the persons of another party's."""


@dataclass
class Story:
    """Five parties and the secretariat, on two machines.

    Attributes:
        root: An empty folder.
        files: The list of each party.
        expected: The hits of these lists.
    """

    root: Path
    files: Mapping[str, Path]
    secretariat: Machine
    parties: Machine
    stage: World = field(init=False)
    ceremony: Ceremony = field(init=False)
    people: dict[str, Pair] = field(init=False)
    expected: set[Hit] = field(init=False)

    def __post_init__(self) -> None:
        """Lay out the world, whose services are made by the ceremony."""
        (self.root / "world").mkdir()
        self.stage = World(
            self.root / "world", program=self.parties.program, programs={"matcher": self.secretariat.program},
            poll_seconds=3,
        )  # fmt: skip
        self.ceremony = Ceremony(self.stage, FIVE_PARTIES)

    @property
    def nodes(self) -> list[Service]:
        """The nodes."""
        return self.stage.nodes

    def admin(self, name: str) -> Operator:
        """Return the administrator of a service."""
        return self.ceremony.secretariat if name == "matcher" else self.ceremony.operators[name]

    def at_each(self, step: Callable[[Service], object], services: Iterable[Service] | None = None) -> None:
        """Let every party do something; several at a time."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(step, self.nodes if services is None else services))

    # Certificates of callers, and people

    def ask_for_certificates(self) -> None:
        """Let the matcher answer only who shows a certificate of the secretariat's CA."""
        of_party, of_matcher = manual.blocks("Callers' certificates", "toml")
        self.give_certificates(Authority.create(self.root, "callers"))
        for node in self.nodes:
            add_settings(node.home / "node.toml", of_party)
            self.admin(node.name).give("systemctl restart aquila-node")
        self.trust("callers")
        add_settings(self.stage.matcher.home / "matcher.toml", of_matcher)
        self.admin("matcher").give("systemctl restart aquila-matcher")
        self.stage.matcher.shown = (self.root / "officer.pem", self.root / "officer.key")

    def give_certificates(self, authority: Authority) -> None:
        """Put a certificate of a CA in place for everybody who calls the matcher."""
        authority.issue("officer", days=_CALLER_DAYS)
        for name, service in self.stage.services.items():
            authority.issue(name, days=_CALLER_DAYS)
            for kind in ("pem", "key"):
                shutil.move(self.root / f"{name}.{kind}", service.home / f"tls/caller.{kind}")

    def trust(self, *authorities: str) -> None:
        """Let the matcher take certificates of these CAs."""
        trusted = b"".join((self.root / f"{name}.pem").read_bytes() for name in authorities)
        (self.stage.matcher.home / "tls/callers.pem").write_bytes(trusted)

    def meet(self) -> None:
        """Let the people of every service enrol, each at a machine of their own."""
        self.people = {one.name: Pair.at(one, self.root) for one in self.stage.services.values()}

        def enrol(service: Service) -> None:
            pair, administrator = self.people[service.name], self.admin(service.name)
            roles = AT_MATCHER if service.kind == "matcher" else ROLES
            for person, own in zip((pair.first, pair.second), roles, strict=True):
                person.enrol(administrator, own)

        self.at_each(enrol, self.stage.services.values())

    # Rounds

    def bring_lists(self) -> None:
        """Let an officer of every party import its list."""
        for node in self.nodes:
            officer = self.people[node.name].first
            shutil.copy(self.files[node.name], officer.folder / "list.csv")
            officer.give(manual.command("Set up", "aquila records import FILE"), FILE="list.csv")

    def begin(self, *options: str) -> str:
        """Propose a round of all parties, and let each consent; return its id."""
        propose, _, _ = round_commands()
        parties = [word for code in FIVE_PARTIES for word in ("--party", code)]
        asked = self.people["matcher"].do(propose.replace("--party AL --party SI ", ""), *parties, *options)
        round_id = str(asked["round_id"])
        self.at_each(partial(self._consent, round_id))
        return round_id

    def _consent(self, round_id: str, node: Service) -> None:
        pair = self.people[node.name]
        rounds = manual.command("Set up", "aquila round list")
        self.stage.until(lambda: round_id in json.dumps(pair.first.document(rounds)))
        pair.do(manual.command("A round", "aquila round consent"), ID=round_id)

    def submit(self, round_id: str) -> None:
        """Submit the list that every party imported last, and wait for everyone's hits: those of the rehearsal."""
        self.at_each(partial(self._submit, round_id))
        hits: dict[str, Any] = {}

        def wait(node: Service) -> None:
            first, show = self.people[node.name].first, manual.command("A round", "aquila round hits")
            first.document(manual.command("A round", "aquila round watch"), ID=round_id)

            def answered() -> bool:
                found = first.document(show, ends_with=(ExitCode.DONE, ExitCode.UNANSWERED), ID=round_id)
                hits[node.name] = found["hits"]
                return bool(found["answers"]) and all(one["state"] == "answered" for one in found["answers"])

            self.stage.until(answered)

        self.at_each(wait)
        assert paired_sides(hits) == self.expected

    def _submit(self, round_id: str, node: Service) -> None:
        pair, (_, submit, _) = self.people[node.name], round_commands()
        pair.first.document(manual.command("A round", "aquila round watch"), "--until", "open", ID=round_id)
        pair.do(submit, ID=round_id)

    def close(self, round_id: str) -> None:
        """Close a round, and wait until it is over everywhere."""
        first = self.people["matcher"].first
        first.document(manual.command("A round", "aquila round close"), ID=round_id)
        watch = manual.command("A round", "aquila round watch")
        everyone = self.stage.services.values()
        self.at_each(
            lambda one: self.people[one.name].first.document(watch, "--until", "closed", ID=round_id), everyone
        )

    def ask(self, round_id: str, code: str, person: str) -> Any:
        """Ask for a person in a round, and return the whole answer."""
        pair, (_, _, ask) = self.people[code], round_commands()
        (pair.first.folder / "persons.txt").write_text(f"{person}\n", encoding="utf-8")
        pair.do(ask, ID=round_id, FILE="persons.txt")
        show = manual.command("A round", "aquila query show latest")
        answers: list[Any] = []

        def answered() -> bool:
            answers.append(pair.first.document(show, ends_with=(ExitCode.DONE, ExitCode.UNANSWERED)))
            return all(one["state"] == "answered" for one in answers[-1]["parties"])

        self.stage.until(answered)
        [listed] = pair.first.document(manual.command("A round", "aquila query list"))["queries"]
        assert listed["answer"] == "answered"
        return answers[-1]

    # Years

    def agree(self) -> None:
        """Wait until the secretariat sees that everyone has accepted the same registry."""

        def agreed() -> bool:
            shown = self.admin("matcher").read(manual.command("Set up", "aquila party registry"))
            accepted = {one["party"]: one["accepted"] for one in shown["parties"]}
            return accepted == dict.fromkeys(FIVE_PARTIES, accepted["AL"]) and accepted["AL"] is not None

        self.stage.until(agreed)
        registries = {(one.home / "registry.toml").read_bytes() for one in self.stage.services.values()}
        assert len(registries) == 1

    def renew_certificates(self) -> None:
        """Renew the services' certificates, and take another CA for callers; no service starts again."""
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

    def back_up(self, code: str) -> Operator:
        """Put what a restore of a node needs into a safe, and make the daily backup; return who has the safe."""
        node, folder = self.stage.services[code], self.root / "safe"
        folder.mkdir()
        safe, chapter = Operator(node, node.port, folder, code), "Backup and restore"
        safe.give(manual.command(chapter, "aquila backup-key --out backup.key"))
        safe.give(manual.command(chapter, "aquila node backup --home /var/lib/aquila/node"))
        [made] = folder.glob("node-*.aquila")
        for name in SECRETS:
            [secret] = (path for path in node.home.rglob(name) if path.parent.name in {node.home.name, "tls"})
            shutil.copy(secret, folder)
        safe.give(manual.command(chapter, "aquila node restore FILE --key backup.key --check"), FILE=made.name)
        return safe

    def lose(self, safe: Operator, round_id: str) -> None:
        """Lose a node's machine in the middle of a round, and follow the runbook.

        Its limits of evaluation count as used for the day, so that its caps are raised, as the page says.
        """
        runbook, node, matcher = "A node's machine is lost", safe.process, self.people["matcher"]
        node.kill()
        shutil.rmtree(node.home)
        # 1. The secretariat aborts what is open.
        matcher.do(manual.command(runbook, "aquila round abort"), ID=round_id, TEXT="'a machine was lost'")
        # 2 and 3. A new machine.
        [backup] = safe.folder.glob("node-*.aquila")
        restore = manual.command(runbook, "aquila node restore FILE") + " --secret caller.key"
        assert "1 round refused for good" in safe.give(restore, FILE=backup.name)
        with (node.home / "node.toml").open("a") as settings:
            settings.write("\n[caps]\nday_full = 16000000\nday_partial = 32000000\n")
        safe.document(manual.command(runbook, "aquila doctor"), ends_with=(0, 1))
        safe.give(manual.command(runbook, "systemctl start"))
        # 4. Alarms are acknowledged, here and at the matcher.
        acknowledge = manual.command(runbook, "aquila audit acknowledge NUMBER") + " --home HOME"
        both = (safe, self.ceremony.secretariat)
        assert alarms_of(safe)

        def quiet() -> bool:
            for operator in both:
                for number in alarms_of(operator):
                    operator.give(acknowledge, NUMBER=str(number))
            return not any(map(alarms_of, both)) and self._is_over(node, round_id)

        for person in (self.people[node.name].first, self.people[node.name].second):
            person.sign_in()
        self.stage.until(quiet, _ALARM_SECONDS)

    def _is_over(self, node: Service, round_id: str) -> bool:
        rounds = self.people[node.name].first.document(manual.command("Set up", "aquila round list"))["rounds"]
        return {one["round_id"]: one["phase"] for one in rounds}.get(round_id) == "aborted"

    def lose_matcher(self) -> None:
        """Lose the matcher and all of its backups, and begin anew as the runbook has it."""
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
        self.ceremony = Ceremony(self.stage, FIVE_PARTIES)
        self.ceremony.hold()
        self.agree()
        self.meet()

    def audit(self) -> None:
        """Let the auditors of all parties export their logs and compare them: nothing is wrong."""
        folder = self.root / f"audit-{len(list(self.root.glob('audit-*')))}"
        folder.mkdir()
        auditor = Operator(self.stage.services["AL"], 0, folder)
        shutil.copy(self.stage.services["AL"].home / "registry.toml", folder)
        self.at_each(partial(self._export, folder), self.stage.services.values())
        matchers = manual.command("The log", "aquila audit export --matcher")
        self.people["AL"].second.give(matchers)
        shutil.move(self.people["AL"].second.folder / "matcher.tar", folder)
        others = " ".join(f"--with {node.name}.tar" for node in self.nodes)
        command = manual.command("The log", "aquila audit verify matcher.tar")
        command = command.replace("--with RS.tar --with SI.tar", others)
        for one in (command, command.replace("matcher.tar", "secretariat.tar")):
            # A party's copy of the matcher's log omits entries, and the newest ones are not cosigned yet.
            assert {found["what"] for found in auditor.document(one)["unproven"]} <= {"left_out", "uncovered"}

    def _export(self, folder: Path, service: Service) -> None:
        """Export the log of a service, as soon as the newest cosignatures have come and it verifies by itself."""
        auditor, name = self.people[service.name].second, "secretariat" if service.kind == "matcher" else service.name
        verify = manual.command("The log", "aquila audit verify log.tar --registry")
        shutil.copy(service.home / "registry.toml", auditor.folder)

        def verifies() -> bool:
            (auditor.folder / "log.tar").unlink(missing_ok=True)
            auditor.give(manual.command("The log", "aquila audit export --out log.tar"))
            return bool(auditor.document(verify, ends_with=(ExitCode.DONE, ExitCode.REFUSED)))

        self.stage.until(verifies, _ALARM_SECONDS)
        (auditor.folder / "log.tar").replace(folder / f"{name}.tar")


def alarms_of(operator: Operator) -> list[int]:
    """Return the alarms of a service that nobody has acknowledged, as its administrator sees them."""
    status = operator.read(manual.command("A node's machine is lost", "aquila audit status"))
    return [one["alarm_id"] for one in status["alarms"] if one["acknowledged_at"] is None]


def round_commands() -> list[str]:
    """Return the commands by which a round is proposed, a list submitted, and a person asked for."""
    [block] = manual.blocks("A round")
    propose, submit, ask = block.replace("\\\n", " ").strip().splitlines()
    return [" ".join(one.split()) for one in (propose, submit, ask)]


def add_settings(file: Path, block: str) -> None:
    """Add the lines of a block of settings to the tables of a file."""
    text = file.read_text("utf-8")
    for part in block.strip().split("\n\n"):
        table, *lines = part.splitlines()
        assert text.count(f"{table}\n") == 1
        text = text.replace(f"{table}\n", "\n".join([table, *lines, ""]))
    file.write_text(text, "utf-8")


def shown_certificate(service: Service) -> str:
    """Return the certificate that a service shows to its callers."""
    with socket.create_connection(("127.0.0.1", service.port)) as link:
        context = ssl.create_default_context(cafile=service.ca)
        if service.shown is not None:
            context.load_cert_chain(*service.shown)
        with context.wrap_socket(link, server_hostname="localhost") as secured:
            return ssl.DER_cert_to_PEM_cert(secured.getpeercert(binary_form=True) or b"")


@pytest.fixture
def story(tmp_path: Path, bundle: Path, files: dict[str, Path]) -> Iterator[Story]:
    """Two machines with this release, and five lists; nothing else is made yet."""
    for code, source in MORE.items():
        files[code] = tmp_path / f"{code}.csv"
        files[code].write_text(files[source].read_text("utf-8").replace(source, code), encoding="utf-8")
    machines = Machine(tmp_path / "secretariat"), Machine(tmp_path / "party")
    for one in machines:
        one.install(bundle)
    made = Story(tmp_path, files, *machines)
    made.expected = rehearsed_hits(files, tmp_path, made.parties.program)
    try:
        yield made
    finally:
        made.stage.stop()


def test_ten_years(story: Story, tmp_path: Path) -> None:
    """Installed, joined, played, asked, upgraded, renewed, lost, restored and begun anew: all rounds as rehearsed."""
    stage = story.stage
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
    story.secretariat.upgrade(bundle, NEXT, [stage.matcher])
    story.parties.upgrade(bundle, NEXT, story.nodes)
    assert {story.secretariat.version(), story.parties.version()} == {f"aquila {NEXT}"}
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
    story.lose(story.back_up(LOST), second)
    third = story.begin()
    story.submit(third)
    story.close(third)
    # 6. All logs, over the whole time.
    story.audit()
    # 7. The matcher is lost with all of its backups.
    story.lose_matcher()
    story.bring_lists()
    story.submit(story.begin())
    story.audit()
