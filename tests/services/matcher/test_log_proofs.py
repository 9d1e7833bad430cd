"""The matcher proves to a party what its log holds of what it signed or may see, and says nothing of the rest."""

import pytest
from sqlalchemy import select

from aquila.audit.checkpoint import log_name, open_checkpoint, parse_update
from aquila.audit.merkle import verify_inclusion
from aquila.protocol.log_entries import statement_entry
from aquila.protocol.messages.feed import ProofRequest, Proofs
from aquila.protocol.rounds.verified_round import read_statement
from services.matcher.storage.tables import EventRow
from tests.support.matcher_world import World

pytestmark = pytest.mark.postgresql_soak


async def test_statements_are_proved_at_once(world: World) -> None:
    """What was just taken is proved, under a checkpoint that is signed for it, from the statement alone."""
    await world.reported()
    with world.context.store.reading("test.events") as session:
        query = select(EventRow).where(EventRow.digest.is_not(None)).order_by(EventRow.event_id)
        rows = session.scalars(query).all()
    asked = ProofRequest(old=0, heads=(), statements=tuple(row.digest or "" for row in rows), entries_from=None)
    for code, node in world.nodes.items():
        answer = await node.call("POST", "/v1/log/proofs", content=asked.payload())
        proofs = Proofs.from_payload(answer.content)
        key = world.registry.matcher
        shown, _ = open_checkpoint(parse_update(proofs.update.encode()).note.to_bytes(), log_name("matcher", key), key)
        mine = {row.digest for row in rows if row.audience == "all" or code in {row.party, row.reader}}
        assert {one.digest for one in proofs.statements} == mine
        assert len(mine) < len(rows)  # another party's report, and evaluations for it, are not for these eyes
        for one in proofs.statements:
            (row,) = [row for row in rows if row.digest == one.digest]
            read = read_statement(world.registry, (row.envelope or "").encode())
            leaf = statement_entry(read.message, read.digest, one.time).salted(one.salt).leaf()
            verify_inclusion(leaf, one.index, shown.size, shown.root, [bytes.fromhex(h) for h in one.hashes])


async def test_a_log_without_a_checkpoint(world: World) -> None:
    node = world.nodes["AL"]
    asked = ProofRequest(old=0, heads=(), statements=("ab" * 32,), entries_from=None)
    assert (await node.call("POST", "/v1/log/proofs", content=asked.payload())).status_code in {200, 204}
    assert (await node.call("POST", "/v1/log/proofs", content=b"{}")).status_code == 400
