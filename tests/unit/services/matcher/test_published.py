"""What the matcher publishes in numbers: sums over what is not small, and nothing else."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import httpx

from services.matcher.tables import HitCountRow, KnownCountRow, ListCountRow, OutcomeCountRow
from tests.people import FourEyes
from tests.unit.services.matcher.world import BASE

if TYPE_CHECKING:
    from tests.unit.services.matcher.world import World

PATH = "/v1/operator/statistics"
KNOWN = [("high", 2, 20), ("high", 4, 8), ("medium", 2, 30), ("medium", 3, 2), ("medium", 4, 8), ("low", 2, 33),
         ("low", 3, 11), ("low", 4, 8)]  # fmt: skip


async def read(world: World, path: str = PATH) -> Any:
    """Return what the operator's interface answers."""
    transport = FourEyes(httpx.ASGITransport(world.app), world.secretariat)
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer


def known_of(one: Any) -> dict[str, dict[int, int | None]]:
    """Return the persons known of a round, by level and number of parties."""
    found: dict[str, dict[int, int | None]] = {}
    for known in one["known"]:
        found.setdefault(known["certainty"], {})[known["parties"]] = known["persons"]
    return found


async def round_with(three: World, **changes: Any) -> str:
    """Propose a round and store counts as a match does."""
    await three.propose(**changes)
    round_id = three.round_id
    outcomes = {("AL", "RS", "confirmed"): 40, ("RS", "AL", "confirmed"): 30, ("RS", "AL", "refuted"): 2,
                ("AL", "SI", "refuted"): 8, ("AL", "SI", "open"): 7}  # fmt: skip
    with three.desk.store.transaction("test.counts") as session:
        for pair, certainty, hits in (("AL RS", "high", 40), ("AL SI", "low", 3), ("RS SI", "high", 9)):
            left, right = pair.split()
            session.add(
                HitCountRow(round_id=round_id, submission_id="", left=left, right=right, certainty=certainty, hits=hits)
            )
        for level, parties, persons in KNOWN:
            session.add(KnownCountRow(round_id=round_id, certainty=level, parties=parties, persons=persons))
        for (party, other, outcome), hits in outcomes.items():
            session.add(
                OutcomeCountRow(
                    round_id=round_id, party=party, counterpart=other, certainty="high", outcome=outcome, hits=hits
                )
            )
        session.add(
            ListCountRow(round_id=round_id, submission_id="0" * 32, party="AL", kind="list", records=1000, matched_at=7)
        )
    return round_id


async def test_small_numbers_are_held_back(three: World) -> None:
    """A pair of 3 hits and the next smallest are not shown; sums add up what is shown and say what they lack."""
    await round_with(three)
    [one] = (await read(three)).json()["rounds"]
    assert one["hits"] == 52
    assert {f"{pair['left']}-{pair['right']}": pair["hits"] for pair in one["pairs"]} == {
        "AL-RS": 40, "AL-SI": None, "RS-SI": None,
    }  # fmt: skip
    assert one["parties"][2] == {"party": "SI", "hits": 0, "withheld": 2}
    assert [level["hits"] for level in one["levels"]] == [None, None, None]
    assert known_of(one) == {
        "medium": {2: 30, 3: None, 4: None},
        "high": {2: 20, 4: 8},
        "low": {2: None, 3: 11, 4: 8},  # 33 and 30 would tell of three persons
    }
    assert one["lists"] == [{"party": "AL", "kind": "list", "records": 1000, "matched_at": 7}]


async def test_precision_is_what_published_numbers_say_at_least(three: World) -> None:
    """What is held back of the refuted counts at its most; nothing follows from the percentage."""
    await round_with(three)
    [one] = (await read(three)).json()["rounds"]
    [high] = one["outcomes"]
    assert (high["confirmed"], high["refuted"], high["precision_at_least"]) == (70, 10, 87)
    pairs = {f"{pair['left']}-{pair['right']}": pair for pair in one["pair_outcomes"]}
    assert (pairs["AL-RS"]["refuted"], pairs["AL-RS"]["precision_at_least"]) == (None, None)
    assert pairs["AL-SI"]["precision_at_least"] is None


async def test_precision_is_never_said_too_high(three: World) -> None:
    """Where refuted hits are held back beside a small number, and are more than few, nothing is said of the level."""
    await three.propose()
    key = {"round_id": three.round_id, "party": "AL", "counterpart": "RS", "certainty": "high"}
    with three.desk.store.transaction("test.counts") as session:
        for outcome, hits in (("confirmed", 40), ("refuted", 6), ("unresolved", 3)):
            session.add(OutcomeCountRow(**key, outcome=outcome, hits=hits))
    [one] = (await read(three)).json()["rounds"]
    for found in (one["outcomes"][0], one["pair_outcomes"][0]):
        assert (found["confirmed"], found["refuted"], found["precision_at_least"]) == (None, None, None)


async def test_over_rounds_what_was_published_is_added(three: World) -> None:
    """The picture adds the published numbers of rounds of a category, so a later round shows no small one."""
    await round_with(three)
    await round_with(three)
    await round_with(three, category="=cmd|' /C calc'!A0")
    found = (await read(three, f"{PATH}?category=test")).json()
    cells = {f"{cell['left']}-{cell['right']}": cell["hits"] for cell in found["picture"] if cell["certainty"] == "low"}
    assert cells["AL-RS"] == {"count": 80, "withheld": 0}
    assert cells["AL-SI"] == {"count": 0, "withheld": 2}
    assert [
        (one["parties"], one["persons"]["count"]) for one in found["known"] if one["certainty"] == "medium"
    ] == [(2, 60), (3, 0), (4, 0)]  # fmt: skip
    assert len(found["rounds"]) == 2


async def test_pairs_by_level(three: World) -> None:
    """A pair is split by level where none of its levels is small; the sums of levels give no other pair away."""
    await three.propose()
    counts = [("AL RS", "high", 40), ("AL RS", "medium", 12), ("AL SI", "high", 20), ("AL SI", "medium", 3),
              ("RS SI", "high", 9), ("RS SI", "low", 30), ("RS SI", "medium", 8)]  # fmt: skip
    with three.desk.store.transaction("test.counts") as session:
        for pair, level, hits in counts:
            left, right = pair.split()
            key = {"round_id": three.round_id, "submission_id": "", "left": left, "right": right}
            session.add(HitCountRow(**key, certainty=level, hits=hits))
        session.add(
            ListCountRow(
                round_id=three.round_id, submission_id="0" * 32, party="AL", kind="list", records=9, matched_at=7
            )
        )
    found = (await read(three)).json()
    [one] = found["rounds"]
    parts = {f"{part['left']}-{part['right']} {part['certainty']}": part["hits"] for part in one["pair_levels"]}
    # Of AL and SI nothing is told, and as the levels' sums would tell it, nothing of the smaller other pair.
    assert parts == {
        "AL-RS high": 40, "AL-RS medium": 52, "AL-SI high": None, "AL-SI medium": None,
        "RS-SI high": None, "RS-SI medium": None,
    }  # fmt: skip
    cells = {f"{cell['left']}-{cell['right']} {cell['certainty']}": cell["hits"]["count"] for cell in found["picture"]}
    assert (cells["AL-RS high"], cells["AL-SI low"], cells["RS-SI low"]) == (40, 23, 47)
    assert "AL,RS,high and medium,52" in (await read(three, f"{PATH}.csv")).text


async def test_as_csv(three: World) -> None:
    """One number a row, none of them small, and no cell that a spreadsheet would calculate."""
    await round_with(three, category="=cmd|' /C calc'!A0")
    answer = await read(three, f"{PATH}.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {row["table"] for row in rows} >= {"hits", "outcomes", "picture", "persons known to", "records sent"}
    assert all(row["category"].startswith("'=") for row in rows)
    numbers = [int(row["count"]) for row in rows if row["count"] and row["withheld"] == ""]
    assert all(number >= 5 for number in numbers)


async def test_a_round_without_a_match(three: World) -> None:
    """Before the match there is nothing to show, nothing fails, and the picture lacks nothing for it."""
    await three.propose()
    found = (await read(three)).json()
    [one] = found["rounds"]
    assert (found["picture"], found["known"]) == ([], [])
    assert (one["hits"], one["lists"], one["known"], one["outcomes"]) == (None, [], [], [])
