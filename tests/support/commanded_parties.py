"""Parties and a secretariat who do everything by the commands of the operations page."""

import json
import re
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from clients.cli.exit_codes import ExitCode
from tests.support import manual
from tests.support.operators import Ceremony, Operator
from tests.support.persons import Pair, Person
from tests.support.process_world import AT_ONCE, THIS, Hit, Program, Service, World, paired_sides, rehearsed_hits

ROLES = (("officer", "analyst", "auditor"), ("approver", "auditor"))
AT_MATCHER = (("secretariat", "auditor"), ("secretariat", "auditor"))
ALARM_SECONDS = 120
"""For how long everybody waits after an alarm until all is as before."""


@dataclass
class CommandedParties:
    root: Path
    stage: World
    parties: Mapping[str, str]
    files: Mapping[str, Path]
    expected: set[Hit]
    ceremony: Ceremony = field(init=False)
    people: dict[str, Pair] = field(init=False)

    def __post_init__(self) -> None:
        self.ceremony = Ceremony(self.stage, self.parties)

    @property
    def nodes(self) -> list[Service]:
        return self.stage.nodes

    def admin(self, name: str) -> Operator:
        return self.ceremony.secretariat if name == "matcher" else self.ceremony.operators[name]

    def at_each(self, step: Callable[[Service], object], services: Iterable[Service] | None = None) -> None:
        """Let every party do something; several at a time."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(step, self.nodes if services is None else services))

    def set_up(self) -> None:
        """Hold the ceremony, let the people of every service enrol, and import the lists."""
        self.ceremony.hold()
        self.agree()
        self.meet()
        self.bring_lists()

    def meet(self) -> None:
        """Let the people of every service enrol, each at a machine of their own."""
        self.people = {one.name: Pair.at(one, self.root) for one in self.stage.services.values()}
        self.enrol_all()

    def enrol_all(self) -> None:
        """Let everybody enrol who has no account yet."""

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
            self.bring_list(self.people[node.name].first)

    def bring_list(self, officer: Person) -> None:
        shutil.copy(self.files[officer.process.name], officer.folder / "list.csv")
        officer.give(manual.command("Set up", "aquila call import_records"), NAME="list", FILE="list.csv")

    def propose(self) -> str:
        propose, _, _ = round_commands()
        parties = [f"participants={code}" for code in self.parties]
        asked = self.people["matcher"].do(propose.replace("participants=AL participants=SI ", ""), *parties)
        return str(asked["round_id"])

    def begin(self) -> str:
        round_id = self.propose()
        self.at_each(partial(self._consent, round_id))
        return round_id

    def see(self, round_id: str, node: Service) -> None:
        """Wait until a party knows a round."""
        officer, rounds = self.people[node.name].first, manual.command("Set up", "aquila call get_rounds")
        self.stage.until(lambda: round_id in json.dumps(officer.document(rounds)))

    def _consent(self, round_id: str, node: Service) -> None:
        self.see(round_id, node)
        self.people[node.name].do(manual.command("A round", "aquila call ask_consent"), ID=round_id, NUMBER="100")

    def submit(self, round_id: str) -> None:
        """Submit the list that every party imported last, and wait for everyone's hits: those of the rehearsal."""
        self.at_each(partial(self.submit_list, round_id))
        self.meet_hits(round_id)

    def meet_hits(self, round_id: str) -> None:
        """Wait for everyone's hits: those of the rehearsal."""
        hits: dict[str, Any] = {}

        def wait(node: Service) -> None:
            first, show = self.people[node.name].first, manual.command("A round", "aquila call get_round_hits")

            def answered() -> bool:
                found = first.document(show, ID=round_id)
                hits[node.name] = found["hits"]
                return bool(found["answers"]) and all(one["state"] == "answered" for one in found["answers"])

            self.stage.until(answered)

        self.at_each(wait)
        found = paired_sides(hits)
        assert found == self.expected, sorted(found ^ self.expected, key=str)

    def submit_list(self, round_id: str, node: Service) -> None:
        """Submit the list that a party imported last, as soon as the round is open."""
        pair, (_, submit, _) = self.people[node.name], round_commands()
        self.stage.until(lambda: self._phase(round_id, node) != "proposed")
        pair.do(submit, ID=round_id)

    def _phase(self, round_id: str, service: Service) -> str:
        show = manual.command("A round", "aquila call get_round")
        return str(self.people[service.name].first.document(show, ID=round_id)["entry"]["phase"])

    def close(self, round_id: str) -> None:
        """Close a round, and wait until it is over everywhere."""
        first = self.people["matcher"].first
        first.document(manual.command("A round", "aquila call post_close"), ID=round_id)
        everyone = self.stage.services.values()
        self.at_each(lambda one: self.stage.until(lambda: self._phase(round_id, one) == "closed"), everyone)

    def ask(self, round_id: str, code: str, person: str) -> Any:
        pair, (_, _, ask) = self.people[code], round_commands()
        fields = dict(zip(("given_names", "family_names", "date_of_birth"), person.split(";"), strict=True))
        (pair.first.folder / "persons.json").write_text(json.dumps([fields]), encoding="utf-8")
        pair.do(ask, ID=round_id, FILE="persons.json")
        show = manual.command("A round", "aquila call get_query submission_id=latest")
        answers: list[Any] = []

        def answered() -> bool:
            answers.append(pair.first.document(show))
            return all(one["state"] == "answered" for one in answers[-1]["parties"])

        self.stage.until(answered)
        [listed] = pair.first.document(manual.command("A round", "aquila call get_queries"))["queries"]
        assert listed["answer"] == "answered"
        return answers[-1]

    # Years

    def agree(self) -> None:
        """Wait until the secretariat sees that everyone has accepted the same registry."""

        def agreed() -> bool:
            shown = self.admin("matcher").read(manual.command("Set up", "aquila party registry"))
            accepted = {one["party"]: one["accepted"] for one in shown["parties"]}
            agreed_on = set(accepted.values())
            return accepted.keys() == self.parties.keys() and len(agreed_on) == 1 and None not in agreed_on

        self.stage.until(agreed)
        registries = {(one.home / "registry.toml").read_bytes() for one in self.stage.services.values()}
        assert len(registries) == 1

    def back_up(self, name: str, *secrets: str) -> Operator:
        """Put what a restore of a service needs into a safe, and make the daily backup; return who has the safe.

        Args:
            secrets: The files of its home, or of `tls` in it, that the backup leaves out.
        """
        service, folder, chapter = self.stage.services[name], self.root / "safe", "Backup and restore"
        folder.mkdir()
        safe = Operator(service, service.port, folder, self.admin(name).code)
        backup = manual.command(chapter, "aquila node backup --home /var/lib/aquila/node")
        safe.give(manual.command(chapter, "aquila backup-key --out backup.key"))
        safe.give(backup.replace("node", service.kind))
        [made] = folder.glob(f"{service.kind}-*.aquila")
        for secret in secrets:
            [kept] = (one for one in service.home.rglob(secret) if one.parent.name in {service.home.name, "tls"})
            shutil.copy(kept, folder)
        check = manual.command(chapter, "aquila node restore FILE --key backup.key --check")
        safe.give(check.replace("node", service.kind), FILE=made.name)
        return safe

    def audit(self, *more: str) -> None:
        """Let the auditors of all parties export their logs and compare them: nothing is unproven but these."""
        self.stage.until(partial(self._agree_in_their_logs, {"uncovered", *more}), ALARM_SECONDS)

    def _agree_in_their_logs(self, unproven: AbstractSet[str]) -> bool:
        """Export and compare all logs once; return whether none was exported before another service saw its end."""
        folder = self.root / f"audit-{len(list(self.root.glob('audit-*')))}"
        folder.mkdir()
        auditor = Operator(self.stage.services["AL"], 0, folder)
        shutil.copy(self.stage.services["AL"].home / "registry.toml", folder)
        self.at_each(partial(self._export, folder), self.stage.services.values())
        command = self.comparison("The log")
        if not compares(auditor, command.replace("matcher.tar", "secretariat.tar"), unproven):
            return False
        # A party's copy of the matcher's log omits entries; there are few in an hour.
        self.people["AL"].second.give(manual.command("The log", "aquila audit export --matcher"))
        shutil.move(self.people["AL"].second.folder / "matcher.tar", folder)
        return compares(auditor, command, unproven | {"left_out"})

    def comparison(self, section: str) -> str:
        """Return the command of a section that compares the matcher's log with those of all parties."""
        others = " ".join(f"--with {node.name}.tar" for node in self.nodes)
        command = manual.command(section, "aquila audit verify matcher.tar")
        return command.replace("--with RS.tar --with SI.tar", others)

    def _export(self, folder: Path, service: Service) -> None:
        """Export the log of a service, as soon as the newest cosignatures have come and it verifies by itself."""
        auditor, name = self.people[service.name].second, "secretariat" if service.kind == "matcher" else service.name
        verify = manual.command("The log", "aquila audit verify log.tar --registry")
        shutil.copy(service.home / "registry.toml", auditor.folder)

        def verifies() -> bool:
            (auditor.folder / "log.tar").unlink(missing_ok=True)
            auditor.give(manual.command("The log", "aquila audit export --out log.tar"))
            return bool(auditor.document(verify, ends_with=(ExitCode.DONE, ExitCode.REFUSED)))

        self.stage.until(verifies, ALARM_SECONDS)
        (auditor.folder / "log.tar").replace(folder / f"{name}.tar")


def expected_hits(files: Mapping[str, Path], scratch: Path, program: Program = THIS) -> set[Hit]:
    """Return the hits of a round that the command proposes, by a rehearsal with the padding that such a round has."""
    return rehearsed_hits(files, scratch, program, padding="default")


def compares(auditor: Operator, command: str, unproven: Collection[str]) -> bool:
    """Compare logs that were exported one after another.

    Returns:
        Whether it could be done: a log may have been exported just before another service saw its last entry.
    """
    said = auditor.give(f"{command} --json", ends_with=(ExitCode.DONE, ExitCode.REFUSED))
    if re.search("export (it )?again", said):
        return False
    beyond = [found for found in json.loads(said)["unproven"] if found["what"] not in unproven]
    if any(found["what"] == "not_entered" for found in beyond):  # a statement that was on its way
        return False
    assert not beyond, beyond
    return True


def is_quiet(runbook: str, operators: Iterable[Operator]) -> bool:
    """Acknowledge the alarms of some services by the command of a runbook, and return whether none was left."""
    found = [(operator, number) for operator in operators for number in alarms_of(operator)]
    for operator, number in found:
        command = manual.command(runbook, "aquila call post_acknowledge")
        operator.give(f"{command} --home HOME", NUMBER=str(number))
    return not found


def alarms_of(operator: Operator) -> list[int]:
    """Return the alarms of a service that nobody has acknowledged, as its administrator sees them."""
    status = operator.read(manual.command("A node's machine is lost", "aquila audit status"))
    return [one["alarm_id"] for one in status["alarms"] if one["acknowledged_at"] is None]


def round_commands() -> list[str]:
    """Return the commands by which a round is proposed, a list submitted, and a person asked for."""
    [block] = manual.blocks("A round")
    propose, submit, ask = block.replace("\\\n", " ").strip().splitlines()
    return [" ".join(one.split()) for one in (propose, submit, ask)]
