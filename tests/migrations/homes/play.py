"""Leave homes behind as a version of Aquila leaves them: rounds in every phase, with what people did in between.

It runs in a checkout of that version (`make.py` sees to it), with that version's own services and world of tests, and
so uses nothing that the oldest kept version has not got. What this version tells of its rounds goes into `told.json`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

try:
    from services.matcher.storage.tables import EventRow
    from tests.support.clock import Clock
    from tests.support.node_world import HEADER, World, make_world
except ImportError:  # versions before every module had its room
    from services.matcher.tables import EventRow  # type: ignore[no-redef]  # as the comment says
    from tests.unit.services.node.conftest import HEADER, Clock, World, make_world  # type: ignore[no-redef]  # likewise
try:
    from aquila.audit.roles import Role
except ImportError:  # before there were persons, and all that they do
    Role = None  # type: ignore[assignment, misc]  # as the comment says

LISTS = {
    "AL": "al-1,Arben,Hoxha,1980-03-04,\nal-2,Ilir,Kola,1975-01-02,\n",
    "RS": "rs-1,Arben,Hoxha,1980-03-04,\nrs-2,Dragan,Petrović,1971-05-06,\n",
    "SI": "si-1,Драган,Петровић,1971-05-06,\nsi-2,Ilir,Kola,1975-01-02,\n",
}
EVALUATIONS_BEFORE_THE_STOP = 5


def nodes_of(world: World) -> Any:
    """Return the nodes of a world by party; worlds of earlier versions call them seats."""
    return world.nodes if hasattr(world, "nodes") else world.seats


async def begin(world: World, consenting: str = "AL RS SI", submitting: str = "AL RS SI", **terms: Any) -> str:
    """Propose a round a while later, let parties consent and submit their lists, and return its id."""
    world.clock.time += 600  # longer than nonces are kept: they would be a tenth of what is stored
    round_id = await world.propose(**terms)
    await world.settle()
    for code in consenting.split():
        answer = await nodes_of(world)[code].post(f"/rounds/{round_id}/consent")
        assert answer.status_code == 202, answer.text
    for code in submitting.split():
        seat = nodes_of(world)[code]
        answer = await seat.submit(round_id, await seat.load(HEADER + LISTS[code]))
        assert answer.status_code == 202, answer.text
    return round_id


async def asks(world: World, round_id: str) -> None:
    """Let AL ask for a person whom RS has in its list."""
    seat = nodes_of(world)["AL"]
    wanted = await seat.load(HEADER + "q-1,Драган,Петровић,1971-05-06,\n", "query")
    answer = await seat.submit(round_id, wanted, "query")
    assert answer.status_code == 202, answer.text
    await world.settle()


async def ends(world: World, round_id: str, how: str, body: dict[str, str] | None = None) -> None:
    """Let the secretariat end a round."""
    answer = await world.operator.post(f"/v1/operator/rounds/{round_id}/{how}", json=body)
    assert answer.is_success, answer.text
    await world.settle()


def context_of(world: World) -> Any:
    """Return the matcher's context; worlds of earlier versions call it desk."""
    state = world.app.state
    return state.context if hasattr(state, "context") else state.desk


def evaluations(world: World) -> int:
    """Return how many evaluated chunks the matcher was ever sent."""
    with context_of(world).store.reading("play.evaluations") as session:
        return session.scalar(select(func.count()).where(EventRow.kind == "evaluation")) or 0


async def office(world: World, closed: str, proposed: str) -> None:
    """Do what people do around a round: follow hits up, withdraw one, keep a view, suggest a round, ask."""
    seat = nodes_of(world)["AL"]
    hits = {hit["record_id"]: hit for hit in (await seat.get(f"/rounds/{closed}/hits"))["hits"]}
    followed, withdrawn = (f"/rounds/{closed}/hits/{hits[record]['hit_id']}" for record in ("al-1", "al-2"))
    suggestion = {
        "participants": ["AL", "RS"], "area": "counter-terrorism", "legal_basis": "PCC SEE", "purpose": "find persons",
        "category": "fighters",
    }  # fmt: skip
    calls: list[tuple[str, dict[str, str | list[str]] | None]] = [
        (f"{followed}/acknowledge", None),
        (f"{followed}/decision", {"decision": "same", "remark": "the same photograph"}),
        (f"{followed}/follow-up", {"channel": "siena", "urgency": "urgent"}),
        (f"{followed}/reference", {"reference": "SIENA-4711"}),
        (f"{withdrawn}/withdrawal", {"ground": "incorrect"}),
        ("/suggestions", suggestion),
    ]
    for path, body in calls:
        answer = await seat.post(path, json=body)
        assert answer.is_success, answer.text
    analyst, officer = seat.person(Role.ANALYST), seat.person(Role.OFFICER)
    kept = await analyst.post("/v1/hit-views", json={"name": "mine", "shows": {"certainty": "high"}})
    assert kept.is_success, kept.text
    asked = await officer.post(f"/v1/rounds/{proposed}/consent")
    assert asked.is_success, asked.text
    await world.settle()


def enrol(database: Path) -> None:
    """Give the accounts of the tests a password's hash, as accounts have that somebody enrolled at."""
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'account'").fetchone():
            connection.execute("UPDATE account SET password_hash = 'none'")


async def told(world: World, named: dict[str, str]) -> dict[str, Any]:
    """Return what the version says of its rounds: the phase, and each party's hits."""
    rounds = {}
    for name, round_id in named.items():
        hits = {}
        for code, seat in nodes_of(world).items():
            found = (await seat.get(f"/rounds/{round_id}/hits"))["hits"]
            hits[code] = sorted([hit["record_id"], hit["counterpart"], hit["certainty"]] for hit in found)
        rounds[name] = {"round_id": round_id, "phase": await world.phase(round_id), "hits": hits}
    return rounds


async def play(folder: Path) -> None:
    """Make the homes, play the rounds, and write down what is told of them."""
    world = make_world(folder, Clock())
    named = {"closed": await begin(world, mode="lists_and_queries")}
    await world.settle()
    await asks(world, named["closed"])
    await ends(world, named["closed"], "close")
    named["aborted"] = await begin(world)
    await world.settle()
    await ends(world, named["aborted"], "abort", {"reason": "played out"})
    named["reporting"] = await begin(world)
    await world.settle()
    named["open"] = await begin(world, submitting="AL SI")
    named["consented"] = await begin(world, "AL RS", "")
    named["proposed"] = await begin(world, "", "")
    await world.settle()
    if Role is not None:
        await office(world, named["closed"], named["proposed"])
    before = evaluations(world)
    named["evaluating"] = await begin(world, **({} if Role is None else {"canaries": 1}))
    await world.until(lambda: evaluations(world) >= before + EVALUATIONS_BEFORE_THE_STOP)
    (folder / "told.json").write_text(json.dumps(await told(world, named), indent=1, sort_keys=True) + "\n")
    for seat in nodes_of(world).values():
        seat.stop()
        enrol(seat.home / "node.db")
    context_of(world).close()
    enrol(folder / "matcher" / "matcher.db")


if __name__ == "__main__":
    asyncio.run(play(Path(sys.argv[1])))
