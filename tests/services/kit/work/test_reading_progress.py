"""Progress of a list that a node reads, under a key that its caller chose."""

import pytest

from services.kit.errors import NotFoundError
from services.kit.work.memory import PATIENCE, ListsInProgress
from tests.support.node_world import HEADER, World

KEY = "ab" * 16


def test_rows_are_counted_as_long_as_a_list_is_read() -> None:
    lists = ListsInProgress()
    with lists.reading(KEY) as read, lists.reading(None) as other:
        read.rows += 3
        other.rows += 1
        assert lists.find(KEY).rows == 3
    with pytest.raises(NotFoundError):
        lists.find(KEY)


def test_nobody_waits_for_a_list_of_which_nobody_asks() -> None:
    """Each question begins the time anew; a list without a key, and one that is not read, is not waited for at all."""
    now = [0.0]
    lists = ListsInProgress(lambda: now[0])
    with lists.reading(KEY), lists.reading(None):
        now[0] = PATIENCE
        assert not lists.is_forgotten(KEY)
        lists.find(KEY)
        now[0] += PATIENCE
        assert not lists.is_forgotten(KEY)
        now[0] += 1
        assert lists.is_forgotten(KEY)
        assert not lists.is_forgotten(None)
    assert not lists.is_forgotten(KEY)


async def test_a_call_counts_under_its_key(world: World) -> None:
    """Checking and storing take a key; once they are over, nothing is known of it."""
    al = world.nodes["AL"]
    content = (HEADER + "a-1,Mira,Janković,1988-08-08,\n").encode()
    for path, status in (("/records/check", 200), ("/imports", 201)):
        answer = await al.post(path, params={"name": "persons", "progress": KEY}, content=content)
        assert answer.status_code == status
        assert (await al.operator.get(f"/v1/records/progress/{KEY}")).status_code == 404
    assert (await al.post("/records/check", params={"progress": "short"}, content=content)).status_code == 422
