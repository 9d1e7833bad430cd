"""A practice: a world of its own, in which counterparts and the secretariat act by themselves.

The trainees are the people of one node. All others are played here, through the typed client, as the demo plays them.
"""

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aquila.errors import AquilaError
from aquila.followup.lifecycle import Urgency
from aquila.interface.queries import QueryPerson, QueryRequest
from aquila.interface.rounds import AnswerState, JustificationInput, NodeRoundView, RoundProposal, SubmissionRequest
from aquila.protocol.messages import Kind, Mode
from aquila.protocol.registry import MATCHER
from aquila.protocol.rounds.round_state import Phase
from clients.cli.demo.population import DemoHomes, Population, make_homes, questions
from clients.local_services.accounts import StaffSessions, open_all
from clients.local_services.processes import MARKER, DemoProcesses, staged
from clients.people.nationals import COUNTRIES
from clients.sdk import QueryClient
from clients.web.app.practice import MATERIAL
from services.kit.errors import PeerUnavailableError
from services.kit.storage.files import write_secret

SIZE = 400
"""Persons of each list: some twenty hits, and a round of some seconds."""

_PREFIX = "aquila-practice-"
_LOOK_SECONDS = 0.5
_PATIENCE_SECONDS = 120.0
_TERMS = {
    "legal_basis": "PRACTICE: no legal basis is needed for invented persons",
    "purpose": "PRACTICE: find persons whom several parties noted",
    "category": "PRACTICE: foreign terrorist fighters",
}
_ALARMING_PERSONS = 16  # far more hits than chance and the common persons of two lists explain


@dataclass(slots=True)
class Practice:
    """A practice that runs; `step` lets those act who are not there."""

    stage: DemoProcesses
    population: Population
    trainee: str
    """The party whose people practise."""
    staff: dict[str, StaffSessions] = field(default_factory=dict)
    round_id: str = ""
    submitted: set[str] = field(default_factory=set)
    """The parties whose lists are submitted."""
    asked: bool = False
    """Whether the query that raises an alarm was made."""

    @property
    def address(self) -> str:
        """The address of the page on which a trainee begins."""
        return next(f"{one.url}/practice" for one in self.stage.processes if one.name == self.trainee)

    @property
    def _others(self) -> list[str]:
        return [code for code in COUNTRIES if code != self.trainee]

    def prepare(self, opened: ExitStack) -> None:
        """Start everything, and play until the round waits for the trainee's consent.

        Raises:
            AquilaError: A service does not start, or refuses something.
        """
        demo_homes = make_homes(self.stage.folder, self.population, practice=True)
        self._write_material()
        self.stage.start([(name, home) for name, home in demo_homes.homes.items()])
        self.staff = open_all(self.stage.processes, opened)
        self._propose()
        for code in self._others:
            self._consent(code)
            self._import(demo_homes, code)

    def step(self) -> None:
        """Let the other parties do what they would do now; raises PeerUnavailableError if a process ended."""
        for process in self.stage.ended():
            raise PeerUnavailableError("demo_process_ended", process=process.name)
        view = self._round(self.trainee)
        if view is None:
            return
        for code in self._others:
            if view.entry.phase == Phase.OPEN and code not in self.submitted:
                self._submit(code)
        queries = QueryClient(self.staff[self.trainee].connections["officer"]).queries().queries
        if not self.asked and any(one.answer is AnswerState.ANSWERED for one in queries):
            self._raise_alarm()

    def _write_material(self) -> None:
        """Give the trainees' pages the persons to ask for, and which of the own records are whose."""
        same: dict[str, list[str]] = {}
        for left, left_id, right, right_id in self.population.common:
            for own, own_id, other in ((left, left_id, right), (right, right_id, left)):
                if own == self.trainee:
                    same.setdefault(own_id, []).append(other)
        content = {"questions": [list(one.values()) for one in questions(self.population, self.trainee)], "same": same}
        write_secret(self.stage.folder / MATERIAL, json.dumps(content, ensure_ascii=False).encode())

    def _propose(self) -> None:
        proposal = RoundProposal(
            participants=COUNTRIES, area="PRACTICE: counter-terrorism", mode=Mode.LISTS_AND_QUERIES, **_TERMS
        )
        secretariat = self.staff[MATCHER]
        asked = secretariat.matcher("secretariat-1").propose(proposal)
        secretariat.approve("secretariat-2", asked)
        assert asked.round_id is not None  # a proposal names its round
        self.round_id = asked.round_id

    def _consent(self, code: str) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self._round(code) is None:
            if time.monotonic() > deadline:
                raise PeerUnavailableError("demo_waited_in_vain", what=f"{code} to hear of the round")
            time.sleep(_LOOK_SECONDS)
        self.staff[code].approve("approver", self.staff[code].node("officer").consent(self.round_id))

    def _import(self, demo_homes: DemoHomes, code: str) -> None:
        with demo_homes.list_file(code).open("rb") as stream:
            self.staff[code].node("officer").import_list(stream, demo_homes.list_file(code).name, accept_refused=True)

    def _submit(self, code: str) -> None:
        staff = self.staff[code]
        import_id = staff.node("officer").imports().imports[0].import_id
        reason = JustificationInput(case_reference=f"PRACTICE {code} 1", **_TERMS)
        wanted = SubmissionRequest(import_id=import_id, kind=Kind.LIST, justification=reason)
        staff.approve("approver", staff.node("officer").submit(self.round_id, wanted))
        self.submitted.add(code)

    def _raise_alarm(self) -> None:
        """Make a query of another party that raises an alarm at the trainee's node: it hits too many persons."""
        code = self._others[0]
        staff = self.staff[code]
        rows = [
            row for row in self.population.rows[self.trainee][:-1] if len(row["date_of_birth"]) == len("YYYY-MM-DD")
        ]
        names = ("given_names", "family_names", "date_of_birth", "national_numbers", "document_numbers")
        persons = tuple(QueryPerson(**{name: row.get(name, "") for name in names}) for row in rows[:_ALARMING_PERSONS])
        reason = JustificationInput(case_reference=f"PRACTICE {code} 2", urgency=Urgency.URGENT, **_TERMS)
        client = QueryClient(staff.connections["officer"])
        staff.approve(
            "approver", client.ask(QueryRequest(round_id=self.round_id, persons=persons, justification=reason))
        )
        self.asked = True

    def _round(self, code: str) -> NodeRoundView | None:
        """Return the round at a node, or None where it has not heard of it."""
        client = self.staff[code].node("officer")
        known = any(entry.round_id == self.round_id for entry in client.rounds().rounds)
        return client.round(self.round_id) if known else None


@contextmanager
def practice_of(trainee: str, population: Population) -> Iterator[Practice]:
    """Give a fresh practice in a folder of its own for the block, and delete all of it at the end.

    Args:
        trainee: The party whose people practise.

    Raises:
        AquilaError: It cannot begin.
    """
    remove_leftovers()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    try:
        with staged(folder) as stage, ExitStack() as opened:
            stage.temporary = folder  # so that nothing of its processes is left either
            practice = Practice(stage, population, trainee)
            practice.prepare(opened)
            yield practice
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers() -> None:
    """Delete the folders of own practices that were killed before they could do so."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if folder.lstat().st_uid == os.getuid() and not folder.is_symlink() and not _is_in_use(folder):
                shutil.rmtree(folder)


def _is_in_use(folder: Path) -> bool:
    """Return whether a practice runs in a folder: it holds a lock."""
    try:
        with (folder / MARKER).open("rb") as marker:
            fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return (folder / MARKER).exists()
    return False


def play(practice: Practice, until: float) -> None:
    """Let the others act until a time of the monotonic clock, or until a process ends or somebody interrupts.

    Raises:
        PeerUnavailableError: A process ended.
    """
    while time.monotonic() < until:
        try:
            practice.step()
        except PeerUnavailableError:
            raise
        except AquilaError:
            # What a trainee does at the same time, such as leaving the round, is no reason to end the practice.
            time.sleep(_LOOK_SECONDS)
        time.sleep(_LOOK_SECONDS)
