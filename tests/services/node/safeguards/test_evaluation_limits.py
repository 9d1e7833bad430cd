"""A node's own caps by day: they hold over chunks, restarts, rounds and days, whatever the matcher proposes."""

import pytest
from sqlalchemy import delete, func, insert, select

from aquila.records.rules import InputClass
from services.node.safeguards import evaluation_limits, views
from services.node.storage.tables import DAY, DailyEvaluationRow, EvaluationCountRow, RoundRow
from tests.support.clock import Clock
from tests.support.node_steps import LARGE, limit, problems, round_with_hits, spent
from tests.support.node_world import PartyNode, World
from tests.support.played_worlds import WorldAfter
from tests.support.sealing import sealed

pytestmark = pytest.mark.rounds


def in_all(party_node: PartyNode) -> int:
    with party_node.node.store.reading("test.spent") as session:
        return session.scalar(select(func.coalesce(func.sum(DailyEvaluationRow.elements), 0))) or 0


async def test_what_does_not_fit_waits_for_the_next_day(world: World, clock: Clock) -> None:
    """A node evaluates nothing beyond its cap of the day, says so, and goes on when the day is over."""
    party_node = world.nodes["AL"]
    limit(party_node, day_partial=3)
    round_id = await world.begin()
    await world.settle()
    assert spent(party_node, "RS", InputClass.PARTIAL) == (0, 0)
    assert spent(party_node, "RS", InputClass.FULL)[0] > 0
    found = await problems(party_node, round_id)
    assert "has evaluated as many elements of the class partial for RS as its own caps allow: 3 in a day" in found
    assert await world.phase(round_id) == "open"
    limit(party_node)
    await world.until(lambda: _reported(world, round_id))
    assert "its own caps allow" not in await problems(party_node, round_id)
    used = spent(party_node, "RS", InputClass.PARTIAL)[0]
    limit(party_node, day_partial=used)
    assert _room(party_node) == 0
    clock.time += DAY
    assert _room(party_node) == used


@pytest.mark.more_rounds
async def test_a_large_submission_does_not_hold_up_others(world: World) -> None:
    """Where one party's list is over the cap, the other's is evaluated all the same."""
    party_node = world.nodes["AL"]
    round_id = await world.begin()
    limit(party_node, day_full=2)
    await world.settle()
    with party_node.node.store.transaction("test.spent") as session:
        day = party_node.node.clock() // DAY
        session.add(DailyEvaluationRow(origin="RS", input_class="full", day=day, round_id="0" * 32, elements=LARGE))
    limit(party_node, day_full=LARGE)
    await world.settle()
    assert spent(party_node, "SI", InputClass.FULL)[0] > 0
    assert "for RS" in await problems(party_node, round_id)
    assert "for SI" not in await problems(party_node, round_id)


async def test_the_count_outlives_the_round_and_a_restart(world_after: WorldAfter) -> None:
    """An aborted round gives nothing back, and neither does a new start of the node."""
    world, first = await world_after(round_with_hits)
    party_node = world.nodes["AL"]
    before = spent(party_node, "RS", InputClass.FULL)
    assert before[0] > 0
    await party_node.post(f"/rounds/{first}/abort", json={"reason": "test"})
    await world.settle()
    party_node.restart()
    assert spent(party_node, "RS", InputClass.FULL) == before


async def test_the_longer_window(world: World, clock: Clock) -> None:
    """What was evaluated on other days counts until it leaves the window; a clock set back makes no room."""
    party_node = world.nodes["AL"]
    with party_node.node.store.transaction("test.spent") as session:
        day = clock() // DAY
        for past, elements in ((29, 5), (30, 70), (0, 1), (-2, 10)):
            session.add(
                DailyEvaluationRow(
                    origin="RS", input_class="full", day=day - past, round_id=f"{past % 97:032x}", elements=elements
                )
            )
    assert spent(party_node, "RS", InputClass.FULL) == (11, 16)
    limit(party_node, day_full=100, window_full=20)
    with party_node.node.store.reading("test.room") as session:
        caps, place = party_node.node.settings.caps, ("RS", InputClass.FULL)
        assert evaluation_limits.allowance(session, party_node.node.clock, caps, place, LARGE).left == 4


async def test_the_limits_follow_from_what_was_declared(world: World, clock: Clock) -> None:
    """A party gets in a day twice what it declared for the largest round; lost days of a restore are none of that."""
    party_node = world.nodes["AL"]
    limit(party_node)
    caps, place, day = party_node.node.settings.caps, ("RS", InputClass.FULL), clock() // DAY
    with party_node.node.store.transaction("test.spent") as session:
        for round_id, elements, declared, past in (
            ("1", 90, 100, 0),
            ("2", 30, 30, 0),
            ("0", 500, 0, 0),
            ("3", 60, 70, 3),
        ):
            session.add(
                DailyEvaluationRow(
                    origin="RS",
                    input_class="full",
                    day=day - past,
                    round_id=round_id * 32,
                    elements=elements,
                    declared=declared,
                )
            )
        found = evaluation_limits.allowance(session, clock, caps, place, 40)
        assert found == (200, caps.window_days * 100, 200 - 120)
        assert evaluation_limits.allowance(session, clock, caps, place, 150).day_cap == 300
        low = caps.model_copy(update={"day_full": 620})
        assert evaluation_limits.allowance(session, clock, low, place, LARGE).left == 0


async def test_a_party_that_declares_far_more_than_last_time(world_after: WorldAfter, clock: Clock) -> None:
    """More than one and a half times of a class, against the newest other round here; a first round is not compared."""
    world, round_id = await world_after(round_with_hits)
    party_node = world.nodes["AL"]
    with party_node.node.rounds.reading(round_id) as round_:
        full, partial, coarse = (round_.cap_of("RS", kind) for kind in InputClass)

    def warnings(*rounds: tuple[int, ...]) -> list[str]:
        """Say what a person reads after rounds so many days ago, in which so much of each class was declared."""
        with party_node.node.store.transaction("test.spent") as session:
            session.execute(delete(DailyEvaluationRow))
            for number, (past, *declared) in enumerate(rounds, start=1):
                for kind, elements in zip(InputClass, declared, strict=False):
                    for day in (clock() // DAY - past, clock() // DAY - past - 1):
                        counted = {"round_id": f"{number:032x}", "elements": 1, "declared": elements}
                        session.add(DailyEvaluationRow(origin="RS", input_class=kind, day=day, **counted))
        return [one.text for one in views.safeguards(party_node.node, round_id).warnings]

    enough_full, enough_partial = -(-full * 2 // 3), -(-partial * 2 // 3)
    assert warnings() == warnings((1, enough_full, enough_partial)) == []
    [both] = warnings((1, enough_full - 1, enough_partial - 1))
    assert f"RS declares {partial} partial elements for this round, and declared {enough_partial - 1} in" in both
    [one] = warnings((1, enough_full - 1, enough_partial))
    assert f"RS declares {full} full elements" in one
    [one] = warnings((1, enough_full - 1, enough_partial - 1, -(-coarse * 2 // 3) - 1))
    assert f"RS declares {coarse} coarse elements" in one  # the easiest to guess
    assert warnings((9, 1, 1), (5, full, partial)) == []
    assert warnings((9, full, partial), (5, 1, 1)) != []
    assert warnings((5, 0, 0)) == []  # days that a restore lost


@pytest.mark.more_rounds
async def test_two_rounds_at_once_do_not_share_twice(world: World) -> None:
    party_node = world.nodes["AL"]
    round_id = await world.begin()
    real = party_node.node.workers.run
    used: list[int] = []

    async def slow(task: object, argument: object, **how: bool) -> object:
        found = await real(task, argument, **how)  # type: ignore[arg-type]  # whatever it is
        if type(argument).__name__ == "EvaluateTask" and not used:
            used.append(1)
            with party_node.node.store.transaction("test.other_round") as session:
                for origin in ("RS", "SI"):
                    for kind in InputClass:
                        session.add(
                            DailyEvaluationRow(
                                origin=origin,
                                input_class=kind.value,
                                day=party_node.node.clock() // DAY,
                                round_id="f" * 32,
                                elements=LARGE,
                            )
                        )
        return found

    party_node.node.workers.run = slow  # type: ignore[method-assign, assignment]  # the other round's evaluations come between
    limit(party_node)
    await world.settle()
    assert used
    assert in_all(party_node) == 2 * len(InputClass) * LARGE
    assert "its own caps allow" in await problems(party_node, round_id)


def _room(party_node: PartyNode) -> int:
    with party_node.node.store.reading("test.room") as session:
        caps, place = party_node.node.settings.caps, ("RS", InputClass.PARTIAL)
        return evaluation_limits.allowance(session, party_node.node.clock, caps, place, LARGE).left


async def _reported(world: World, round_id: str) -> bool:
    return await world.phase(round_id) == "reporting"


@pytest.mark.more_rounds
async def test_the_newest_of_many_earlier_rounds_are_shown(world_after: WorldAfter) -> None:
    world, first = await world_after(round_with_hits)
    second, party_node = await world.propose(), world.nodes["AL"]
    await world.settle()
    older = [f"{number:032x}" for number in range(60)]
    with party_node.node.store.transaction("test.years") as session:
        row = dict(session.execute(select(RoundRow.__table__).filter_by(round_id=first)).mappings().one())
        for number, one in enumerate(older, start=1):
            values = row | {"round_id": one, "discovered_at": row["discovered_at"] - number}
            session.execute(insert(RoundRow).values(values))
            session.add(EvaluationCountRow(round_id=one, origin="RS", input_class="full", elements=number))
        sealed(session)
    found = await party_node.get(f"/rounds/{second}/safeguards")
    assert [one["round_id"] for one in found["earlier_rounds"]] == [first, *older[:49]]
    assert found["earlier_left_out"] == 11
