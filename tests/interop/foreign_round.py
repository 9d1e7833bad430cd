"""Rounds of two nodes of ours, the real matcher, and a third party whose node is somebody else's program.

    python -m tests.interop.foreign_round MAIN.mjs [--rules exact|default]

plays one round with `node MAIN.mjs CONFIG`, and says what the matcher answered to that node's failed calls, what each
side has of the hits, and what differs. `tests/interop/README.md` tells what stands in CONFIG and what the node writes.
"""

import argparse
import csv
import hashlib
import json
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Self

from aquila.crypto.keys import IdentityKey, VerifyKey
from tests.interop.between import Between, Call
from tests.interop.lies import LIES
from tests.support.loaded_program import LOADED
from tests.support.process_world import JUSTIFICATION, WAIT_SECONDS, Hit, Service, World, rehearsed_hits

OURS = ("AL", "MK")
PADDING = {"inputs_per_record": [2, 8], "records_multiple": 8}
CHUNK_ELEMENTS = 160
"""So many that a list is one chunk by the exact rules, and some of each class by the default ones."""
_LOOK_SECONDS = 0.1
_STOP_SECONDS = 10.0

COLUMNS = ("record_id", "given_names", "family_names", "date_of_birth", "document_numbers")
PEOPLE = {
    "AL": [
        ("Jusuf", "Djordjević", "1979-11-02"),
        ("Stojan", "Petrovski", "1971-05-30"),
        ("Ardit", "Hoxha", "1984-03-12"),
        ("Besnik", "Krasniqi", "1990"),
        ("Mirjeta", "Berisha", "1992-08-24"),
        ("Agim", "Shala", "1975"),
        ("Luan", "Morina", "1981-07-09"),
        ("Fatmir", "Gashi", "1966-02-20"),
    ],
    "MK": [
        ("Jusuf", "Gjorgjevikj", "1979-11-02"),
        ("Стојан", "Петровски", "1971-05-30"),
        ("Ардит", "Хоџа", "1984-12-03"),
        ("Мирјета", "Бериша", "1992-08-24"),
        ("Ана Марија", "Костова", "1988-01-09"),
        ("Agim", "Sala", "1975-10-03"),
        ("Lulzim", "Morina", "1981-07-09"),
    ],
}
OTHERS = [
    ("Јусуф", "Ђорђевић", "1979-11-02"),
    ("Stojan", "Petrovski", "1971-05-30"),
    ("Besnik", "Krasniqi", "1990-04-01"),
    ("Mirjeta", "Berisha", "1992-08-25"),
    ("Марија Ана", "Костова", "1988-01-09"),
    ("Agim", "", "1975-10-03"),
    ("Луан", "Мориња", "1981"),
    ("Fatmir", "Gashi", "1968-02-20"),
]
"""Persons of three parties, in both scripts: known to all, to two, and near misses of each kind."""


STRANGERS = 9
"""The persons of each list that no other has."""


def _stranger(code: str, number: int) -> tuple[str, str, str]:
    """Return names that sound like nobody else's, and a date of birth."""
    drawn = hashlib.sha256(f"{code} {number}".encode()).digest()
    letters = [("bdfgklmnprstvz"[one % 14], "aeiou"[one // 14 % 5]) for one in drawn[:8]]
    given, family = ("".join(map("".join, part)).title() for part in (letters[:3], letters[3:]))
    return given, family, f"19{50 + drawn[8] % 50}-{1 + drawn[9] % 12:02}-{2 + drawn[10] % 27:02}"


class SideHit(NamedTuple):
    """A hit as one side has it."""

    counterpart: str
    record_id: str
    level: str
    families: tuple[str, ...]
    state: str
    """Whether it is confirmed (PROTOCOL.md 3.7.8)."""
    reference: str | None
    their_reference: str | None


@dataclass
class ForeignNode:
    """A party whose node is somebody else's program, with a folder and an identity key of its own."""

    code: str
    folder: Path
    seed: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.state.mkdir(parents=True)
        self.card.write_text(
            f'[[party]]\ncode = "{self.code}"\nname = "Party {self.code}"\nidentity_key = "{self.key.hex}"\n'
        )

    @property
    def key(self) -> VerifyKey:
        return IdentityKey(self.seed).public

    @property
    def card(self) -> Path:
        """The party's card, a piece of a registry file."""
        return self.folder / "card.toml"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def printed(self) -> Path:
        """What the program prints, on both streams."""
        return self.folder / "printed.txt"

    @property
    def faults(self) -> list[dict[str, str | None]]:
        """What the program says that it noticed."""
        path = self.state / "faults.json"
        return list(json.loads(path.read_text("utf-8"))) if path.exists() else []

    def start(self, program: Path, matcher: Service, records: Path) -> None:
        """Write the settings, and start the program with them."""
        shutil.copy(matcher.home / "registry.toml", self.folder)
        settings = {
            "party": self.code,
            "identity_seed": self.seed.hex(),
            "matcher": {"url": matcher.reached_at, "ca": str(matcher.ca)},
            "registry": str(self.folder / "registry.toml"),
            "records": str(records),
            "justification": JUSTIFICATION | {"officer": "p-0123456789ab"},
            "contact": f"Unit of {self.code}",
            "state": str(self.state),
            "poll_seconds": 0.1,
        }
        config = self.folder / "config.json"
        config.write_text(json.dumps(settings, indent=2))
        node = shutil.which("node")
        assert node, "install Debian's nodejs"
        with self.printed.open("ab") as printed:
            words = [node, str(program), str(config)]
            self.process = subprocess.Popen(words, stdout=printed, stderr=subprocess.STDOUT)

    def ended(self) -> int | None:
        """Return the program's exit status, or None while it runs."""
        return self.process.poll() if self.process else None

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(_STOP_SECONDS)

    def hits(self) -> dict[str, SideHit]:
        """Return the program's hits by id, as it wrote them."""
        path = self.state / "hits.json"
        found = json.loads(path.read_text("utf-8")) if path.exists() else []
        return {
            one["hit_id"]: SideHit(
                one["counterpart"],
                one["record_id"],
                one["level"],
                tuple(one["families"]),
                one["state"],
                one["reference"],
                (one["note"] or {}).get("reference"),
            )
            for one in found
        }


@dataclass
class ForeignWorld:
    """A matcher, two nodes of ours, and parties whose nodes are somebody else's; each plays one round.

    Attributes:
        root: An empty folder.
        program: What `node` runs for a foreign party.
        codes: The foreign parties.
    """

    root: Path
    program: Path
    codes: Sequence[str]

    def __post_init__(self) -> None:
        self.foreign = {code: ForeignNode(code, self.root / "foreign" / code) for code in self.codes}
        self.between = Between(self.root)
        self.world = World(
            self.root,
            tls=True,
            frugal=True,
            program=LOADED,
            cards=[node.card for node in self.foreign.values()],
            before_matcher=self.between.before,
        )

    def __enter__(self) -> Self:
        """Make all homes, and start our services."""
        try:
            self.world.make(list(OURS))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.foreign.values():
            node.stop()
        self.world.stop()
        self.between.stop()


@dataclass
class ForeignRound:
    """A round of our two nodes and a foreign one."""

    foreign: ForeignWorld
    code: str
    rules: str = "exact"
    seconds: float = WAIT_SECONDS
    round_id: str = ""

    def __post_init__(self) -> None:
        self.world, self.node = self.foreign.world, self.foreign.foreign[self.code]
        self.files = {code: self._write_list(code) for code in (*OURS, self.code)}

    def _write_list(self, code: str) -> Path:
        """Write a party's list: the persons that are meant to meet, and some that nobody else has."""
        path = self.node.folder / f"{code}.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(COLUMNS)
            for number, (given, family, born) in enumerate(PEOPLE.get(code, OTHERS)):
                writer.writerow([f"{code}-{number}", given, family, born, f"{code}777{number}55"])
            for number in range(STRANGERS):
                writer.writerow([f"{code}-s{number}", *_stranger(code, number), ""])
        return path

    def begin(self, lie: str = "") -> None:
        """Start the foreign node, propose a round of all three, and let our nodes consent and submit when they can.

        Args:
            lie: What the foreign node is told that is not so, a name of `LIES`, if anything.
        """
        change = LIES[lie](self._keys(), self.code, OURS[0]) if lie else None
        self.foreign.between.watch(self.node.key.fingerprint, change)
        self.node.start(self.foreign.program, self.world.matcher, self.files[self.code])
        parties = sorted((*OURS, self.code))
        terms = {"rules": self.rules, "padding": PADDING, "chunk_elements": CHUNK_ELEMENTS}
        self.round_id = self.world.propose(participants=parties, **terms)
        self.world.consent(self.round_id)
        self.wait("consents", lambda: all(self.world.is_open(node, self.round_id) for node in self.world.nodes))
        for node in self.world.nodes:
            self.world.submit(node, self.round_id, self.world.import_list(node, self.files[node.name]))

    def _keys(self) -> dict[str, IdentityKey]:
        homes = {service.name: service.home for service in self.world.services.values()}
        return {name: IdentityKey.from_pem((home / "identity.pem").read_bytes()) for name, home in homes.items()}

    def play(self, lie: str = "") -> None:
        """Play the round to its end; arguments as `begin`."""
        self.begin(lie)
        self.wait("hits", lambda: self.world.has_hits(self.round_id))
        self.wait("notes", self.all_confirmed)
        self.world.ask_to_close(self.round_id)
        self.wait("the end", lambda: self.world.is_closed(self.round_id))

    def wait(self, what: str, true: Callable[[], object]) -> None:
        """Wait until something holds.

        Raises:
            WaitedInVainError: It did not in time, or the foreign node ended with an error.
        """
        end = time.monotonic() + self.seconds
        while not true():
            status = self.node.ended()
            if status:  # with 0 it ends when it has no round left that is open
                raise WaitedInVainError(f"waiting for {what}: the foreign node ended with status {status}")
            if time.monotonic() > end:
                raise WaitedInVainError(f"waited in vain for {what}")
            time.sleep(_LOOK_SECONDS)

    def all_confirmed(self) -> bool:
        """Say whether every hit of our nodes, and of the foreign one, is confirmed."""
        return all(hit.state == "confirmed" for hits in self.sides().values() for hit in hits.values())

    def sides(self) -> dict[str, dict[str, SideHit]]:
        """Return the hits of each party by id."""
        return {node.name: self._own_hits(node) for node in self.world.nodes} | {self.code: self.node.hits()}

    def _own_hits(self, node: Service) -> dict[str, SideHit]:
        found = {}
        for hit in self.world.hits(node, self.round_id):
            exchange = hit["exchange"] or {"state": "unconfirmed", "reference": None, "note": None}
            found[hit["hit_id"]] = SideHit(
                hit["counterpart"],
                hit["record_id"],
                hit["certainty"],
                tuple(hit["families"]),
                exchange["state"],
                exchange["reference"],
                (exchange["note"] or {}).get("reference"),
            )
        return found

    def expected(self) -> set[Hit]:
        """Return the hits that a rehearsal of the same lists gives."""
        return rehearsed_hits(self.files, self.node.folder, LOADED, rules=self.rules)


class WaitedInVainError(AssertionError):
    """A step of a round did not come."""


def differences(sides: Mapping[str, Mapping[str, SideHit]], expected: set[Hit]) -> list[str]:
    """Return what differs between both sides of each hit, and between all hits and those that are expected."""
    found, pairs = [], set[Hit]()
    for hit_id in sorted({one for hits in sides.values() for one in hits}):
        both = {party: hits[hit_id] for party, hits in sides.items() if hit_id in hits}
        if len(both) != 2:
            found.append(f"{hit_id}: of {', '.join(both)} alone")
            continue
        (left, one), (right, other) = sorted(both.items())
        if (one.counterpart, other.counterpart) != (right, left):
            found.append(
                f"{hit_id}: {left} and {right} name the counterparts {one.counterpart} and {other.counterpart}"
            )
        if (one.level, one.families, one.state) != (other.level, other.families, other.state):
            found.append(f"{hit_id}: {left} has {one}, {right} has {other}")
        if (one.reference, one.their_reference) != (other.their_reference, other.reference):
            found.append(f"{hit_id}: the references of {left} and {right} differ: {one}, {other}")
        pairs.add((left, one.record_id, right, other.record_id, one.level))
    found += [f"not found: {hit}" for hit in sorted(expected - pairs)]
    found += [f"expected by nobody: {hit}" for hit in sorted(pairs - expected)]
    return found


def main(words: Sequence[str]) -> int:
    """Play a round and print what is to be known of it; the status is 0 if nothing differs."""
    parser = argparse.ArgumentParser(description="Play a round with a node of somebody else's.")
    parser.add_argument("program", type=Path, metavar="MAIN.mjs")
    parser.add_argument("--rules", default="exact", help="the rule table by its name")
    parser.add_argument("--seconds", type=float, default=120.0, help="for how long a step is waited for")
    parser.add_argument("--code", default="RS", help="the code of its party")
    parser.add_argument("--lie", default="", choices=list(LIES), help="what the node is told that is not so")
    parser.add_argument("--whole-answers", action="store_true", help="print the bodies of good answers too")
    given = parser.parse_args(words)
    folder = Path(tempfile.mkdtemp(prefix="foreign-"))
    with ForeignWorld(folder, given.program, [given.code]) as world:
        played = ForeignRound(world, given.code, given.rules, given.seconds)
        return report(played, given.lie, whole=given.whole_answers)


def report(played: ForeignRound, lie: str = "", *, whole: bool = False) -> int:
    """Play a round and print what is to be known of it; return 0 if nothing differs, else 1."""
    print(f"folder: {played.node.folder}")
    expected, failed = played.expected(), ""
    try:
        played.play(lie)
    except AssertionError as error:
        failed = str(error).split("\n", 1)[0]
    played.node.stop()
    sides = played.sides()
    found = differences(sides, expected)
    told = {
        f"printed by the node (exit status {played.node.ended()})": [played.node.printed.read_text("utf-8")],
        "its calls": told_calls(played.foreign.between.calls, whole=whole),
        "the round at the matcher": told_round(played),
        **{f"hits of {party}": [f"{one} {hits[one]}" for one in sorted(hits)] for party, hits in sides.items()},
        "faults that the node noticed": map(str, played.node.faults),
        "what differs": found,
        "end": [failed or "the round was closed"],
    }
    for heading, lines in told.items():
        print(f"\n== {heading}", *lines, sep="\n")
    return 1 if failed or found else 0


def told_calls(calls: Sequence[Call], *, whole: bool) -> Iterator[str]:
    """Tell calls in their order, same ones in a row once."""
    told: list[tuple[str, int]] = []
    for call in calls:
        line = f"{call.status} {call.method} {call.target}"
        if call.failed or whole:
            line += f"\n    {call.answer.decode(errors='replace')[: 100_000 if whole else 2_000]}"
        if told and told[-1][0] == line:
            told[-1] = (line, told[-1][1] + 1)
        else:
            told.append((line, 1))
    for line, times in told:
        yield line if times == 1 else f"{line}  ({times} times)"


def told_round(played: ForeignRound) -> Iterator[str]:
    """Tell where the round stands at the matcher, as its people see it."""
    if not played.round_id:
        yield "no round was proposed"
        return
    view = played.world.view(played.world.matcher, played.round_id)
    yield f"phase: {view['entry']['phase']}; ending: {(view['ending'] or {}).get('text')}"
    yield from (json.dumps(one) for one in (*view["parties"], *view["pairs"]))
    yield from (f"problem: {one['text']}" for one in view["problems"])
    for node in played.world.nodes:
        for one in played.world.view(node, played.round_id)["problems"]:
            yield f"{node.name} says: {one['text']}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
