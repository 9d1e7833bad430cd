"""A party submits a grid of names and dates: its node refuses it; what a dishonest node sends, the matcher flags."""

from itertools import product

import pytest

from aquila.audit.entries import Entry
from aquila.protocol import submission_plan
from tests.support import stored_log
from tests.support.node_world import HEADER, PartyNode, World
from tests.support.sentence_texts import texts

pytestmark = pytest.mark.rounds

GUESSES = [
    (given, family, f"19{50 + year}-0{1 + year % 9}-1{year % 10}")
    for given, family, year in product(("Arben", "Ilir", "Besa"), ("Hoxha", "Kola", "Shehu"), range(20))
]


async def test_its_own_node_refuses_it(world: World) -> None:
    """The officer reads why, the log has an entry without a name, and another list may be submitted."""
    round_id = await world.begin(lists=False)
    party_node = world.nodes["SI"]
    grid = "".join(f"g-{n},{given},{family},{born},\n" for n, (given, family, born) in enumerate(GUESSES))
    await party_node.submit(round_id, await party_node.load(HEADER + grid))
    await world.settle()
    view = await party_node.round(round_id)
    assert view["submissions"][0]["state"] == "failed"
    assert "looks like guesses" in " ".join(texts(view["problems"]))
    entries = [entry for entry in _log(party_node) if entry.kind == "submission_refused"]
    assert [entry.counts["records"] for entry in entries] == [len(GUESSES)]
    assert entries[0].ids["submission"] == view["submissions"][0]["submission_id"]
    assert "Hoxha" not in entries[0].content().decode()
    answer = await party_node.submit(round_id, await party_node.load(HEADER + "si-1,Ana,Novak,1985-07-07,\n"))
    assert answer.status_code == 202


async def test_the_matcher_flags_what_a_dishonest_node_lets_through(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that neither judges nor holds back sends a value more often than the limit, which the matcher sees."""
    monkeypatch.setattr(submission_plan, "check_entropy", lambda _traits: None)
    monkeypatch.setattr(submission_plan, "_frequent", lambda *_: [])
    round_id = await world.begin(lists=False)
    for code, party_node in world.nodes.items():
        lines = GUESSES if code == "SI" else [("Ana", "Novak", "1985-07-07"), ("Mira", code, "1960-01-02")]
        content = "".join(f"g-{n},{given},{family},{born},\n" for n, (given, family, born) in enumerate(lines))
        await party_node.submit(round_id, await party_node.load(HEADER + content))

    async def reported() -> bool:
        return await world.phase(round_id) == "reporting"

    await world.until(reported)
    view = (await world.operator.get(f"/v1/operator/rounds/{round_id}")).json()
    assert texts(view["flags"])
    assert all(flag.startswith("list of SI: ") for flag in texts(view["flags"]))
    assert "occur in more than 8 records, up to 20" in " ".join(texts(view["flags"]))


def _log(party_node: PartyNode) -> list[Entry]:
    with party_node.node.store.reading("test.log") as session:
        return [entry for _, entry in stored_log.entries(session) if entry is not None]
