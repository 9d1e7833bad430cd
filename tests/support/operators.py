"""Operators of services as real processes, who give the commands of the operations page, and their ceremony."""

import json
import re
import shlex
import subprocess
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from tests.support import manual
from tests.support.process_world import AT_ONCE, CHEAP_PASSWORDS, Program, World, free_port
from tests.support.process_world import Service as Process

WAITS = re.compile('The registry waits for a second person|"kind": "registry"')
FIVE_PARTIES = {"AL": "Albania", "MK": "North Macedonia", "RS": "Serbia", "SI": "Slovenia", "XK": "Kosovo*"}


@dataclass
class Operator:
    """An administrator's operator at one service: its folder, and the commands that were given there."""

    process: Process
    matcher_port: int
    folder: Path
    code: str = ""
    name: str = ""
    given: list[str] = field(default_factory=list)

    def give(self, command: str, typed: str = "", ends_with: Collection[int] = (0,), **places: str) -> str:
        """Give a documented command, with the names of this place in it, and return its output.

        Args:
            command: As the operations page has it: of Slovenia, in the folders of a Debian system.
            places: What words in capitals stand for, such as `FILE`; `HOME` is the service's.
        """
        self.given.append(command)
        match command.split():
            case ["systemctl", "stop", _]:
                self.process.stop()
                return ""
            case ["systemctl", "restart", _]:
                if self.process.process is not None:
                    self.process.stop()
                self.process.start()
                return ""
            case ["systemctl", *_, _]:
                self.process.start()
                return ""
        name = self.name or "Slovenia"
        command = command.replace("/var/lib/aquila/matcher", str(self.process.home))
        command = command.replace("/var/lib/aquila/node", str(self.process.home))
        for folder in ("/etc/aquila", "/srv/backup"):
            command = command.replace(folder, str(self.folder))
        command = command.replace("matcher.example.org:8700", f"localhost:{self.matcher_port}")
        command = command.replace("node.si.example:8701", f"localhost:{self.process.port}")
        command = command.replace("SI --name Slovenia", f"{self.code} --name '{name}'")
        command = command.replace("si.", f"{self.code.lower()}.")
        done = self._run(command, typed, places, ends_with)
        if WAITS.search(done.stdout):
            self.process.approve_registry()  # somebody else sees it, and approves it
        return done.stdout + done.stderr

    def read(self, command: str, **places: str) -> Any:
        """Return the document that a command gives about the home of the service; arguments as `give`."""
        return self.document(f"{command} --home HOME", **places)

    def document(self, command: str, *more: str, ends_with: Collection[int] = (0,), **places: str) -> Any:
        """Give a documented command, and return the document that it prints.

        Returns:
            The document; nothing where an error took its place.
        """
        done = self._run(f"{command} {shlex.join([*more, '--json'])}", "", places, ends_with)
        return json.loads(done.stdout) if done.stdout else {}

    def _run(
        self, command: str, typed: str, places: Mapping[str, str], ends_with: Collection[int] = (0,)
    ) -> CompletedProcess[str]:
        command = at_this_place(command, {"HOME": str(self.process.home), **places})
        program, (first, *words) = self.process.program, words_of(command)
        if first != "aquila":
            program, words = Program(("sh",)), ["-c", command]
        environment = {"HOME": str(self.folder)}
        done = program.run(words, environment, f"{typed}\n" if typed else "", folder=self.folder)
        assert done.returncode in ends_with, f"{command}: {done.stdout}{done.stderr}"
        return done


def at_this_place(command: str, places: Mapping[str, str]) -> str:
    """Return a command with what words stand for at this place, alone or as the value of a parameter."""
    for place, here in places.items():
        command = re.sub(rf"(?<![^ =@]){re.escape(place)}(?![^ ])", lambda _, here=here: here, command)
    return command


def words_of(command: str) -> list[str]:
    """Return the words of a command as a shell makes them of it: some have the date in a file's name."""
    if "$(" not in command:
        return shlex.split(command)
    return subprocess.check_output(["/bin/sh", "-c", f"printf '%s\\0' {command}"], text=True).split("\0")[:-1]


@dataclass
class Ceremony:
    stage: World
    parties: Mapping[str, str]
    secretariat: Operator = field(init=False)
    operators: dict[str, Operator] = field(init=False)
    before_start: Callable[[Operator], object] = lambda _: None

    def __post_init__(self) -> None:
        matcher = self._process("matcher", "matcher")
        self.secretariat = Operator(matcher, matcher.port, self._folder("secretariat"))
        self.operators = {
            code: Operator(self._process(code, "node"), matcher.port, self._folder(code), code, name)
            for code, name in self.parties.items()
        }

    def hold(self) -> None:
        """Go through its four steps, and assert the number of commands that the page claims."""
        first, for_each, at_each, [accept] = (block.strip().splitlines() for block in manual.blocks("Set up"))
        # 1. The secretariat.
        init, *then = first
        self.secretariat.give(init)
        self._prepare(self.secretariat)
        for command in then:
            self.secretariat.give(command)
        # 2 and 3. The secretariat for each party, and each party.
        invite, admit = for_each
        for operator in self.operators.values():
            self.secretariat.code, self.secretariat.name = operator.code, operator.name
            self.secretariat.give(invite)
            send(self.secretariat, operator, f"{operator.code.lower()}.invite")
            joined = operator.give(at_each[0])
            self._prepare(operator)
            send(operator, self.secretariat, f"{operator.code.lower()}.join")
            heard = read_digits(joined) if operator.code == "XK" else read_aloud(joined)
            assert WAITS.search(self.secretariat.give(admit, heard))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda operator: operator.give(at_each[1]), self.operators.values()))
        # 4. All together: the first one reads, and everyone types.
        reader, *_ = self.operators.values()
        waiting = reader.read(manual.command("Set up", "aquila party registry"))["waiting"]
        for operator in self.operators.values():
            assert WAITS.search(operator.give(accept, " ".join(waiting["words"])))
        assert {len(operator.given) for operator in self.operators.values()} == {len(at_each) + 1}
        assert len(self.secretariat.given) == len(first) + len(for_each) * len(self.parties)

    def _prepare(self, operator: Operator) -> None:
        """Let a service take the least of a machine where the world is frugal, and do what belongs to the test."""
        if self.stage.frugal:
            settings = operator.process.home / f"{operator.process.kind}.toml"
            settings.write_text(f"workers = 1\n{settings.read_text()}{CHEAP_PASSWORDS}")
        self.before_start(operator)

    def renew_identity(self, code: str) -> None:
        """Let a party renew its identity key, by the commands of the section about it."""
        section, operator = "A party renews its identity key", self.operators[code]
        heard = read_aloud(operator.give(manual.command(section, "aquila node renew-identity --home HOME")))
        send(operator, self.secretariat, f"{code.lower()}.renewal")
        self.secretariat.code = code
        replace = manual.command(section, "aquila call post_renewal") + " --home HOME"
        assert WAITS.search(self.secretariat.give(replace, heard))
        waiting = operator.read("aquila party registry")["waiting"]
        assert waiting["replaced"] == [code]
        for one in self.operators.values():
            accept = manual.command(section, "aquila party accept --home HOME")
            assert WAITS.search(one.give(accept, " ".join(waiting["words"])))
            assert one.read("aquila party registry")["restart_needed"] == (one is operator)
        operator.give(manual.command(section, "systemctl restart"))

    def _process(self, name: str, kind: str) -> Process:
        before = self.stage.services.get(name)  # where all begin anew, a service has the address that it had
        process = Process(
            name,
            kind,
            self.stage.root / name,
            before.port if before else free_port(),
            program=self.stage.programs.get(name, self.stage.program),
        )
        process.ca = process.home / "tls" / "ca.pem"
        self.stage.services[name] = process
        return process

    def _folder(self, name: str) -> Path:
        folder = self.stage.root / f"operator-{name}"
        folder.mkdir(exist_ok=True)
        return folder


def send(sender: Operator, receiver: Operator, name: str) -> None:
    """Carry a file from one operator to another, as mail does."""
    (receiver.folder / name).write_bytes((sender.folder / name).read_bytes())


def read_aloud(output: str) -> str:
    lines = [line.split() for line in output.splitlines() if line.startswith("    ")]
    return " ".join(word for line in lines for word in line if word.isalpha())


def read_digits(output: str) -> str:
    lines = [line.split() for line in output.splitlines() if line.startswith("    ")]
    return " ".join(group for line in lines for group in line if group.isdigit())
