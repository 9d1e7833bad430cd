"""What the matcher publishes in numbers: each round by itself, when it has ended, and rounded."""

import csv
import io
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, update

from aquila.interface.statistics import OutcomeCount
from services.matcher import statistics
from services.matcher.storage.tables import (
    HitCountRow,
    KnownCountRow,
    ListCountRow,
    OutcomeCountRow,
    RoundingKeyRow,
    RoundRow,
)
from tests.support.matcher_world import BASE, World
from tests.support.people import FourEyes

pytestmark = pytest.mark.postgresql_soak

PATH = "/v1/operator/statistics"
PICTURE = "/v1/operator/picture"
DAY = 86_400
HITS = {("AL RS", "high"): 10_002, ("AL SI", "low"): 3, ("RS SI", "high"): 9}
KNOWN = {("high", 2): 9_800, ("high", 3): 4, ("medium", 2): 9_801, ("medium", 3): 4, ("low", 2): 9_803, ("low", 3): 5}


async def read(world: World, path: str = PATH, status: int = 200) -> Any:
    transport = FourEyes(httpx.ASGITransport(world.app), world.secretariat)
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        answer = await client.get(path)
    assert answer.status_code == status, answer.text
    return answer


async def round_with(
    three: World,
    hits: Mapping[tuple[str, str], int] = HITS,
    known: Mapping[tuple[str, int], int] = KNOWN,
    *,
    query: Mapping[tuple[str, str], int] | None = None,
    days: int = 0,
    ended: bool = True,
    **changes: Any,
) -> str:
    await three.propose(**changes)
    round_id, matched_at = three.round_id, three.clock() + days * DAY
    with three.context.store.transaction("test.counts") as session:
        for submission, of in (("", hits), ("9" * 32, query or {})):
            for (pair, level), count in of.items():
                left, right = pair.split()
                key = {"round_id": round_id, "submission_id": submission, "left": left, "right": right}
                session.add(HitCountRow(**key, certainty=level, hits=count))
        for (level, parties), persons in known.items():
            session.add(KnownCountRow(round_id=round_id, certainty=level, parties=parties, persons=persons))
        sent = [(party, "list") for party in ("AL", "RS", "SI")] + [("AL", "query")] * bool(query)
        for number, (party, kind) in enumerate(sent):
            session.add(
                ListCountRow(
                    round_id=round_id,
                    submission_id=f"{number}" * 32,
                    party=party,
                    kind=kind,
                    records=1_000,
                    matched_at=matched_at,
                )
            )
        if ended:
            values = {"ended_at": matched_at, "phase": "closed"}
            session.execute(update(RoundRow).where(RoundRow.round_id == round_id).values(**values))
    return round_id


def pairs_of(one: Any, kind: str = "list") -> dict[str, dict[str, int | str]]:
    [table] = [table for table in one["hits"] if table["kind"] == kind]
    return {f"{pair['left']}-{pair['right']}": pair["hits"] for pair in table["pairs"]}


async def test_a_large_number_stays_beside_a_small_one(three: World) -> None:
    """A pair of 10,002 hits, its party's and the levels' totals are there beside a pair of 3 and one of 9."""
    round_id = await round_with(three)
    found = (await read(three)).json()
    [one] = found["rounds"]
    assert (found["latest"], found["categories"]) == ([round_id], ["test"])
    shown = pairs_of(one)
    assert shown["AL-RS"]["high"] in {10_000, 10_005}
    assert shown["AL-RS"]["all"] == shown["AL-RS"]["high_and_medium"] == shown["AL-RS"]["high"]
    assert (shown["AL-SI"]["all"], shown["AL-SI"]["low"], shown["AL-SI"]["high"]) == ("1-4", "1-4", 0)
    assert shown["RS-SI"]["all"] in {5, 10}
    [table] = one["hits"]
    parties = {party["party"]: party["hits"]["all"] for party in table["parties"]}
    assert parties["RS"] == shown["AL-RS"]["all"] + shown["RS-SI"]["all"]
    assert table["hits"]["low"] == "1-4"
    assert abs(table["hits"]["all"] - sum(HITS.values())) <= 4 * len(HITS)
    known = {(of["certainty"], of["parties"]): of["persons"] for of in one["known"]}
    assert known.keys() == KNOWN.keys()
    assert all(abs(known[level, 2] - KNOWN[level, 2]) < 40 for level in ("high", "medium", "low"))


async def say_outcomes(three: World, round_id: str) -> None:
    key = {"round_id": round_id, "party": "AL", "counterpart": "RS", "certainty": "high"}
    with three.context.store.transaction("test.outcomes") as session:
        session.add_all(OutcomeCountRow(**key, outcome=word, hits=4) for word in ("confirmed", "refuted", "open"))


async def test_published_again_it_is_the_same(three: World) -> None:
    """Whenever it is asked for, after a restart, and in another round of the same lists; another key gives another."""
    hits = {
        (pair, level): 6 + number
        for number, (pair, level) in enumerate(
            (pair, level) for pair in ("AL RS", "AL SI", "RS SI") for level in ("high", "medium", "low")
        )
    }
    with three.context.store.transaction("test.key") as session:
        session.execute(update(RoundingKeyRow).values(key=b"a" * 32))
    await round_with(three, hits)
    await say_outcomes(three, first_id := three.round_id)
    first = (await read(three)).json()["rounds"][0]
    three.restart()
    await say_outcomes(three, await round_with(three, hits, days=30))
    again = {one["round_id"]: one for one in (await read(three)).json()["rounds"]}
    assert again.pop(first_id) == first
    [second] = again.values()
    assert all(second[name] == first[name] for name in ("hits", "known", "outcomes", "pair_outcomes"))
    assert first["outcomes"]
    with three.context.store.transaction("test.key") as session:
        session.execute(update(RoundingKeyRow).values(key=b"k" * 32))
    assert all(one["hits"] != first["hits"] for one in (await read(three)).json()["rounds"])
    with three.context.store.transaction("test.key") as session:
        session.execute(delete(RoundingKeyRow))
    await read(three, status=404)


async def test_numbers_come_when_the_round_has_ended(three: World) -> None:
    """Until then they change with each query, and a change would tell."""
    await round_with(three, ended=False)
    [one] = (await read(three)).json()["rounds"]
    assert (one["published"], one["hits"], one["known"]) == (False, [], [])
    assert len(one["lists"]) == 3


async def test_the_latest_of_a_category_and_never_a_sum(three: World) -> None:
    """Each round stands by itself; the latest is that whose lists were matched last, within the days that are asked."""
    first = await round_with(three)
    second = await round_with(three, days=10)
    await round_with(three, days=20, ended=False)
    other = await round_with(three, days=5, category="another")
    found = (await read(three)).json()
    assert found["latest"] == [other, second]
    assert {one["round_id"]: pairs_of(one)["AL-RS"]["all"] for one in found["rounds"] if one["published"]}.keys() == {
        first,
        second,
        other,
    }
    day = datetime.fromtimestamp(three.clock(), UTC).astimezone().date()
    within = (await read(three, f"{PATH}?category=test&until={day + timedelta(days=5)}")).json()
    assert (within["latest"], len(within["rounds"])) == ([first], 1)
    after = (await read(three, f"{PATH}?since={day + timedelta(days=6)}&until={day + timedelta(days=12)}")).json()
    assert (after["latest"], len(after["rounds"]), after["categories"]) == ([second], 1, ["another", "test"])
    assert (await read(three, f"{PATH}?since={day + timedelta(days=90)}")).json()["latest"] == []
    await read(three, f"{PATH}?since=yesterday", 422)


async def test_rounds_come_in_parts(three: World) -> None:
    """A part has its rounds and how many there are; the latest of a category is named whichever part it is in."""
    made = [await round_with(three, days=day) for day in range(4)]
    whole = (await read(three)).json()
    assert (whole["offset"], whole["total"], len(whole["rounds"])) == (0, 4, 4)
    part = (await read(three, f"{PATH}?offset=1&limit=2")).json()
    assert part["rounds"] == whole["rounds"][1:3]
    assert (part["offset"], part["total"], part["latest"]) == (1, 4, [made[-1]])
    assert (await read(three, f"{PATH}?offset=4&limit=2")).json()["rounds"] == []
    await three.propose()
    waiting = three.round_id
    assert waiting in {one["round_id"] for one in (await read(three)).json()["rounds"]}
    compared = (await read(three, f"{PATH}?matched=true")).json()
    assert (compared["rounds"], compared["total"]) == (whole["rounds"], 4)
    await read(three, f"{PATH}?limit=0", 422)


async def test_the_picture_is_of_one_round_next_to_others(three: World) -> None:
    """The latest by default, of all or of a category; another one that is asked for; with totals of the others.

    A round whose numbers are not published is none of them, and the precision is that of the newest round with one.
    """
    assert (await read(three, PICTURE)).json()["round"] is None
    first = await round_with(three)
    await say(three, first, {("AL", "RS", "high", "confirmed"): 400})
    second = await round_with(three, days=1)
    await say(three, second, {("AL", "RS", "high", "confirmed"): 400, ("AL", "RS", "high", "refuted"): 400})
    third = await round_with(three, days=2)
    await round_with(three, days=3, ended=False)
    other = await round_with(three, days=4, category="another")
    rounds = {one["round_id"]: one for one in (await read(three)).json()["rounds"]}
    found = (await read(three, PICTURE)).json()
    assert (found["round"], found["categories"]) == (rounds[other], ["another", "test"])
    assert [one["round_id"] for one in found["rounds"]] == [other]
    assert found["precision"] == []
    found = (await read(three, f"{PICTURE}?category=test")).json()
    assert found["round"] == rounds[third]
    assert {one["round_id"] for one in found["rounds"]} == {first, second, third}
    for one in found["rounds"]:
        assert (one["lists"], one["hits"]) == (3, rounds[one["round_id"]]["hits"][0]["hits"])
    newest = next(one["round_id"] for one in found["rounds"] if one["round_id"] in {first, second})
    [high] = [one for one in rounds[newest]["outcomes"] if one["certainty"] == "high"]
    [precision] = found["precision"]
    assert precision["percent"] == high["precision"]
    refuted = 4 if high["refuted"] == "<5" else high["refuted"]
    assert precision["decided"] == (high["confirmed"] + refuted) // 2
    assert {one["round_id"]: one["confirmed"] for one in found["rounds"]} == {
        round_id: sum(of["confirmed"] for of in rounds[round_id]["outcomes"] if of["confirmed"] != "<5")
        for round_id in (first, second, third)
    }
    found = (await read(three, f"{PICTURE}?round_id={first}")).json()
    assert found["round"] == rounds[first]
    day = datetime.fromtimestamp(three.clock(), UTC).astimezone().date()
    within = (await read(three, f"{PICTURE}?until={day}")).json()
    assert (within["round"], len(within["rounds"])) == (rounds[first], 1)
    await read(three, f"{PICTURE}?round_id=x", 422)


async def say(three: World, round_id: str, said: Mapping[tuple[str, str, str, str], int]) -> None:
    with three.context.store.transaction("test.outcomes") as session:
        for (party, other, level, outcome), count in said.items():
            key = {"round_id": round_id, "party": party, "counterpart": other, "certainty": level}
            session.add(OutcomeCountRow(**key, outcome=outcome, hits=count))


async def test_queries_stand_apart_from_lists(three: World) -> None:
    """A query's hits are in no number of the lists; pairs that no query was about are not shown as compared."""
    await round_with(three, {("AL RS", "high"): 100}, query={("AL RS", "high"): 50, ("AL SI", "medium"): 2})
    [one] = (await read(three)).json()["rounds"]
    assert pairs_of(one)["AL-RS"]["all"] == 100
    assert {pair: hits["all"] for pair, hits in pairs_of(one, "query").items()} == {"AL-RS": 50, "AL-SI": "1-4"}
    assert pairs_of(one)["RS-SI"]["all"] == 0
    month = f"{datetime.fromtimestamp(three.clock(), UTC).astimezone():%Y-%m}"
    assert (await read(three, PICTURE)).json()["queries"] == [{"party": "AL", "month": month, "queries": 1}]


@pytest.mark.parametrize(
    ("said", "expected"),
    [((40, 0), (100, 20, 83, 100)), ((20, 20), (50, 20, 29, 71)), ((400, 400), (50, 400, 45, 55)), (("<5", 5), None)],
)
def test_interval_of_a_share(said: tuple[Any, Any], expected: tuple[int, ...] | None) -> None:
    """The interval is that of Wilson's score, computed from published numbers, for half of what both parties said."""
    confirmed, refuted = said
    of = OutcomeCount(
        certainty="high", confirmed=confirmed, refuted=refuted, unresolved=0, withdrawn=0, open=0, precision=None
    )
    percent = statistics._precision({"confirmed": confirmed, "refuted": refuted})
    assert (percent is None) == (expected is None)
    if percent is not None:
        found = statistics._level_precision(of, percent)
        assert (found.percent, found.decided, found.least, found.most) == expected


async def test_precision_is_made_of_published_numbers(three: World) -> None:
    """By level and by pair; where too few were right, nothing is said, and small cells are not counted at all."""
    round_id = await round_with(three, HITS | {("RS SI", "medium"): 20})
    said = {
        ("AL", "RS", "high", "confirmed"): 400,
        ("RS", "AL", "high", "confirmed"): 300,
        ("RS", "AL", "high", "refuted"): 100,
        ("AL", "SI", "low", "refuted"): 3,
        ("RS", "SI", "medium", "open"): 40,
    }
    await say(three, round_id, said)
    [one] = (await read(three)).json()["rounds"]
    levels = {of["certainty"]: of for of in one["outcomes"]}
    assert levels.keys() == {"medium", "high"}
    high = levels["high"]
    assert high["precision"] == 100 * high["confirmed"] // (high["confirmed"] + high["refuted"])
    assert 80 <= high["precision"] <= 94
    assert levels["medium"]["precision"] is None or levels["medium"]["confirmed"] != "<5"
    pairs = {f"{pair['left']}-{pair['right']}": pair for pair in one["pair_outcomes"]}
    assert pairs.keys() == {"AL-RS", "RS-SI"}
    assert 80 <= pairs["AL-RS"]["precision"] <= 94


async def test_as_csv(three: World) -> None:
    await round_with(three, query={("AL RS", "high"): 7}, category="=cmd|' /C calc'!A0")
    answer = await read(three, f"{PATH}.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {row["table"] for row in rows} >= {"hits", "persons known to", "records sent"}
    assert all(row["category"].startswith("'=") for row in rows)
    assert {"AL", "RS", "SI"} == {row["party"] for row in rows if row["counterpart"] == "all others"}
    numbers = [row["number"] for row in rows if row["table"] != "records sent"]
    assert all(number in {"1 to 4", "<5"} or int(number) % 5 == 0 for number in numbers)
    assert "1 to 4" in numbers  # as 1-4, a spreadsheet would read a date
    assert {row["number"] for row in rows if row["table"] == "hits" and row["kind"] == "query"} <= {"0", "5", "10"}


@pytest.mark.parametrize("ended", [False, True])
async def test_a_round_without_a_match(three: World, *, ended: bool) -> None:
    await three.propose()
    if ended:
        with three.context.store.transaction("test.end") as session:
            session.execute(update(RoundRow).values(ended_at=three.clock()))
    found = (await read(three)).json()
    [one] = found["rounds"]
    assert (found["latest"], one["matched_at"], one["published"]) == ([], None, ended)
    assert (one["hits"], one["lists"], one["known"], one["outcomes"]) == ([], [], [], [])
