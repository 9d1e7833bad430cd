"""Reports in pages among three nodes and a matcher, and notes that are prepared batch by batch."""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select

from aquila.protocol import matcher as roles
from aquila.protocol.messages import HitReport, StatementKind
from aquila.protocol.rounds import hit_columns
from aquila.protocol.rounds.hit_columns import HIT_ID_BYTES, HitBatch
from services.kit.errors import StoreError
from services.matcher.events import REPORT
from services.matcher.log import round_statistics
from services.matcher.steps import join
from services.matcher.storage.tables import EventRow
from services.node.steps import exchange_notes
from services.node.storage.tables import ExchangeRow, HitRow, NoteBatchRow, PairCheckRow, StatementRow
from tests.support.node_steps import alike_before_matching
from tests.support.node_world import PartyNode
from tests.support.played_worlds import WorldAfter
from tests.support.sentence_texts import texts

pytestmark = pytest.mark.rounds


def rows(party_node: PartyNode, table: type[Any]) -> list[Any]:
    with party_node.node.store.reading("test.rows") as session:
        return list(session.scalars(select(table)))


def reports_of(party_node: PartyNode) -> int:
    query = select(func.count()).where(StatementRow.kind == StatementKind.HIT_REPORT.value)
    with party_node.node.store.reading("test.reports") as session:
        return session.scalar(query) or 0


def all_confirmed(party_node: PartyNode) -> bool:
    """Return whether both sides have verified all hits of a node, of which it has some."""
    found = rows(party_node, ExchangeRow)
    return bool(found) and all(row.verified and row.accepted and row.fault is None for row in found)


async def test_a_round_with_pages(world_after: WorldAfter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hits of all pages are stored, acknowledged once for each pair, confirmed and checked; a report counts once."""
    monkeypatch.setattr(join, "make_reports", partial(roles.make_reports, most_hits=1))
    monkeypatch.setattr(exchange_notes, "MAX_NOTES", 2)
    world, round_id = await world_after(alike_before_matching)
    await world.settle()
    context = world.app.state.context
    for code, party_node in world.nodes.items():
        assert reports_of(party_node) == 6
        hits = rows(party_node, HitRow)
        record = party_node.node.rounds.of(round_id).record()
        receipts = {report.counterpart: one.hits.total for report, one in record.receipts.items()}
        assert receipts == Counter(hit.counterpart for hit in hits)
        assert {report.party for report in record.receipts} == {code}
        assert all_confirmed(party_node)
        assert len(rows(party_node, ExchangeRow)) == len(hits)
        checked = rows(party_node, PairCheckRow)
        assert len(checked) == 2
        assert all(row.agreed and row.fault is None for row in checked)
        assert not texts((await party_node.round(round_id))["problems"])
        view = await party_node.get(f"/rounds/{round_id}/hits")
        assert len(view["hits"]) == 6
        assert len(view["chance"]) == 2
        hit = view["hits"][0]
        assert (await party_node.get(f"/rounds/{round_id}/hits/{hit['hit_id']}"))["weights"]
    answer = await world.operator.post(f"/v1/operator/rounds/{round_id}/close")
    assert answer.status_code == 202, answer.text
    await world.settle()
    assert await world.phase(round_id) == "closed"
    with context.store.reading("test.statistics") as session:
        assert round_statistics(context.registry, session, round_id).count(b'"reports":2') == 3
        left = select(func.count()).where(EventRow.statement == REPORT, EventRow.envelope.is_not(None))
        assert session.scalar(left) == 0
    # What is left of them still says what the receipts were for, also to a matcher that starts again.
    context.round_cache.forget(round_id)
    with context.round_cache.reading(round_id) as turn:
        assert set(turn.round.receipts) == set(turn.round.reports_of(None)) == set(turn.round.reports)


@pytest.mark.more_rounds
async def test_hits_that_were_never_sent_are_counted_over_pages(
    world_after: WorldAfter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The problem names how many hits of all pages are on no record of this node."""

    def foreign(*arguments: Any, **more: Any) -> Iterator[HitReport]:
        for page in roles.make_reports(*arguments, **(more | {"most_hits": 1})):
            hits = [hit.model_copy(update={"handle": "0" * 32}) for hit in page.hits]
            yield page.model_copy(update={"hits": tuple(hits)}) if page.party == "SI" else page

    monkeypatch.setattr(join, "make_reports", foreign)
    world, round_id = await world_after(alike_before_matching)
    await world.until(lambda: reports_of(world.nodes["SI"]) == 6)
    await world.settle()
    problems = texts((await world.nodes["SI"].round(round_id))["problems"])
    for other in ("AL", "RS"):
        assert any(f"3 hits with {other} on records" in problem for problem in problems), problems
    assert not world.nodes["SI"].node.rounds.of(round_id).record().receipts


@pytest.mark.more_rounds
async def test_a_node_that_stops_while_it_prepares(world_after: WorldAfter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches that are stored are not made again, the others are, and every hit is confirmed on both sides."""
    stopped: set[str] = set()

    def stopping(pages: Iterable[HitReport], _most: int) -> Iterator[HitBatch]:
        for number, batch in enumerate(hit_columns.hit_batches(pages, 1)):
            if number == 1 and len(stopped) < 3:
                stopped.add(batch.hits.ids[:HIT_ID_BYTES].hex() + str(len(stopped)))
                raise StoreError("database_failed")
            yield batch

    monkeypatch.setattr(exchange_notes, "hit_batches", stopping)
    world, round_id = await world_after(alike_before_matching)
    await world.settle()
    assert len(stopped) == 3
    for party_node in world.nodes.values():
        assert all_confirmed(party_node)
        own = Counter((row.counterpart, row.index) for row in rows(party_node, NoteBatchRow) if row.own)
        others = set(world.nodes) - {party_node.node.code}
        assert own == Counter((other, index) for other in others for index in range(3))
        assert not texts((await party_node.round(round_id))["problems"])
