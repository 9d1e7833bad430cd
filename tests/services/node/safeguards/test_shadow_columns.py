"""Own tokens that the matcher's feed does not show are reported, until it shows them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from aquila.protocol.messages import StatementKind
from services.node.safeguards import shadow_columns
from services.node.storage.tables import StatementRow
from tests.support.node_steps import round_before_matching
from tests.support.played_worlds import WorldAfter
from tests.support.sentence_texts import texts

pytestmark = [pytest.mark.parties("AL", "RS"), pytest.mark.more_rounds]

MISSING = "took the statement of tokens for RS and does not show it in its feed"


@pytest.mark.parametrize(
    ("change", "seconds", "is_reported"),
    [({"refusal": "refused"}, 0, True), ({}, -601, True), ({}, -600, False), ({"sent": False}, -601, False)],
    ids=["refused", "long ago", "just now", "not taken"],
)
async def test_tokens_that_the_feed_does_not_show(
    world_after: WorldAfter, change: dict[str, Any], seconds: int, is_reported: bool
) -> None:
    world, round_id = await world_after(round_before_matching)
    party_node = world.nodes["AL"]
    node = party_node.node
    own = select(StatementRow).where(StatementRow.own, StatementRow.kind == StatementKind.TOKENS.value)

    def put(**values: Any) -> dict[str, Any]:
        with node.store.transaction("test.put") as session:
            row = session.scalars(own).one()
            before = {name: getattr(row, name) for name in values}
            for name, value in values.items():
                setattr(row, name, value)
            return before

    taken_at = node.rounds.of(round_id).read_at + seconds
    was = put(**{"event_id": None, "taken_at": taken_at} | change)
    shadow_columns.report_missing_tokens(node, round_id)
    problems = " ".join(texts((await party_node.round(round_id))["problems"]))
    assert (MISSING in problems) is is_reported
    put(**was)
    shadow_columns.report_missing_tokens(node, round_id)
    assert MISSING not in " ".join(texts((await party_node.round(round_id))["problems"]))
