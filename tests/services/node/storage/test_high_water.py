"""The high-water mark: a database behind it is an older copy, one ahead of it was interrupted by a crash."""

from collections import Counter

import pytest
from sqlalchemy import delete, func, select

from aquila.errors import LogRewrittenError, RestoredBackupError
from aquila.protocol.messages import Refusal
from aquila.records.rules import InputClass
from aquila.sentences import Sentence, text_of
from aquila.sentences.sentence import loads
from services.kit.errors import StoreError
from services.node.round_memory import round_row
from services.node.rounds import statements
from services.node.safeguards import evaluation_limits
from services.node.steps.verify_logs import check_own_log
from services.node.storage.high_water import RESTORED, HighWater, RoundMark
from services.node.storage.tables import DAY, DailyEvaluationRow, RoundRow, StatementRow
from tests.support.node_world import PartyNode, World

pytestmark = [pytest.mark.parties("AL", "RS"), pytest.mark.rounds]


def forget_statements(party_node: PartyNode, kind: str) -> None:
    """Let a database lose what a node said from the first such statement on, as an older replica does."""
    with party_node.node.store.transaction("test.failover") as session:
        first = select(func.min(StatementRow.sequence)).where(StatementRow.own, StatementRow.kind == kind)
        session.execute(delete(StatementRow).where(StatementRow.own, StatementRow.sequence >= session.scalar(first)))


def refused(party_node: PartyNode, round_id: str) -> bool:
    """Tell whether a node takes no further part in a round."""
    with party_node.node.store.reading("test.refused") as session:
        return round_row(session, round_id).refused is not None


def alarms(party_node: PartyNode) -> list[str]:
    return [text_of(loads(alarm.sentence)) for alarm in party_node.node.log.witness.alarms()]


@pytest.mark.parametrize(
    ("mark", "is_ahead"),
    [
        (RoundMark(), False),
        (RoundMark(sequence=3, elements=Counter({"RS full": 5})), False),
        (RoundMark(sequence=4, elements=Counter({"RS full": 5})), True),
        (RoundMark(sequence=3, elements=Counter({"RS full": 6})), True),
        (RoundMark(sequence=3, elements=Counter({"RS partial": 1})), True),
        (RoundMark(sequence=3, refused=True), True),
    ],
)
def test_each_part_of_a_mark_counts(mark: RoundMark, *, is_ahead: bool) -> None:
    stored = RoundMark(sequence=3, elements=Counter({"RS full": 5}))
    assert mark.is_ahead_of(stored) is is_ahead
    assert not mark.is_ahead_of(stored.model_copy(update={"refused": True}))
    assert not stored.is_ahead_of(stored.raised_to(mark))


async def test_a_database_ahead_of_the_mark_goes_on(world: World) -> None:
    """A crash between commit and mark, and a missing file, are repaired at the next start."""
    party_node = world.nodes["AL"]
    path = party_node.node.high_water.path
    round_id = await world.begin()
    await world.until(lambda: party_node.node.high_water.last_number(round_id) == 1)
    older = path.read_bytes()
    await world.until(lambda: (party_node.node.high_water.last_number(round_id) or 0) > 2)
    newer = party_node.node.high_water.marks
    for crash in (lambda: path.write_bytes(older), path.unlink):
        crash()
        party_node.restart()
        await party_node.step()
        assert (party_node.node.high_water.last_number(round_id) or 0) > 2
    await world.settle()
    assert await world.phase(round_id) == "reporting"
    assert alarms(party_node) == []
    marks = HighWater(path, party_node.node.store, world.clock, 30).marks
    assert marks is not None
    assert marks == party_node.node.high_water.marks != newer
    assert sum(marks.rounds[round_id].elements.values()) == sum(sum(day.values()) for day in marks.days.values()) > 0
    # What no cap counts any more is forgotten, and so is a round whose statements were erased.
    await world.operator.post(f"/v1/operator/rounds/{round_id}/close")
    await world.settle()
    world.clock.time += 10_000 * DAY
    await world.settle()
    assert party_node.node.high_water.marks is not None
    assert (party_node.node.high_water.marks.rounds, party_node.node.high_water.marks.days) == ({}, {})
    assert alarms(party_node) == []


async def test_a_mark_that_cannot_be_read_is_an_alarm(world: World) -> None:
    """Where nothing tells how old the database is, it counts as an older copy; the mark is written anew."""
    party_node = world.nodes["AL"]
    round_id = await world.begin(lists=False)
    await world.settle()
    party_node.node.high_water.path.write_bytes(b'{"rounds": 1}')
    party_node.restart()
    assert party_node.node.high_water.last_number(round_id) is None
    await party_node.step()
    (sentence,) = alarms(party_node)
    assert "cannot be read" in sentence
    assert "cannot be read" in (await party_node.get("/status"))["log_alarm"]
    assert refused(party_node, round_id)
    party_node.restart()
    await world.acknowledge_alarms()
    assert len(alarms(party_node)) == 1
    assert party_node.node.high_water.last_number(round_id) == 2  # consent and locks


@pytest.mark.more_rounds
async def test_a_database_that_fails_over_to_an_older_one(world: World) -> None:
    """Between two steps, or within one: nothing is signed on it, the round is refused, and the caps by day hold."""
    party_node = world.nodes["AL"]
    node = party_node.node
    round_id = await world.begin()
    await world.until(lambda: node.high_water.marks is not None and node.high_water.marks.days)
    before, last = spent(party_node), node.high_water.last_number(round_id)
    assert before > 0
    assert last is not None
    forget_statements(party_node, "evaluation")
    with node.store.transaction("test.failover") as session:
        session.execute(delete(DailyEvaluationRow))
    assert spent(party_node) == 0
    with pytest.raises(RestoredBackupError, match="older"), node.store.transaction("test.sign") as session:
        statements.put_signed(session, node.signer, round_id, envelope_of(party_node, "consent"))
    assert (await party_node.post(f"/rounds/{round_id}/abort", json={"reason": "test"})).status_code == 202
    with pytest.raises(LogRewrittenError, match="restored from a backup"):
        await party_node.look_at(round_id)
    assert refused(party_node, round_id)
    assert alarms(party_node) == [text_of(Sentence.of(RESTORED))]
    assert spent(party_node) == before
    # It fails over once more: what was counted for it is counted again.
    with node.store.transaction("test.failover") as session:
        session.get_one(RoundRow, round_id).refused = None
        for row in session.scalars(select(DailyEvaluationRow)):
            row.elements -= 1
    with pytest.raises(LogRewrittenError):
        check_own_log(node)
    assert refused(party_node, round_id)
    assert spent(party_node) == before
    # Its refusal calls no number empty that was used (3.2.2).
    await world.acknowledge_alarms()
    message = statements.message_of(statements.open_statement(node.registry, envelope_of(party_node, "refusal")))
    assert isinstance(message, Refusal)
    assert message.given_up == ((last + 1, message.sequence - 1),)


async def test_nothing_leaves_before_the_mark_is_written(world: World) -> None:
    party_node = world.nodes["AL"]
    node = party_node.node
    round_id = await world.begin(lists=False)
    path, node.high_water.path = node.high_water.path, node.keys / "missing" / "mark"
    for _ in range(4):
        await world.step()
    assert signed(party_node, sent=False) == ["consent"]
    assert await world.phase(round_id) == "proposed"
    with pytest.raises(StoreError):
        node.high_water.keep()
    node.high_water.path = path
    await world.settle()
    assert signed(party_node, sent=True) == ["consent", "locks"]
    assert await world.phase(round_id) == "open"


def spent(party_node: PartyNode) -> int:
    with party_node.node.store.reading("test.spent") as session:
        return evaluation_limits.spent(
            session, party_node.node.clock, party_node.node.settings.caps, "RS", InputClass.FULL
        )[0]


def envelope_of(party_node: PartyNode, kind: str) -> bytes:
    with party_node.node.store.reading("test.envelope") as session:
        return session.scalars(select(StatementRow.envelope).where(StatementRow.own, StatementRow.kind == kind)).one()


def signed(party_node: PartyNode, *, sent: bool) -> list[str]:
    query = select(StatementRow.kind).where(StatementRow.own, StatementRow.sent == sent)
    with party_node.node.store.reading("test.signed") as session:
        return list(session.scalars(query))
