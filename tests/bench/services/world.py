"""The services of a measurement: a matcher and nodes with default settings, their people, and a round of lists."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType

from aquila.errors import ExecutorError
from aquila.interface.rounds import JustificationInput, RoundProposal, SubmissionRequest
from aquila.protocol.messages import ClassCounts, Kind, Mode, PartyCap
from aquila.protocol.registry import MATCHER, RegisteredParty, Registry, write_registry
from aquila.protocol.rounds.round_state import Phase
from aquila.sentences import quoted
from clients.local_services.accounts import StaffSessions, open_sessions
from clients.local_services.processes import DemoProcesses, Process, free_ports
from clients.sdk import NodeClient, find_home
from services.kit.storage.files import write_secret
from services.matcher.storage.home import create as create_matcher
from services.node.storage.home import create as create_node
from tests.bench.records import PARTIES, write_list

PEOPLE = {MATCHER: ("secretariat-1", "secretariat-2")}
STAFF = ("officer", "approver", "analyst")
_REASON = {"legal_basis": "bench", "purpose": "bench", "category": "bench"}
_LOOK_SECONDS = 0.2
_PATIENCE_SECONDS = 1_800.0


@dataclass(slots=True)
class BenchServices:
    """Services on one stage, and a round of theirs."""

    stage: DemoProcesses
    count: int
    staff: dict[str, StaffSessions] = field(default_factory=dict)
    records: int = 0
    round_id: str = ""
    stopped: Sequence[str] = ()
    """The parties whose nodes were killed."""
    patience_seconds: float = _PATIENCE_SECONDS
    _ports: dict[str, int] = field(default_factory=dict)
    _opened: ExitStack = field(default_factory=ExitStack)

    @property
    def parties(self) -> Sequence[str]:
        """The codes of the parties; the first one asks."""
        return PARTIES[: self.count]

    @property
    def matcher_port(self) -> int:
        return self._ports[MATCHER]

    @property
    def _matcher_url(self) -> str:
        return f"http://127.0.0.1:{self.matcher_port}"

    @property
    def asker(self) -> str:
        return self.parties[0]

    @property
    def processes(self) -> dict[str, Process]:
        return {process.name: process for process in self.stage.processes}

    def node(self, code: str, login: str = "officer") -> NodeClient:
        return self.staff[code].node(login)

    def prepare(self, records: int) -> None:
        """Start everything, and play a round that takes queries up to the reports of its lists."""
        self.records = records
        self.open()
        self.propose(Mode.LISTS_AND_QUERIES)
        self.consent()
        for code in self.parties:
            path = self.stage.folder / f"{code}.csv"
            write_list(path, code, records)
            self.submit(code, self.bring(code, path), Kind.LIST)
        self.until(self._has_reports, "the reports of the lists")

    def open(self) -> None:
        """Make homes, start everything, and let the people sign in; raises as `prepare` does."""
        self._make_homes()
        self.start()
        for name, process in self.processes.items():
            self.staff[name] = open_sessions(process, self._opened, PEOPLE.get(name, STAFF))

    def propose(self, mode: Mode, caps: Mapping[str, ClassCounts] = MappingProxyType({})) -> None:
        """Propose a round of all parties, and wait until each has heard of it."""
        proposal = RoundProposal(
            participants=tuple(sorted(self.parties)),
            area="bench",
            mode=mode,
            caps=tuple(PartyCap(party=code, elements=elements) for code, elements in caps.items()),
            **_REASON,
        )
        secretariat = self.staff[MATCHER]
        asked = secretariat.matcher("secretariat-1").propose(proposal)
        secretariat.approve("secretariat-2", asked)
        assert asked.round_id is not None  # a proposal names its round
        self.round_id = asked.round_id
        for code in self.parties:
            self.until(partial(self._knows_round, code), f"{code} to hear of the round")

    def consent(self) -> None:
        """Let every party consent, and wait until the round is open; raises as `propose` does."""
        for code in self.parties:
            self.staff[code].approve("approver", self.node(code).consent(self.round_id))
        self.until(lambda: self._phase() == Phase.OPEN, "the round to open")

    def start(self) -> None:
        self.stage.start([(name, self._home(name)) for name in (MATCHER, *self.parties)])

    def restart(self, url: str) -> None:
        """Stop every service and start it again.

        Args:
            url: Under which nodes call the matcher from now on.
        """
        self.stage.stop()
        self.stage.processes.clear()
        _replace(self._home(MATCHER) / "matcher.toml", "public_url", url, group="[listen]")
        for code in self.parties:
            _replace(self._home(code) / "node.toml", "url", url, group="[matcher]")
        self.start()
        self.until(lambda: all(self.node(code).status().matcher_reachable for code in self.parties), "the nodes")

    def halt(self, count: int) -> None:
        """Kill the nodes of the last parties."""
        self.stopped = tuple(self.parties[-count:])
        for code in self.stopped:
            self.processes[code].popen.kill()
            self.processes[code].popen.wait()

    def close(self) -> None:
        self._opened.close()

    def bring(self, code: str, path: Path) -> str:
        with path.open("rb") as stream:
            report = self.node(code).import_list(stream, path.name, accept_refused=True)
        assert report.import_id is not None
        return report.import_id

    def submit(self, code: str, import_id: str, kind: Kind) -> None:
        """Let one person ask for a submission, and another approve it at once."""
        self.approval_of(code, import_id, kind)[1]()

    def approval_of(self, code: str, import_id: str, kind: Kind) -> tuple[str, Callable[[], None]]:
        """Let one person ask for a submission; return its id, and the call by which another approves it."""
        reason = JustificationInput(case_reference=import_id[:8], **_REASON)
        request = SubmissionRequest(import_id=import_id, kind=kind, justification=reason)
        asked = self.node(code).submit(self.round_id, request)
        assert asked.submission_id is not None
        return asked.submission_id, partial(self.staff[code].approve, "approver", asked)

    def until(self, reached: Callable[[], bool], what: str) -> None:
        """Wait for something."""
        deadline = time.monotonic() + self.patience_seconds
        while not reached():
            for process in self.stage.ended():
                raise ExecutorError(quoted(f"the process of {process.name} ended"))
            if time.monotonic() > deadline:
                raise ExecutorError(quoted(f"waited in vain for {what}"))
            time.sleep(_LOOK_SECONDS)

    def _home(self, name: str) -> Path:
        return self.stage.folder / name.lower()

    def _make_homes(self) -> None:
        names = (MATCHER, *self.parties)
        self._ports = dict(zip(names, free_ports(len(names)), strict=True))
        key = create_matcher(self._home(MATCHER), port=self._ports[MATCHER])
        keys = {
            code: create_node(self._home(code), code, f"Party {code}", self._matcher_url, port=self._ports[code])
            for code in self.parties
        }
        registry = Registry(key, {code: RegisteredParty(code, f"Party {code}", one) for code, one in keys.items()})
        for name in names:
            write_secret(find_home(self._home(name)).registry, write_registry(registry))

    def _knows_round(self, code: str) -> bool:
        return bool(self.node(code).rounds().rounds)

    def _phase(self) -> str:
        return self.staff[MATCHER].matcher("secretariat-1").round(self.round_id).entry.phase

    def _has_reports(self) -> bool:
        view = self.staff[MATCHER].matcher("secretariat-1").round(self.round_id)
        return all(party.acknowledged for party in view.parties)


def _replace(path: Path, name: str, value: str, *, group: str) -> None:
    """Set a text in a group of a settings file, in place of what is there."""
    head, heading, tail = path.read_text("utf-8").partition(f"{group}\n")
    kept = [line for line in tail.splitlines() if not line.startswith(f"{name} = ")]
    write_secret(path, "\n".join([head + heading + f'{name} = "{value}"', *kept, ""]).encode())
