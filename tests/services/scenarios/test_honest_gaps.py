"""Rounds that do not go well and yet are honest: what a party could not say leaves gaps that the audit can explain."""

import io
import tarfile

import pytest
from sqlalchemy import select

from aquila.crypto.group import Group
from aquila.protocol.auditing import LogRecord, RoundAudit, UnprovenClaim, audit_rounds, compare, read_log
from aquila.protocol.messages import Refusal
from aquila.protocol.registry import Registry, read_registry
from aquila.sentences import text_of
from services.node.rounds import statements
from services.node.storage.tables import StatementRow
from tests.support.node_steps import open_round
from tests.support.node_world import World
from tests.support.played_worlds import WorldAfter

pytestmark = pytest.mark.rounds


async def audited(world: World, group: Group) -> tuple[list[RoundAudit], list[UnprovenClaim]]:
    registry = read_registry((world.path / "matcher" / "registry.toml").read_bytes())
    archives = [(await world.operator.get("/v1/operator/log/export")).content]
    archives += [(await party_node.operator.get("/v1/log/export")).content for party_node in world.nodes.values()]
    logs: list[LogRecord] = []
    rounds: list[RoundAudit] = []
    for archive in archives:
        log, found = _read(archive, registry, group)
        logs.append(log)
        rounds += found
    return rounds, [
        *logs[0].unproven,
        *(found for audit in rounds for found in audit.unproven),
        *compare(logs, registry),
    ]


def _read(archive: bytes, registry: Registry, group: Group) -> tuple[LogRecord, list[RoundAudit]]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        files = {member.name: opened.extractfile(member).read() for member in opened}  # type: ignore[union-attr]  # files alone are in it
    log = read_log(files.get, registry)
    return log, audit_rounds(log, files.get, registry, group)


async def test_statements_that_never_left(world: World, group: Group) -> None:
    """The secretariat aborts while evaluations wait: the closing names their numbers, and nothing is unproven."""
    round_id = await world.begin()
    al = world.nodes["AL"]

    def signed() -> bool:
        with al.node.store.reading("test.evaluations") as session:
            kind = StatementRow.kind == "evaluation"
            return session.scalar(select(StatementRow.sequence).where(kind, StatementRow.own)) is not None

    await world.until(signed)
    with al.node.store.transaction("test.unsent") as session:
        row = session.scalars(select(StatementRow).where(StatementRow.kind == "evaluation", StatementRow.own)).first()
        assert row is not None
        unsent = row.sequence
        # As if the matcher had never got it: a statement of that number is only in this database.
        number = statements.next_number(session, round_id)
        evaluation = statements.message_of(statements.open_statement(al.node.registry, row.envelope)).model_copy(
            update={"sequence": number}
        )
        statements.put_signed(session, al.node.signer, round_id, al.node.party._signed(evaluation))  # type: ignore[arg-type]  # it is a statement
    await world.operator.post(f"/v1/operator/rounds/{round_id}/abort", json={"reason": "wrong list"})
    world.matcher_step()
    await world.settle()
    (audit,), unproven = await audited(world, group)
    assert audit.round.phase.value == "aborted"
    assert audit.numbers["AL"].given_up or audit.numbers["AL"].refused
    assert unsent in audit.numbers["AL"].entered
    assert unproven == []


@pytest.mark.more_rounds
async def test_a_party_that_leaves(world_after: WorldAfter, group: Group) -> None:
    world, round_id = await world_after(open_round)
    al = world.nodes["AL"]
    assert (await al.post(f"/rounds/{round_id}/abort", json={"reason": "not ours"})).status_code == 202
    await world.settle()
    (audit,), unproven = await audited(world, group)
    refusal = audit.round.refusals["AL"]
    assert isinstance(refusal, Refusal)
    assert refusal.given_up is not None
    assert refusal.given_up[-1][1] == refusal.sequence - 1
    assert unproven == []


@pytest.mark.more_rounds
async def test_a_party_that_vanishes(world_after: WorldAfter, group: Group) -> None:
    """The pair of the others goes on and closes; only what the third has not cosigned is not proven."""
    world, round_id = await world_after(open_round)
    others = ("AL", "RS")
    await world.settle(*others)
    window = (await world.nodes["AL"].round(round_id))["manifest"]["window"]
    world.clock.time = window["submit_by"] + 1
    await world.settle(*others)
    await world.operator.post(f"/v1/operator/rounds/{round_id}/close")
    await world.settle(*others)
    (audit,), unproven = await audited(world, group)
    assert audit.round.participants == ("AL", "RS", "SI")
    assert audit.round.phase.value == "closed"
    assert {(found.what, "SI" in text_of(found.sentence)) for found in unproven} == {("uncovered", True)}
