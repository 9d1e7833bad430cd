"""Results that are kept, and the progress of lists that are read: both are forgotten with the process."""

import pytest

from services.kit.errors import NotFoundError
from services.kit.work.memory import PATIENCE, KeptResults, ListsInProgress
from tests.support.node_world import HEADER, World


def test_a_result_is_made_once_for_a_version() -> None:
    made: list[str] = []
    kept: KeptResults[int] = KeptResults()

    def get(subject: str, version: str) -> int:
        return kept.get(subject, version, lambda: made.append(f"{subject}{version}") or len(made))  # type: ignore[func-returns-value]

    assert [get("a", "1"), get("a", "1"), get("a", "2"), get("b", "1"), get("a", "2")] == [1, 1, 2, 3, 2]
    assert made == ["a1", "a2", "b1"]
    assert get("a", "1") == 4
    assert "a" not in repr(kept).partition("(")[2].partition("most")[0]


def test_the_one_that_was_asked_for_longest_ago_is_forgotten() -> None:
    kept: KeptResults[str] = KeptResults(most=3)
    for subject in "abcad":
        kept.get(subject, "", lambda subject=subject: subject)  # type: ignore[misc]
    assert kept.get("a", "", lambda: "new") == "a"
    assert kept.get("b", "", lambda: "new") == "new"


def test_results_that_are_large_together() -> None:
    """The oldest ones make room for a new one; one that is larger than all may be is made each time."""
    kept: KeptResults[str] = KeptResults(most=5, size_of=len)
    for made in ("aa", "bb", "ccc", "dddddd"):
        kept.get(made[0], "", lambda made=made: made)  # type: ignore[misc]
    assert [kept.get(subject, "", lambda: "") for subject in "bcda"] == ["bb", "ccc", "", ""]
    kept.forget(lambda subject: subject == "b")
    assert [kept.get(subject, "", lambda: "") for subject in "bc"] == ["", "ccc"]


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
