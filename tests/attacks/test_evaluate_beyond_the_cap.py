"""Who wants more evaluations than a cap allows lets a node begin again on an older copy of its database.

A party and the matcher work together: the feed hides what the node said, the matcher witnesses whatever log it is
shown, and the node's administrator, who knows nothing of it, acknowledges each alarm.
"""

import enum
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from aquila.audit.checkpoint import cosign, parse_update, witness_name
from aquila.protocol.messages.feed import Events
from aquila.records.rules import InputClass
from services.node.round_memory import round_row
from services.node.rounds import statements
from services.node.safeguards import evaluation_limits
from services.node.storage.tables import EvaluationRow, RoundRow, StatementRow
from tests.support.clock import Clock
from tests.support.node_world import PartyNode, World, make_world

pytestmark = pytest.mark.database_files


class Lie(enum.Enum):
    """What the matcher does to a node whose database is an older copy."""

    HIDES = "hides what the node said, and witnesses whatever it is shown"
    AWAY = "is away"
    NONE = "shows everything"


POINTS = {Lie.HIDES: ("unknown", "consented", "open", "evaluated"), Lie.AWAY: ("open",), Lie.NONE: ("unknown",)}
"""From where the copy is, for each lie."""


class Liar(httpx.AsyncBaseTransport):
    """The matcher as one node sees it: what it hides it keeps, so that the node can be asked for it once more."""

    def __init__(self, world: World, party_node: PartyNode) -> None:
        self._world, self._party_node, self._real = world, party_node, party_node.transport
        self.lie = Lie.NONE
        self.shows_until = 0
        self._chunks: dict[str, bytes] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a call as the real matcher does, but for the lies."""
        if self.lie is Lie.AWAY:
            raise httpx.ConnectError("away", request=request)
        hides = self.lie is Lie.HIDES
        if hides and request.url.path == "/v1/log/witnessed":
            return _answer(b"0")
        if hides and request.url.path == "/v1/log/checkpoints":
            return _answer(self._cosigned(request.content))
        if hides and request.url.path in self._chunks:
            return _answer(self._chunks[request.url.path])
        answer = await self._real.handle_async_request(request)
        if "/blinded/" in request.url.path and request.method == "GET" and answer.is_success:
            return _answer(self._chunks.setdefault(request.url.path, await answer.aread()))
        if not hides or not request.url.path.endswith("/events"):
            return answer
        page = Events.model_validate_json(await answer.aread())
        asked = [event for event in page.events if event.event_id <= self.shows_until]
        shown = tuple(event for event in asked if not self._is_own(event.envelope))
        return _answer(page.model_copy(update={"events": shown}).model_dump_json().encode())

    def _is_own(self, envelope: str | None) -> bool:
        node = self._party_node.node
        signer = statements.open_statement(node.registry, envelope.encode()).signer if envelope else None
        return signer is not None and signer.fingerprint == node.party.identity.public.fingerprint

    def _cosigned(self, content: bytes) -> bytes:
        own = self._world.app.state.context.log.own
        name = witness_name("matcher", own.key.public)
        return cosign(parse_update(content).note, name, own.key, self._world.clock()).to_bytes()


def _answer(content: bytes) -> httpx.Response:
    return httpx.Response(200, stream=httpx.ByteStream(content))


class Story:
    """A round that AL went through, with copies of its database from several points of it."""

    def __init__(self, world: World) -> None:
        self.world, self.party_node = world, world.nodes["AL"]
        self.liar = Liar(world, self.party_node)
        self.round_id = ""
        self.spent: tuple[int, int] = (0, 0)

    async def play(self) -> None:
        """Play a round up to its reports, keep copies on the way, and keep AL's home as it is then."""
        self.party_node.transport = self.liar
        self.party_node.restart()
        self._copy("unknown")
        self.round_id = await self.world.begin()
        await self.world.until(lambda: self._signed("consent"))
        self._copy("consented")
        await self.world.until(self._is_open)
        self._copy("open")
        await self.world.until(lambda: self.evaluated() == len(InputClass))
        self._copy("evaluated")
        with self.party_node.node.store.reading("test.cursor") as session:
            self.liar.shows_until = round_row(session, self.round_id).cursor
        await self.world.settle()
        assert await self.world.phase(self.round_id) == "reporting"
        self.spent = self.counted()
        self.party_node.node.store.erase_deleted()
        self._copy("last")

    async def restore(self, point: str) -> int:
        """Begin again on a copy of database and log, as a backup has them; return what it has evaluated.

        Where the matcher lies about nothing, the log's files stay as they were last.
        """
        await self.party_node.operator.aclose()
        self.party_node.stop()
        shutil.rmtree(self.party_node.home)
        shutil.copytree(self._copied("last"), self.party_node.home)
        shutil.copy(self._copied(point) / "node.db", self.party_node.home)
        if self.liar.lie is not Lie.NONE:
            shutil.rmtree(self.party_node.home / "log")
            shutil.copytree(self._copied(point) / "log", self.party_node.home / "log")
        self.party_node.start()
        return self.evaluated()

    def is_refused(self) -> bool:
        """Tell whether AL takes no further part in the round."""
        with self.party_node.node.store.reading("test.refused") as session:
            row = session.get(RoundRow, self.round_id)
        return row is not None and row.refused is not None

    def evaluated(self) -> int:
        """Return how many chunks AL's database says that it has evaluated."""
        with self.party_node.node.store.reading("test.evaluated") as session:
            return session.scalar(select(func.count()).select_from(EvaluationRow)) or 0

    def counted(self) -> tuple[int, int]:
        """Return what AL has evaluated for RS today and in the window, of the class full."""
        with self.party_node.node.store.reading("test.counted") as session:
            return evaluation_limits.spent(
                session, self.party_node.node.clock, self.party_node.node.settings.caps, "RS", InputClass.FULL
            )

    def _copied(self, point: str) -> Path:
        return self.world.path / "copies" / point

    def _copy(self, point: str) -> None:
        self.party_node.node.store.erase_deleted()
        shutil.copytree(self.party_node.home, self._copied(point))

    def _signed(self, kind: str) -> bool:
        with self.party_node.node.store.reading("test.signed") as session:
            query = select(StatementRow.digest).where(StatementRow.own, StatementRow.kind == kind)
            return session.scalar(query) is not None

    async def _is_open(self) -> bool:
        return (await self.party_node.round(self.round_id))["entry"]["phase"] == "open"


@pytest.fixture
async def story(tmp_path: Path) -> AsyncIterator[Story]:
    """A round of two parties that was played to its reports."""
    world = make_world(tmp_path, Clock(), ("AL", "RS"))
    made = Story(world)
    await made.play()
    yield made
    await world.close()


async def test_an_older_copy_evaluates_nothing(story: Story) -> None:
    """From each point of the round, whatever the matcher shows: alarm, refusal for good, and caps that hold."""
    for story.liar.lie, points in POINTS.items():
        for point in points:
            before = await story.restore(point)
            # 1. One step, however busy the node is: the alarm is stored, and the round is refused with it.
            await story.party_node.step()
            (alarm,) = (await story.party_node.get("/log"))["alarms"]
            assert ("another log" if story.liar.lie is Lie.NONE else "restored from a backup") in alarm["sentence"][
                "text"
            ]
            assert story.is_refused() or point == "unknown"
            # 2. Acknowledging revives nothing, and the caps by day have no more room than before.
            await story.world.acknowledge_alarms()
            assert story.is_refused()
            assert story.evaluated() == before
            assert story.counted() == story.spent
    # 3. A new round with fresh shares goes its way.
    again = await story.world.begin()
    await story.world.settle()
    assert await story.world.phase(again) == "reporting"
