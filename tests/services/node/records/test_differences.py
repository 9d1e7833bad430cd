"""The records of a stored list, and what changed from the list before."""

import pytest

from tests.support.node_world import HEADER, World

FIRST = "a-1,Mira,Janković,1988-08-08,\na-2,Ana,Novak,1985-01-02,\na-3,Eva,Kos,1970-01-02,\n"
SECOND = "a-1,Mira,Janković,1988-08-08,\na-2,Ana,Novak,1985-01-03,\na-4,Iva,Kos,1971-01-02,\na-5,Ivo,Kos,1972-01-02,\n"


pytestmark = pytest.mark.parties("AL", "RS")


async def test_a_list_is_compared_with_the_one_before(world: World) -> None:
    """By the party's own identifiers: what is new, gone, changed and the same; the first list is compared with none."""
    al = world.nodes["AL"]
    first = await al.load(HEADER + FIRST, "first")
    world.clock.time += 60
    second = await al.load(HEADER + SECOND, "second")
    found = await al.get(f"/imports/{second}/difference")
    assert (found["previous"], found["previous_name"]) == (first, "first")
    assert [found[name] for name in ("added", "removed", "changed", "unchanged")] == [2, 1, 1, 1]
    assert (found["added_ids"], found["removed_ids"], found["changed_ids"]) == (["a-4", "a-5"], ["a-3"], ["a-2"])
    alone = await al.get(f"/imports/{first}/difference")
    assert (alone["previous"], alone["added"]) == (None, 0)
    assert (await al.operator.get(f"/v1/imports/{'0' * 32}/difference")).status_code == 404


async def test_a_list_is_looked_through_page_by_page(world: World) -> None:
    al = world.nodes["AL"]
    rows = "".join(f"p-{number},Ana,Novak,1985-01-02,\n" for number in range(120))
    import_id = await al.load(HEADER + rows)
    page = await al.get(f"/imports/{import_id}/records")
    assert (len(page["records"]), page["total"], page["records"][0]["record_id"]) == (50, 120, "p-0")
    last = (await al.operator.get(f"/v1/imports/{import_id}/records", params={"offset": "100"})).json()
    assert [one["position"] for one in last["records"]] == list(range(100, 120))
    assert (await al.operator.get(f"/v1/imports/{'0' * 32}/records")).status_code == 404
