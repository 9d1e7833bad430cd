"""Five parties are set up by the documented commands alone, with TLS, and play a round."""

from __future__ import annotations

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support.ceremony_commands import ceremony_commands
from tests.support.process_world import AQUILA, World, free_port, paired_hits, rehearsed_hits
from tests.support.process_world import Service as Process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.e2e

PARTIES = {"AL": "Albania", "MK": "North Macedonia", "RS": "Serbia", "SI": "Slovenia", "XK": "Kosovo*"}
MOST_AT_A_PARTY, MOST_FOR_A_PARTY = 5, 2


@dataclass
class Operator:
    """An administrator's operator at one service: its folder, and the commands that were given there."""

    process: Process
    matcher_port: int
    folder: Path
    code: str = ""
    name: str = ""
    given: list[str] = field(default_factory=list)

    def give(self, command: str, typed: str = "") -> str:
        """Give a documented command, with the names of this place in it, and return its output.

        Args:
            command: As the operations page has it: of Slovenia, in the folders of a Debian system.
            typed: The line that the administrator types.
        """
        self.given.append(command)
        if command.startswith("systemctl enable --now aquila-"):
            self.process.start()
            return ""
        name = self.name or "Slovenia"
        command = command.replace("/var/lib/aquila/matcher", str(self.process.home))
        command = command.replace("/var/lib/aquila/node", str(self.process.home))
        command = command.replace("matcher.example.org:8700", f"localhost:{self.matcher_port}")
        command = command.replace("node.si.example:8701", f"localhost:{self.process.port}")
        command = command.replace("SI --name Slovenia", f"{self.code} --name '{name}'")
        command = command.replace("si.", f"{self.code.lower()}.")
        words = ["sh", "-c", command.replace("aquila", AQUILA, 1)]
        done = subprocess.run(
            words, capture_output=True, text=True, check=False, cwd=self.folder, input=f"{typed}\n" if typed else "",
            timeout=120, env=os.environ | {"HOME": str(self.folder)},
        )  # fmt: skip
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout + done.stderr


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[World]:
    """An empty world, whose processes are stopped at the end."""
    made = World(tmp_path / "world")
    made.root.mkdir()
    try:
        yield made
    finally:
        made.stop()


def _process(stage: World, name: str, kind: str) -> Process:
    process = Process(name, kind, stage.root / name, free_port())
    process.ca = process.home / "tls" / "ca.pem"
    stage.services[name] = process
    return process


def _folder(stage: World, name: str) -> Path:
    folder = stage.root / f"operator-{name}"
    folder.mkdir()
    return folder


def _read_aloud(output: str) -> str:
    """Return the words of an output, as an administrator reads them."""
    lines = [line.split() for line in output.splitlines() if line.startswith("    ")]
    return " ".join(word for line in lines for word in line if word.isalpha())


def _read_digits(output: str) -> str:
    """Return the digits of an output, as an administrator reads them."""
    lines = [line.split() for line in output.splitlines() if line.startswith("    ")]
    return " ".join(group for line in lines for group in line if group.isdigit())


def test_five_parties_by_the_documented_commands(stage: World, files: dict[str, Path], tmp_path: Path) -> None:
    """At most five commands at each party, two for each at the secretariat, and no edited file; a round over TLS."""
    first, for_each, at_each, at_last = ceremony_commands()
    matcher = _process(stage, "matcher", "matcher")
    secretariat = Operator(matcher, matcher.port, _folder(stage, "secretariat"))
    operators = {
        code: Operator(_process(stage, code, "node"), matcher.port, _folder(stage, code), code, name)
        for code, name in PARTIES.items()
    }
    # 1. The secretariat.
    for command in first:
        secretariat.give(command)
    # 2 and 3. The secretariat for each party, and each party.
    invite, admit = for_each
    for operator in operators.values():
        secretariat.code, secretariat.name = operator.code, operator.name
        secretariat.give(invite)
        _send(secretariat, operator, f"{operator.code.lower()}.invite")
        joined = operator.give(at_each[0])
        _send(operator, secretariat, f"{operator.code.lower()}.join")
        heard = _read_digits(joined) if operator.code == "XK" else _read_aloud(joined)
        assert f"Admitted: {operator.code}" in secretariat.give(admit, heard)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda operator: operator.give(at_each[1]), operators.values()))
    # 4. All together: Albania reads, and everyone types.
    conference = subprocess.run(
        [AQUILA, "party", "registry", "--home", str(operators["AL"].process.home)],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    words = _read_aloud(conference.stdout)
    for operator in operators.values():
        assert "Accepted." in operator.give(at_last[0], words)
    # The claim of the operations page.
    assert {len(operator.given) for operator in operators.values()} == {3}
    assert len(at_each) + len(at_last) <= MOST_AT_A_PARTY
    assert len(for_each) <= MOST_FOR_A_PARTY
    assert len(secretariat.given) == len(first) + len(for_each) * len(PARTIES)
    # Everyone has the same registry, and the secretariat sees it.
    view: Any = json.loads(subprocess.check_output(
        [AQUILA, "party", "registry", "--home", str(matcher.home), "--json"], timeout=120
    ))  # fmt: skip
    assert {one["party"]: one["accepted"] for one in view["parties"]} == dict.fromkeys(PARTIES, len(PARTIES))
    registries = {
        (operator.process.home / "registry.toml").read_bytes() for operator in (*operators.values(), secretariat)
    }
    assert len(registries) == 1
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{matcher.port}/health", timeout=10)
    _renew(secretariat, operators, min(files), at_last[0])
    _play(stage, files, tmp_path)


def _renew(secretariat: Operator, operators: dict[str, Operator], code: str, accept: str) -> None:
    """Let a party renew its identity key, by the commands of the operations page."""
    operator = operators[code]
    heard = _read_aloud(operator.give("aquila node renew-identity --home /var/lib/aquila/node"))
    _send(operator, secretariat, f"{code.lower()}.renewal")
    secretariat.code = code
    replace = "aquila matcher replace-key si.renewal --home /var/lib/aquila/matcher"
    assert f"The key of {code} is replaced" in secretariat.give(replace, heard)
    read: Any = json.loads(subprocess.check_output(
        [AQUILA, "party", "registry", "--home", str(operator.process.home), "--json"], timeout=120
    ))  # fmt: skip
    assert read["waiting"]["replaced"] == [code]
    for one in operators.values():
        shown = one.give(accept, " ".join(read["waiting"]["words"]))
        assert ("Restart the service" in shown) == (one is operator)
    operator.process.stop()
    operator.process.start()


def _send(sender: Operator, receiver: Operator, name: str) -> None:
    """Carry a file from one operator to another, as mail does."""
    (receiver.folder / name).write_bytes((sender.folder / name).read_bytes())


def _play(stage: World, files: dict[str, Path], tmp_path: Path) -> None:
    """Play a round of three of the parties, whose hits are the rehearsal's."""
    for code in set(PARTIES) - set(files):
        stage.services.pop(code).stop()
    players = [stage.matcher, *(stage.services[code] for code in files)]
    for process in players:
        stage._people(process)
    round_id = stage.propose(participants=sorted(files))
    nodes = [stage.services[code] for code in sorted(files)]
    stage.consent(round_id, *nodes)
    for node in nodes:
        stage.submit(node, round_id, stage.import_list(node, files[node.name]))
    stage.wait_for_hits(round_id)
    assert paired_hits(stage, round_id) == rehearsed_hits(files, tmp_path)
