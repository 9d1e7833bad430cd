"""Results that are kept: made once for a version, and the oldest forgotten first."""

from services.kit.work.memory import KeptResults


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
