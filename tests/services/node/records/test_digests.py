"""How often all records of a list are read between its import and its submission."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event

from aquila.audit.roles import Role
from services.kit.storage.store import Store
from services.node.records.stored_lists import checked_digest, recorded_digest
from services.node.storage.tables import ImportRow
from tests.support.node_world import HEADER, JUSTIFICATION, LISTS, PartyNode, World

pytestmark = pytest.mark.parties("AL", "RS")


@contextlib.contextmanager
def reads_of_records(store: Store) -> Iterator[list[str]]:
    found: list[str] = []

    def before_execute(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT") and "record.content" in statement:
            found.append("batch" if "record.position >= " in statement else "all")

    event.listen(store.engine, "before_cursor_execute", before_execute)
    try:
        yield found
    finally:
        event.remove(store.engine, "before_cursor_execute", before_execute)


async def ask(party_node: PartyNode, round_id: str, import_id: str) -> dict[str, Any]:
    wanted = {"import_id": import_id, "kind": "list", "justification": JUSTIFICATION}
    answer = await party_node.person(Role.OFFICER).post(f"/v1/rounds/{round_id}/submissions", json=wanted)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def test_a_list_without_a_digest_gets_one_by_one_reading(world: World) -> None:
    party_node = world.nodes["AL"]
    import_id = await party_node.load(HEADER + LISTS["AL"])
    recorded = recorded_digest(party_node.node.store, import_id)
    with party_node.node.store.transaction("test.forget") as session:
        session.get_one(ImportRow, import_id).digest = None
    with reads_of_records(party_node.node.store) as reads:
        assert checked_digest(party_node.node.store, import_id) == recorded
        assert reads == ["all"]
        assert recorded_digest(party_node.node.store, import_id) == recorded
        assert reads == ["all"]
