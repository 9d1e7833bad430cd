"""Three parties follow the runbooks of the operations page, one disaster after another, and play a round after each.

`test_ten_years` loses a node's machine, and a matcher without a backup. The services' own `test_backup`
has what becomes of rounds, caps and records when a machine is lost.
"""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from clients.cli.exit_codes import ExitCode
from services.node.storage.home import DATABASE_FILE
from tests.support import manual
from tests.support.commanded_parties import (
    ALARM_SECONDS,
    ROLES,
    CommandedParties,
    alarms_of,
    compares,
    expected_hits,
    is_quiet,
)
from tests.support.loaded_program import LOADED
from tests.support.operators import Operator, read_aloud, send
from tests.support.persons import Person
from tests.support.process_world import Service, World

pytestmark = [pytest.mark.e2e, pytest.mark.soak]

PARTIES = {"AL": "Albania", "MK": "North Macedonia", "RS": "Serbia"}
WHY = "'as the runbook says'"
SECRETS = ("identity.pem", "people.key", "ca.key", "service.key")


@dataclass
class Disasters(CommandedParties):
    @property
    def administrators(self) -> list[Operator]:
        return [self.admin(node.name) for node in self.nodes]

    def play(self) -> None:
        """Play a round up to its end: its hits are those of the rehearsal."""
        round_id = self.begin()
        self.submit(round_id)
        self.close(round_id)

    # Copies

    def copy_database(self, code: str) -> Path:
        node, copy = self.stage.services[code], self.root / f"{code}.copy"
        node.stop()
        shutil.copy(node.home / DATABASE_FILE, copy)
        node.start()
        return copy

    def restore_database(self, code: str, copy: Path, round_id: str) -> None:
        """Put an older database into place in the middle of a round."""
        runbook, node, administrator = "A database was restored", self.stage.services[code], self.admin(code)
        administrator.give(manual.command(runbook, "systemctl stop"))
        for file in node.home.glob(f"{DATABASE_FILE}*"):
            file.unlink()
        shutil.copy(copy, node.home / DATABASE_FILE)
        administrator.give(manual.command(runbook, "systemctl start"))
        self.acknowledge(runbook, (administrator, self.admin("matcher")))
        self.abort(runbook, round_id, [node])

    def lose_matcher(self, safe: Operator, unknown: str) -> None:
        """Lose the matcher's machine, with a round that its backup does not know."""
        runbook = "The matcher is lost"
        safe.process.kill()
        shutil.rmtree(safe.process.home)
        [backup] = safe.folder.glob("matcher-*.aquila")
        safe.give(manual.command(runbook, "aquila matcher restore FILE"), FILE=backup.name)
        safe.give(manual.command(runbook, "systemctl start"))
        for person in (self.people["matcher"].first, self.people["matcher"].second):
            person.sign_in()
        self.stage.until(lambda: all(map(alarms_of, self.administrators)), ALARM_SECONDS)
        self.acknowledge(runbook, (safe, *self.administrators))
        self.abort(runbook, unknown, self.nodes)

    def acknowledge(self, runbook: str, operators: Sequence[Operator]) -> None:
        self.stage.until(lambda: bool(alarms_of(operators[0])), ALARM_SECONDS)
        self.stage.until(partial(is_quiet, runbook, operators), ALARM_SECONDS)

    def abort(self, runbook: str, round_id: str, nodes: Iterable[Service]) -> None:
        command = manual.command(runbook, "aquila call abort_round")

        def is_over(node: Service) -> bool:
            if not is_quiet(runbook, [self.admin(node.name)]):
                return False
            officer = self.people[node.name].first
            rounds = officer.document(manual.command("Set up", "aquila call get_rounds"))["rounds"]
            if {one["round_id"]: one["phase"] for one in rounds}.get(round_id) == "aborted":
                return True
            officer.document(command, ends_with=(ExitCode.DONE, ExitCode.REFUSED), ID=round_id, TEXT=WHY)
            return False

        self.at_each(lambda node: self.stage.until(partial(is_over, node), ALARM_SECONDS), nodes)

    def rewrite_log(self) -> None:
        """The matcher's machine goes back to an older copy, and says something else than before while nobody hears."""
        runbook, matcher, copy = "A log was rewritten", self.stage.matcher, self.root / "matcher.copy"
        matcher.stop()
        shutil.copytree(matcher.home, copy)
        matcher.start()
        # Who sees the second one has seen a log in which the first one is.
        unknown = [self.propose_and_see() for _ in range(2)]
        for service in self.stage.services.values():
            service.stop()
        shutil.rmtree(matcher.home)
        copy.rename(matcher.home)
        matcher.start()
        for _ in range(3):
            self.propose()
        for node in self.nodes:
            node.start()
        self.stage.until(lambda: all(map(alarms_of, self.administrators)), ALARM_SECONDS)
        # 1 and 2. Everybody looks, and the auditors keep the logs as they are.
        for name in self.stage.services:
            self.admin(name).read(manual.command(runbook, "aquila audit status"))
        auditors = {name: pair.second for name, pair in self.people.items() if name in self.stage.services}
        for auditor in auditors.values():
            auditor.give(manual.command(runbook, "aquila audit export --out log.tar"))
            if auditor.process is not matcher:
                auditor.give(manual.command(runbook, "aquila audit export --matcher"))
        # 3. One of them compares: the parties hold what the matcher does not.
        comparing = auditors["AL"]
        shutil.copy(self.stage.services["AL"].home / "registry.toml", comparing.folder)
        for name, auditor in auditors.items():
            shutil.copy(auditor.folder / "log.tar", comparing.folder / f"{name}.tar")
        said = comparing.give(self.comparison(runbook), ends_with=[ExitCode.REFUSED])
        assert "the log of matcher forked" in said
        # 4. The secretariat has explained it.
        self.acknowledge(runbook, (*self.administrators, self.admin("matcher")))
        for round_id in unknown:
            self.abort(runbook, round_id, self.nodes)

    def propose_and_see(self) -> str:
        round_id = self.propose()
        self.at_each(partial(self.see, round_id))
        return round_id

    # Rounds that do not go on

    def unstick(self, code: str) -> None:
        runbook, round_id, late = "A round is stuck", self.begin(), self.stage.services[code]
        late.stop()
        self.at_each(partial(self.submit_list, round_id), [node for node in self.nodes if node is not late])
        # 1 and 2. Everybody looks, and the one for which all wait is called.
        for name, service in self.stage.services.items():
            command = manual.command(runbook, f"aquila {service.kind} status")
            shown = self.admin(name).document(f"{command} --home HOME", ends_with=[2 if service is late else 0])
            if service is not late:
                [waiting] = (one["awaited"] for one in shown["rounds"] if one["round_id"] == round_id)
                assert (code, "list") in {(one["party"], one["step"]) for one in waiting}
        self.admin(code).give(manual.command(runbook, "aquila doctor"))
        self.admin(code).give(manual.command(runbook, "systemctl restart aquila-node"))
        self.submit_list(round_id, late)
        self.meet_hits(round_id)
        # 5. It is given up all the same.
        self.abort(runbook, round_id, self.nodes)

    # Keys

    def replace_key(self, code: str, *, steal: bool) -> None:
        runbook, victim, secretariat = "An identity key is stolen", self.admin(code), self.admin("matcher")
        auditors = {node.name: self.people[node.name].second for node in self.nodes}
        self.audit()  # a theft is noticed later than a second after a round, when its last checkpoints are cosigned
        # 3. The logs before anything changes.
        other = next(auditor for name, auditor in auditors.items() if name != code)
        compare = manual.command(runbook, "aquila audit verify matcher.tar").replace("log.tar", f"{code}.tar")
        self.stage.until(lambda: self.keep_logs(runbook, auditors[code], other, compare), ALARM_SECONDS)
        # 4. Another key.
        renew = manual.command(runbook, "aquila node renew-identity --lost --home HOME")
        if not steal:
            (victim.process.home / "identity.pem").unlink()
        heard = read_aloud(victim.give(renew))
        # 5. The secretariat revokes the old one.
        send(victim, secretariat, f"{code.lower()}.renewal")
        secretariat.code = code
        secretariat.give(manual.command(runbook, "aquila call post_renewal") + " --home HOME", heard)
        # 6. Everybody accepts.
        if not steal:
            victim.give(manual.command(runbook, "systemctl restart aquila-node"))
        self.accept(runbook, victim)
        victim.give(manual.command(runbook, "systemctl restart aquila-node"))
        # 7. What was said in this party's name.
        shutil.copy(other.process.home / "registry.toml", other.folder)
        other.document(compare)

    def keep_logs(self, runbook: str, victim: Person, other: Person, compare: str) -> bool:
        """Let the auditors of two parties export a log each; return whether these can be compared."""
        for auditor, kept in ((victim, "log.tar"), (other, "matcher.tar")):
            (auditor.folder / kept).unlink(missing_ok=True)
        victim.give(manual.command(runbook, "aquila audit export --out log.tar"))
        other.give(manual.command(runbook, "aquila audit export --matcher"))
        shutil.copy(victim.folder / "log.tar", other.folder / f"{victim.process.name}.tar")
        shutil.copy(other.process.home / "registry.toml", other.folder)
        return compares(other, compare, {"left_out", "uncovered"})

    def replace_matchers_key(self) -> None:
        runbook, secretariat = "An identity key is stolen", self.admin("matcher")
        renew = manual.command(runbook, "aquila matcher renew-identity")
        secretariat.give(f"{renew} --revoke --home HOME")
        secretariat.give(manual.command(runbook, "systemctl restart aquila-matcher"))
        self.accept(runbook, self.admin("AL"))

    def accept(self, runbook: str, reader: Operator) -> None:
        waiting: list[Any] = []

        def waits() -> bool:
            waiting.append(reader.read(manual.command("Set up", "aquila party registry"))["waiting"])
            return waiting[-1] is not None

        self.stage.until(waits, ALARM_SECONDS)
        command = manual.command(runbook, "aquila party accept")
        for operator in self.administrators:
            operator.give(f"{command} --home HOME", " ".join(waiting[-1]["words"]))

    # Certificates and people

    def renew_certificates(self) -> None:
        runbook = "A certificate has expired"
        for service in self.stage.services.values():
            administrator = self.admin(service.name)
            for command in ("aquila doctor", f"aquila {service.kind} renew-certificate", "aquila doctor"):
                administrator.give(manual.command(runbook, command))

    def lose_officer(self, code: str) -> None:
        runbook, pair, administrator = "An officer or an administrator has gone", self.people[code], self.admin(code)
        gone = pair.first
        administrator.give(manual.command(runbook, "aquila call post_deactivate") + " --home HOME", LOGIN=gone.login)
        pair.second.document(manual.command(runbook, "aquila call get_approvals"))
        folder = self.root / f"successor-{code}"
        folder.mkdir()
        successor = Person(gone.process, gone.matcher_port, folder, code, login=f"third-{code.lower()}")
        successor.enrol(administrator, ROLES[0])
        self.bring_list(successor)
        self.people[code] = type(pair)(successor, pair.second)
        local = manual.command(runbook, "aquila --as local call post_account")
        administrator.give(f"{local} --home HOME", LOGIN="administrator-2")

    def leave(self, code: str) -> None:
        runbook, leaving = "A party leaves", self.stage.services[code]
        self.people[code].second.give(manual.command(runbook, "aquila audit export"))
        self._export(self.root, self.stage.matcher)
        secretariat = self.admin("matcher")
        secretariat.give(manual.command(runbook, "aquila call post_removal") + " --home HOME", CODE=code)
        leaving.stop()
        del self.stage.services[code]
        self.parties = {one: name for one, name in self.parties.items() if one != code}
        self.accept(runbook, self.admin(min(self.parties)))


@pytest.fixture
def story(tmp_path: Path, files: dict[str, Path]) -> Iterator[Disasters]:
    """Three parties, who have held the ceremony and imported their lists."""
    (tmp_path / "world").mkdir()
    stage = World(tmp_path / "world", program=LOADED, frugal=True, poll_seconds=1)
    made = Disasters(tmp_path, stage, PARTIES, files, expected_hits(files, tmp_path, LOADED))
    try:
        made.set_up()
        yield made
    finally:
        stage.stop()


def test_disasters(story: Disasters) -> None:
    # Keys.
    story.play()
    story.replace_key("MK", steal=True)
    story.play()
    story.replace_key("RS", steal=False)
    story.replace_matchers_key()
    story.play()
    # Certificates, people, a round that waits, and a party.
    story.renew_certificates()
    story.lose_officer("AL")
    story.unstick("RS")
    story.play()
    story.audit()
    story.leave("MK")
    left = {code: path for code, path in story.files.items() if code != "MK"}
    story.expected = expected_hits(left, story.root, LOADED)
    story.play()
    story.audit()
    # The matcher's log.
    story.rewrite_log()
    story.play()
    # A database, in the middle of a round.
    copy = story.copy_database("RS")
    story.play()
    story.restore_database("RS", copy, story.begin())
    story.bring_lists()
    story.play()
    # The matcher, with a round that its backup does not know.
    safe = story.back_up("matcher", *SECRETS)
    story.play()
    story.lose_matcher(safe, story.begin())
    story.play()
