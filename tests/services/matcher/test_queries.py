"""Queries: the owner of each list hears first, the asker when it has, and then the question is gone."""

from types import SimpleNamespace
from typing import Any

import pytest

from aquila.protocol.messages import CheckFault, Kind, Withholding
from aquila.protocol.rounds.round_state import ReportKey
from services.matcher.rounds.views import disputed_pairs
from services.matcher.storage.tables import HeldReportRow, RefusedStatementRow
from tests.support.matcher_world import LISTS, Sent, World

pytestmark = [pytest.mark.rounds, pytest.mark.postgresql_soak]

QUERIES = {"mode": "lists_and_queries"}


async def asked(world: World) -> Sent:
    """Let AL ask for a person whom RS and SI hold, and let everyone evaluate it."""
    sent = await world.nodes["AL"].submit(Kind.QUERY, LISTS["SI"][:1])
    await world.evaluate()
    return sent


async def test_the_owners_hear_first(three: World) -> None:
    world = three
    await world.acknowledged(**QUERIES)
    asker = world.nodes["AL"]
    sent = await asked(world)
    await asker.finalize(sent)
    world.advance()
    for code in ("RS", "SI"):
        await asker.sync()
        assert ("AL", code, sent.submission_id) not in asker.reports
        world.restart()
        await world.nodes[code].acknowledge(sent.submission_id)
        assert len(world.nodes[code].hits(sent.submission_id)) == 1
        world.advance()
        await asker.sync()
        assert ("AL", code, sent.submission_id) in asker.reports
    await asker.acknowledge(sent.submission_id)
    assert len(asker.hits(sent.submission_id)) == 2
    assert world.count(HeldReportRow) == 0
    left = [name for name in world.chunk_files() if sent.submission_id in name]
    # The lists' tokens wait for more queries, and which tags of these are new follows from those of this one.
    assert left
    assert all("/tokens/" in name for name in (*left, *world.chunk_files()))


async def test_a_query_waits_for_the_lists(three: World) -> None:
    """It may be evaluated before, but its tokens are refused, and no number is free again, until both lists' are in."""
    await three.submitted(**QUERIES)
    sent = await asked(three)
    asker = three.nodes["AL"]
    for envelope in asker.finalized(sent):
        assert (await asker.say(envelope)).status_code == 409
    assert three.count(RefusedStatementRow) == 2
    for node in three.nodes.values():
        await node.finalize(node.list)
    three.advance()
    await asker.finalize(sent)
    three.advance()
    assert three.count(HeldReportRow) == 2


async def test_a_silent_owner_holds_up_no_other(three: World) -> None:
    """AL has the answer of SI as soon as SI acknowledged its own report, whatever RS does."""
    await three.acknowledged(**QUERIES)
    asker, owner = three.nodes["AL"], three.nodes["SI"]
    sent = await asked(three)
    await asker.finalize(sent)
    three.advance()
    await owner.acknowledge(sent.submission_id)
    three.advance()
    await asker.acknowledge(sent.submission_id)
    assert len(asker.hits(sent.submission_id)) == 1
    assert ("AL", "RS", sent.submission_id) not in asker.reports
    # Nor does an alarm of RS, or its refusal, which the asker hears of; then that report is gone.
    rs = three.nodes["RS"]
    await rs.sync()
    for envelope in (
        rs.party.alarm(rs.round, rs.next(), sent.submission_id, 40, 1.5),
        rs.party.withhold_answer(rs.round, rs.next(), sent.submission_id, Withholding.ON_HOLD),
        rs.party.withhold_answer(rs.round, rs.next(), sent.submission_id, Withholding.REFUSED),
    ):
        assert three.count(HeldReportRow) == 1
        assert (await rs.say(envelope)).status_code == 201
        three.advance()
    assert three.count(HeldReportRow) == 0
    await asker.sync()
    assert ("AL", "RS", sent.submission_id) not in asker.reports
    await owner.send_notes(sent.submission_id)
    await asker.send_notes(sent.submission_id)
    for node in (asker, owner):
        await node.confirm_notes()
    three.advance()
    await three.operate("POST", f"/{three.round_id}/close")
    three.advance()
    assert (await three.view())["entry"]["phase"] == "closed"


@pytest.mark.more_rounds
@pytest.mark.parametrize("when", ["before the tokens", "before its receipt"])
async def test_an_owner_that_has_closed_answers_nothing(three: World, when: str) -> None:
    """It has no key any more, and could not test how much it tells (3.7.14): the end of the round tells it neither."""
    await three.acknowledged(**QUERIES)
    sent = await asked(three)
    if when == "before the tokens":
        await three.nodes["RS"].close()
    await three.nodes["AL"].finalize(sent)
    three.advance()
    if when == "before its receipt":
        await three.nodes["RS"].close()
    await three.operate("POST", f"/{three.round_id}/close")
    three.advance()
    await three.nodes["AL"].sync()
    assert [key.counterpart for key in three.nodes["AL"].reports if key.submission_id] == ["SI"]


@pytest.mark.more_rounds
@pytest.mark.parametrize("outcome", ["close", "abort"])
async def test_an_end_does_not_withhold_what_the_others_have(three: World, outcome: str) -> None:
    await three.acknowledged(**QUERIES)
    asker = three.nodes["AL"]
    sent = [await asked(three) for _ in range(3)]
    for one in sent:
        await asker.finalize(one)
        await asker.sync()
    three.advance()
    options = {"json": {"reason": "test"}} if outcome == "abort" else {}
    await three.operate("POST", f"/{three.round_id}/{outcome}", **options)
    three.advance()
    await asker.sync()
    assert [len(asker.hits(one.submission_id)) for one in sent] == [2, 2, 2]
    # In the order of their tokens: the check of each rests on those before it.
    told = [report.submission_id for report in asker.reports if report.submission_id is not None]
    assert told == [one.submission_id for one in sent for _ in range(2)]
    assert three.count(HeldReportRow) == 0
    assert three.chunk_files() == []


@pytest.mark.parametrize("fault", [None, CheckFault.TAGS, CheckFault.EARLIER])
def test_a_side_that_could_not_check_disputes_nothing(fault: CheckFault | None) -> None:
    """A pair is disputed where a side found a fault, not where an earlier report kept it from looking."""
    sides = {
        ReportKey(party, other, "q"): SimpleNamespace(met="0" * 64, below=0, fault=of)
        for party, other, of in (("AL", "RS", None), ("RS", "AL", fault))
    }
    record: Any = SimpleNamespace(checked=sides)
    assert list(disputed_pairs(record)) == ([("AL", "RS")] if fault is CheckFault.TAGS else [])
