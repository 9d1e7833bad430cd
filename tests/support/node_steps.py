"""Steps with hits and evaluation limits in the world of `node_world`, and looks at what services store of them."""

from typing import Any

from sqlalchemy import select

from aquila.records.rules import InputClass
from services.matcher.storage.tables import OutcomeCountRow
from services.node.safeguards import evaluation_limits
from services.node.settings import EvaluationCaps
from tests.support import stored_log
from tests.support.node_world import HEADER, LISTS, PartyNode, World
from tests.support.sentence_texts import texts

GIVEN = (
    "Arben",
    "Ilir",
    "Besa",
    "Mira",
    "Ana",
    "Petar",
    "Jovan",
    "Goran",
    "Milan",
    "Zoran",
    "Dragan",
    "Vesna",
    "Edon",
    "Luan",
)
FAMILY = (
    "Hoxha",
    "Kola",
    "Shehu",
    "Novak",
    "Petrović",
    "Janković",
    "Zupan",
    "Kos",
    "Kovač",
    "Horvat",
    "Berisha",
    "Gashi",
    "Krasniqi",
    "Marku",
)
PEOPLE = [
    f"{given},{family},19{50 + 3 * n}-0{1 + n % 9}-1{n % 10},\n"
    for n, (given, family) in enumerate(zip(GIVEN, FAMILY, strict=True))
]
LARGE = 1_000_000


def hit_path(hit: dict[str, Any], rest: str = "") -> str:
    return f"/rounds/{hit['round_id']}/hits/{hit['hit_id']}{rest}"


async def hit_with(party_node: PartyNode, counterpart: str) -> dict[str, Any]:
    """Return a node's hit with a counterpart, as its list has it."""
    page = await party_node.get(f"/hits?counterpart={counterpart}")
    hit: dict[str, Any] = page["hits"][0]
    return hit


async def does(party_node: PartyNode, hit: dict[str, Any], what: str, **body: Any) -> None:
    """Take a step with a hit, which is accepted."""
    answer = await party_node.post(hit_path(hit, f"/{what}"), json=body or None)
    assert answer.status_code in {202, 204}, answer.text


def kinds_in_log(party_node: PartyNode) -> list[str]:
    with party_node.node.store.reading("test.log") as session:
        return [entry.kind.value for _, entry in stored_log.entries(session) if entry is not None]


async def open_round(world: World) -> str:
    """Play a round until it is open: everyone has consented, and wishes to submit its list."""
    round_id = await world.begin()

    async def opened() -> bool:
        return await world.phase(round_id) == "open"

    await world.until(opened)
    return round_id


async def round_without_lists(world: World) -> str:
    """Play a round until everyone has consented and nothing is left to do; nobody has submitted anything."""
    round_id = await world.begin(lists=False)
    await world.settle()
    return round_id


async def round_before_matching(world: World, **options: Any) -> str:
    """Play a round until everyone has sent its tokens, which the matcher has not joined yet."""
    return await _until_sent(world, await world.begin(**options))


async def alike_before_matching(world: World) -> str:
    """As `round_before_matching`, of lists that are the same, so that each two have three hits."""
    round_id = await world.begin(lists=False)
    for party_node in world.nodes.values():
        await party_node.submit(round_id, await party_node.load(HEADER + LISTS["AL"]))
    return await _until_sent(world, round_id)


async def _until_sent(world: World, round_id: str) -> str:
    async def sent() -> bool:
        submissions = [(await party_node.round(round_id))["submissions"] for party_node in world.nodes.values()]
        return all(one and one[0]["state"] == "tokens_sent" for one in submissions)

    world.held.add("matching")
    await world.until(sent)
    world.held.clear()
    return round_id


async def round_with_hits(world: World) -> str:
    """Play a round until everyone has its hits and nothing is left to do; it is not closed."""
    round_id = await world.begin()
    await world.settle()
    return round_id


async def round_for_queries(world: World) -> str:
    """Play a round that takes queries until everyone has its hits among the lists."""
    round_id = await world.begin(mode="lists_and_queries")
    await world.settle()
    return round_id


async def closed_round(world: World) -> str:
    """Play a round until everyone has its hits and has destroyed its keys."""
    round_id = await round_with_hits(world)
    await world.operator.post(f"/v1/operator/rounds/{round_id}/close")
    await world.settle()
    assert await world.phase(round_id) == "closed"
    return round_id


def counts(world: World, round_id: str) -> set[tuple[str, str, str, str, int]]:
    with world.app.state.context.store.reading("test.outcomes") as session:
        rows = session.scalars(select(OutcomeCountRow).where(OutcomeCountRow.round_id == round_id)).all()
    return {(row.party, row.counterpart, row.certainty, row.outcome, row.hits) for row in rows}


async def answered(party_node: PartyNode, round_id: str) -> list[Any]:
    """Return the hits of the node's query."""
    hits = (await party_node.get(f"/rounds/{round_id}/hits"))["hits"]
    return [hit for hit in hits if hit["submission_id"]]


def limit(party_node: PartyNode, **caps: int) -> None:
    roomy = {f"{span}_{kind}": LARGE for span in ("day", "window") for kind in InputClass}
    party_node.node.settings = party_node.node.settings.model_copy(update={"caps": EvaluationCaps(**(roomy | caps))})


async def problems(party_node: PartyNode, round_id: str) -> str:
    """Return what the operator reads of a round's problems."""
    return " ".join(texts((await party_node.round(round_id))["problems"]))


def spent(party_node: PartyNode, origin: str, kind: InputClass) -> tuple[int, int]:
    """Return what a node has evaluated for a party today and in the window."""
    with party_node.node.store.reading("test.spent") as session:
        return evaluation_limits.spent(session, party_node.node.clock, party_node.node.settings.caps, origin, kind)
