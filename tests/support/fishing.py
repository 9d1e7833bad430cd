"""A round in which a query fishes: it asks for nearly everyone on another party's list, which raises its alarm."""

from typing import Any

from sqlalchemy import select

from services.node.storage.tables import SubmissionRow
from tests.support.node_steps import PEOPLE
from tests.support.node_world import HEADER, PartyNode, World

OF_SI = "Tone,Kranjc,1971-03-04,\n"
"""A person on the list of SI, which has no alarm."""


async def fishing(world: World) -> tuple[str, str]:
    """Play a round in which RS asks for everyone on AL's list and one person of SI's, until AL has the report."""
    round_id = await world.begin(lists=False, mode="lists_and_queries")
    lists = {"AL": PEOPLE, "RS": ["Mira,Marić,1970-01-02,\n"], "SI": [OF_SI]}
    for code, party_node in world.nodes.items():
        rows = "".join(f"{code}-{n},{line}" for n, line in enumerate(lists[code]))
        await party_node.submit(round_id, await party_node.load(HEADER + rows))

    async def reporting() -> bool:
        return await world.phase(round_id) == "reporting"

    await world.until(reporting)
    await world.settle()
    party_node = world.nodes["RS"]
    question = HEADER + "".join(f"q-{n},{line}" for n, line in enumerate([*PEOPLE, OF_SI]))
    answer = await party_node.submit(round_id, await party_node.load(question, "query"), "query")
    await world.settle()
    return round_id, submission_of(answer, party_node)


def submission_of(answer: Any, party_node: PartyNode) -> str:
    """Return the id of the query, from the node's newest submission."""
    with party_node.node.store.reading("test.query") as session:
        found = session.scalars(select(SubmissionRow.submission_id).where(SubmissionRow.kind == "query")).one()
    assert answer.status_code in {200, 201, 202}
    return found
