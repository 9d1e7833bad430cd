"""Making homes with many rounds, on which services are started and measured."""

import time
from pathlib import Path

import httpx

from tests.bench.records import write_list
from tests.support.clock import Clock
from tests.support.large_world import closed_round_with_queries, copy_closed_round
from tests.support.node_world import HEADER, JUSTIFICATION, LISTS, World, make_world

_CONSENTED = 5  # of so many open rounds one waits for lists, the others for consents
_HOUR, _DAY = 3_600, 86_400
_POOL = 22  # tenths of the hits: each list has half of the pool, so two parties have a quarter in common


async def make_homes(folder: Path, open_rounds: int, closed: int, statements: int, hits: int) -> None:
    """Make the homes `matcher`, `AL`, `RS` and `SI` in a folder, and stop the services.

    Args:
        open_rounds: Rounds that wait for consents or lists.
        statements: Signed statements of each of these, at the matcher; a node has those that it sees.
        hits: At least so many has the node of Albania of one more round, which is not closed; none for no such round.
    """
    world = make_world(folder, Clock(int(time.time()) - 2 * _HOUR))
    try:
        first = await closed_round_with_queries(world, statements)
        _tell("a round was played")
        copy_closed_round(world, first, closed - 1, tell=_tell)
        for party_node in world.nodes.values():
            party_node.restart()
        for number in range(open_rounds):
            began = time.process_time()
            if number % _CONSENTED:
                await world.propose()
            else:
                await world.begin(lists=False)
            await world.settle()
            _tell(f"{number + 1} rounds are open, the last in {time.process_time() - began:.1f} s of processor")
        # Last: otherwise each step of the open rounds would look at its hits.
        if hits:
            await _round_with_hits(world, folder, hits)
            _tell("a round with many hits was played")
    finally:
        await world.close()


async def _round_with_hits(world: World, folder: Path, hits: int) -> None:
    """Play a round of long lists until its hits are confirmed, and let a standing query, queries and others wait."""
    round_id = await world.propose(rules="exact", mode="lists_and_queries")
    for code, party_node in world.nodes.items():
        path = folder / f"{code}.csv"
        write_list(path, code, hits, pool=_POOL * hits // 10)
        import_id = await party_node.load(path.read_text(encoding="utf-8"), path.name)
        await party_node.post(f"/rounds/{round_id}/consent")  # declares as much as the longest list needs
        answer = await party_node.submit(round_id, import_id)
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        path.unlink()
    await world.settle(most=2_000)
    al = world.nodes["AL"]
    header, *own = (HEADER + LISTS["AL"]).splitlines()
    await al.load("\n".join([header, *(f"{n}-{line}" for n in range(hits // 2) for line in own)]), "everybody often")
    found = (await al.get("/hits?limit=1"))["total"]
    assert found >= hits, f"{found} hits"
    person = {"given_names": "Arben", "family_names": "Hoxha", "date_of_birth": "1980-03-04"}
    asked = {
        "round_id": round_id,
        "persons": [person],
        "justification": JUSTIFICATION,
        "until": world.clock() + 30 * _DAY,
    }
    answer = await al.post("/standing-queries", json=asked)
    assert answer.status_code == httpx.codes.ACCEPTED, answer.text


def _tell(text: str) -> None:
    print(text, flush=True)
