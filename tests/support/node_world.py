"""A whole small world in one process: the matcher, three nodes, and a clock, without sockets and without waiting."""

import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from aquila.audit.roles import Role
from aquila.crypto.keys import VerifyKey
from aquila.errors import AquilaError
from aquila.protocol.registry import RegisteredParty, Registry, write_registry
from services.kit.settings import load
from services.matcher import main as matcher_main
from services.matcher.settings import MatcherSettings
from services.matcher.steps.schedule import steps_of
from services.matcher.storage import home as matcher_home
from services.matcher.storage.tables import EventRow
from services.node import main as node_main
from services.node.context import NodeContext
from services.node.rounds import work
from services.node.settings import NodeSettings
from services.node.steps.advance import take
from services.node.steps.driver import RoundsDriver
from services.node.storage import home as node_home
from services.node.storage.states import Step
from tests.support.clock import Clock
from tests.support.databases import lay_tables
from tests.support.people import FourEyes, patient, signed_in, two_persons

MATCHER_URL = "http://127.0.0.1:8700"
HEADER = "record_id,given_names,family_names,date_of_birth,document_numbers\n"
LISTS = {
    "AL": "al-list-1,Arben,Hoxha,1980-03-04,\nal-list-2,Ilir,Kola,1975-01-02,\nal-list-3,Besa,Dervishi,1990-09-09,\n",
    "RS": "rs-1,Arben,Hoxha,1980-03-04,\nrs-2,Dragan,Petrović,1971-05-06,\nrs-3,Mira,Janković,1988-08-08,\n",
    "SI": "si-1,Драган,Петровић,1971-05-06,\nsi-2,Ana,Novak,1985-07-07,\nsi-3,Ilir,Kola,1975-01-02,\n",
}
JUSTIFICATION = {
    "legal_basis": "Article 7",
    "purpose": "counter-terrorism",
    "case_reference": "2026/1",
    "category": "terrorism",
}


@dataclass
class PartyNode:
    """A node as its people and its driver see it; `restart` rebuilds every part from the store."""

    home: Path
    clock: Clock
    transport: httpx.AsyncBaseTransport
    random: Callable[[int], bytes] = secrets.token_bytes
    node: NodeContext = field(init=False)
    rounds: RoundsDriver = field(init=False)
    operator: httpx.AsyncClient = field(init=False)
    app: FastAPI = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Put the node together from its home."""
        # One worker is a thread of this process.
        settings = patient(load(self.home / "node.toml", NodeSettings)).model_copy(update={"workers": 1})
        self.node = node_main.assemble(settings, clock=self.clock, random=self.random, transport=self.transport)
        app = node_main.build(settings, self.node)
        self.rounds = RoundsDriver(self.node)
        self.app = app
        transport = FourEyes(httpx.ASGITransport(app=app), two_persons(self.node.people))
        self.operator = httpx.AsyncClient(transport=transport, base_url="http://node.test")

    def person(self, *roles: Role) -> httpx.AsyncClient:
        token = signed_in(self.node.people, f"person-{'-'.join(roles)}", *roles)
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app),
            base_url="http://node.test",
            headers={"authorization": f"Bearer {token}"},
        )

    def stop(self) -> None:
        """Forget everything that is not stored, as a kill does."""
        self.node.close()

    def restart(self) -> None:
        """Stop, and start again on the same home."""
        self.stop()
        self.start()

    async def step(self) -> bool:
        """Look at all rounds; what stands in the way is in the problems of the round."""
        try:
            return await self.look()
        except AquilaError:
            return False

    async def look_at(self, round_id: str) -> bool:
        """Look at one round, which is due; raises as the step does."""
        taken = work.due_step(self.node.store, self.node.clock, round_id, Step.LOOK)
        assert taken is not None
        return (await take(self.node, taken)).busy

    async def look(self) -> bool:
        """Take one step of the driver in all rounds, whatever they wait for; raises as it does."""
        work.wake_all(self.node.store, everything=True)
        return await self.rounds.step()

    async def get(self, path: str) -> Any:
        """Return the JSON answer of the operator's interface."""
        answer = await self.operator.get(f"/v1{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, **options: Any) -> httpx.Response:
        return await self.operator.post(f"/v1{path}", **options)

    async def round(self, round_id: str) -> dict[str, Any]:
        found: dict[str, Any] = await self.get(f"/rounds/{round_id}")
        return found

    async def load(self, content: str, name: str = "list") -> str:
        answer = await self.post("/imports", params={"name": name}, content=content.encode())
        assert answer.status_code == 201, answer.text
        import_id: str = answer.json()["import_id"]
        return import_id

    async def submit(self, round_id: str, import_id: str, kind: str = "list") -> httpx.Response:
        body = {"import_id": import_id, "kind": kind, "justification": JUSTIFICATION}
        return await self.post(f"/rounds/{round_id}/submissions", json=body)

    def stored_bytes(self) -> bytes:
        """Return everything that lies in the node's home but its identity, its token and its settings."""
        kept = {"identity.pem", "operator.token", "people.key", "node.toml", "registry.toml"}
        files = (path for path in self.home.rglob("*") if path.is_file() and path.name not in kept)
        return b"".join(path.read_bytes() for path in files)


@dataclass
class World:
    path: Path
    clock: Clock
    app: Any
    nodes: dict[str, PartyNode]
    operator: httpx.AsyncClient
    held: set[str] = field(default_factory=set)
    """The names of the matcher's drivers that take no step."""

    async def close(self) -> None:
        """Stop every service, and everyone's connections to them."""
        for party_node in self.nodes.values():
            await party_node.operator.aclose()
            await party_node.node.peer.close()
            party_node.stop()
        await self.operator.aclose()
        self.app.state.context.close()

    def steps(self) -> Mapping[str, Callable[[], bool]]:
        """Return the matcher's steps, which remember nothing yet."""
        return steps_of(self.app.state.context, self.app.state.approvals)

    def matcher_step(self) -> bool:
        """Take one step of each of the matcher's drivers that are not held."""
        busy = False
        for name, step in self.steps().items():
            if name in self.held:
                continue
            try:
                busy |= step()
            except AquilaError:
                continue
        return busy

    async def step(self, *codes: str) -> bool:
        """Take a step everywhere, or at the named nodes and the matcher."""
        busy = self.matcher_step()
        for code in codes or self.nodes:
            busy |= await self.nodes[code].step()
        return busy

    async def settle(self, *codes: str, most: int = 200) -> None:
        quiet = 0
        for _ in range(most):
            quiet = 0 if await self.step(*codes) else quiet + 1
            if quiet == 2:
                return
        raise AssertionError("the world does not come to rest")

    async def until(self, done: Callable[[], Any], *codes: str, most: int = 300) -> None:
        """Step until something holds; `done` may be a coroutine function."""
        for _ in range(most):
            found = done()
            if await found if hasattr(found, "__await__") else found:
                return
            await self.step(*codes)
        raise AssertionError("it never came to that")

    async def propose(self, **options: Any) -> str:
        body = {
            "participants": sorted(self.nodes),
            "area": "counter-terrorism",
            "legal_basis": "PCC SEE",
            "purpose": "match",
            "category": "terrorism",
            "padding": {"inputs_per_record": [], "records_multiple": 1},
        } | options
        answer = await self.operator.post("/v1/operator/rounds", json=body)
        assert answer.status_code == 202, answer.text
        round_id: str = answer.json()["round_id"]
        await self.step()
        return round_id

    async def begin(self, *, lists: bool = True, **options: Any) -> str:
        """Propose a round, let everyone consent and wish to submit its list."""
        round_id = await self.propose(**options)
        for code, party_node in self.nodes.items():
            answer = await party_node.post(f"/rounds/{round_id}/consent")
            assert answer.status_code == 202, answer.text
            if lists:
                answer = await party_node.submit(round_id, await party_node.load(HEADER + LISTS.get(code, LISTS["AL"])))
                assert answer.status_code == 202, answer.text
        return round_id

    async def phase(self, round_id: str) -> str:
        answer = await self.operator.get(f"/v1/operator/rounds/{round_id}")
        phase: str = answer.json()["entry"]["phase"]
        return phase

    async def acknowledge_alarms(self, *codes: str) -> None:
        """Let the administrators of the matcher and of these nodes acknowledge alarms until none comes up any more."""
        party_nodes = [self.nodes[code] for code in codes or self.nodes]
        while [await _acknowledged(*place) for place in self._logs(party_nodes)].count(True):
            await self.settle()

    def _logs(self, party_nodes: list[PartyNode]) -> list[tuple[httpx.AsyncClient, str]]:
        return [(self.operator, "/v1/operator/log"), *((party_node.operator, "/v1/log") for party_node in party_nodes)]

    def notes_left(self) -> int:
        """Return how many batches of sealed notes are at the matcher."""
        with self.app.state.context.store.reading("test.notes") as session:
            kept = EventRow.statement == "notes", EventRow.envelope.is_not(None)
            return session.scalar(select(func.count()).where(*kept)) or 0


async def _acknowledged(people: httpx.AsyncClient, log: str) -> bool:
    """Acknowledge the alarms of a service's log that are open, and tell whether there was one."""
    found = [one for one in (await people.get(log)).json()["alarms"] if one["acknowledged_at"] is None]
    for alarm in found:
        answer = await people.post(f"{log}/alarms/{alarm['alarm_id']}/acknowledge")
        assert answer.status_code == 204, answer.text
    return bool(found)


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until it is set."""
    return Clock()


@pytest.fixture
def codes(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The parties of the world: those of the mark `parties`, if the module has it."""
    mark = request.node.get_closest_marker("parties")
    return ("AL", "RS", "SI") if mark is None else mark.args


@pytest.fixture
async def world(
    tmp_path: Path, clock: Clock, codes: tuple[str, ...], service_database: Callable[[], str]
) -> AsyncIterator[World]:
    """A matcher and the nodes of its parties."""
    databases = {code: url for code in codes if (url := service_database())}
    made = make_world(tmp_path, clock, codes, databases)
    yield made
    await made.close()


def make_world(
    path: Path, clock: Clock, codes: tuple[str, ...] = ("AL", "RS", "SI"), databases: dict[str, str] | None = None
) -> World:
    """Make homes, a registry that all share, and the services on them; databases by code, where not SQLite."""
    matcher_key = matcher_home.create(path / "matcher", port=8700)
    keys: dict[str, VerifyKey] = {
        code: node_home.create(path / code, code, f"Party {code}", MATCHER_URL, port=0) for code in codes
    }
    registry = Registry(matcher_key, {code: RegisteredParty(code, code, key) for code, key in keys.items()})
    for home in (path / "matcher", *(path / code for code in codes)):
        (home / "registry.toml").write_bytes(write_registry(registry))
        lay_tables(home)
    for code, url in (databases or {}).items():
        with (path / code / "node.toml").open("a") as file:
            file.write(f'\n[database]\nurl = "{url}"\n')
    return open_world(path, clock, codes)


def open_world(path: Path, clock: Clock, codes: tuple[str, ...] = ("AL", "RS", "SI")) -> World:
    """Start the services on homes that are there."""
    settings = patient(load(path / "matcher" / "matcher.toml", MatcherSettings)).model_copy(update={"workers": 1})
    matcher_main.prepare(settings)
    app = matcher_main.build(settings, clock=clock)
    transport = httpx.ASGITransport(app=app)
    secretariat = FourEyes(transport, two_persons(app.state.context.people))
    operator = httpx.AsyncClient(transport=secretariat, base_url=MATCHER_URL)
    return World(path, clock, app, {code: PartyNode(path / code, clock, transport) for code in codes}, operator)
