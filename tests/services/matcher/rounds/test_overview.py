"""The secretariat's table: what is due next in each round, who is awaited, and how far the pairs are."""

from typing import Any

import pytest

from aquila.interface.rounds import Awaited, DeadlineKind
from aquila.protocol.messages import Window
from aquila.protocol.rounds.round_state import Phase
from services.matcher.rounds.overview import due_next, moment_of, overview
from services.matcher.storage.tables import FaultRow
from tests.support.matcher_world import NOW, World

pytestmark = pytest.mark.postgresql_soak

WINDOW = Window(consent_by=10, submit_by=20, evaluate_by=30, closes_at=40)
LIST, TOKENS = {Awaited.LIST}, {Awaited.TOKENS}


async def table(world: World, **asked: Any) -> list[dict[str, Any]]:
    answer = await world.operate("GET", "/../overview", params=asked)
    assert answer.status_code == 200, answer.text
    rounds: list[dict[str, Any]] = answer.json()["rounds"]
    return rounds


async def test_a_round_on_its_way(three: World) -> None:
    """Consents, then lists of those that have none, with the deadline of each; nothing once it is over."""
    await three.propose()
    (one,) = await table(three)
    assert (one["phase"], one["due"], one["due_at"]) == ("proposed", "consent", NOW)
    assert one["awaited"] == [{"party": party, "step": "consent"} for party in ("AL", "RS", "SI")]
    assert one["pairs"] == {}  # whose lists are compared depends on who consents
    for node in three.nodes.values():
        await node.consent()
    three.advance()
    for node in three.nodes.values():
        await node.lock()
    await three.nodes["AL"].submit()
    (one,) = await table(three, ongoing=True)
    assert (one["phase"], one["due"], one["due_at"]) == ("open", "lists", NOW + 100)
    assert one["awaited"] == [{"party": party, "step": "list"} for party in ("RS", "SI")]
    assert one["pairs"] == {"list": 3}
    assert await table(three, phase="proposed") == []
    assert len(await table(three, phase="open")) == 1
    three.clock.time = NOW + 301
    three.advance()
    (one,) = await table(three)
    assert (one["phase"] in {"closed", "aborted"}, one["due"], one["awaited"], one["pairs"]) == (True, None, [], {})
    assert await table(three, ongoing=True) == []


async def test_a_round_is_read_again_when_something_has_changed(three: World) -> None:
    """A look at a round in which nothing happened is the last one; an event, a fault or a deadline makes another."""
    context = three.context
    await three.propose()
    first = overview(context).rounds[0]
    round_id = first.round_id
    assert overview(context, ongoing=True).rounds[0] is first
    await three.nodes["AL"].consent()
    consented = overview(context).rounds[0]
    assert [one.party for one in consented.awaited] == ["RS", "SI"]
    with context.store.transaction("test.fault") as session:
        session.add(FaultRow(round_id=round_id, submission_id="0" * 32, counterpart="AL", sentence="{}"))
    faulty = overview(context).rounds[0]
    assert faulty is not consented
    three.clock.time = NOW + 1
    assert overview(context).rounds[0] is not faulty


@pytest.mark.parametrize(
    ("phase", "steps", "now", "due"),
    [
        (Phase.PROPOSED, {Awaited.CONSENT}, 5, DeadlineKind.CONSENT),
        (Phase.OPEN, LIST | TOKENS, 15, DeadlineKind.LISTS),
        (Phase.OPEN, TOKENS, 15, DeadlineKind.EVALUATION),
        (Phase.OPEN, LIST, 21, DeadlineKind.EVALUATION),
        (Phase.OPEN, TOKENS, 31, DeadlineKind.END),
        (Phase.REPORTING, {Awaited.RECEIPT}, 15, DeadlineKind.END),
        (Phase.ABORTED, set(), 15, None),
    ],
)
def test_the_deadline_that_counts_now(phase: Phase, steps: set[Awaited], now: int, due: DeadlineKind | None) -> None:
    assert due_next(phase, steps, WINDOW, now) is due


def test_when_a_deadline_ends() -> None:
    assert [moment_of(WINDOW, kind) for kind in DeadlineKind] == [10, 20, 30, 40]
