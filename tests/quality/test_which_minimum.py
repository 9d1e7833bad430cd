"""The advice on the minimum certainty follows from the figures on the same page."""

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "MATCHING.md").read_text("utf-8")


def table(after: str, before: str) -> list[list[str]]:
    """Return the cells of the rows between two texts of the page, without the table's head."""
    section = PAGE.split(after, 1)[1].split(before, 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    return rows[2:]


@pytest.fixture(scope="module")
def measured() -> dict[str, list[tuple[int, int, float]]]:
    found: dict[str, list[tuple[int, int, float]]] = {}
    for name, *cells in table("### Lists of another hand", "On one set"):
        levels = [re.fullmatch(r"(\d+), (\d+) \([\d.]+\), ([\d.]+)", cell) for cell in cells]
        found[name] = [(int(level[1]), int(level[2]), float(level[3])) for level in levels if level]
    assert all(len(levels) == 3 for levels in found.values())
    return found


def cumulated(levels: list[tuple[int, int, float]]) -> list[tuple[float, float]]:
    """Return for each minimum the share that is found, and the percentage of wrong hits."""
    sums = [tuple(map(sum, zip(*levels[: last + 1], strict=True))) for last in range(len(levels))]
    return [(recall, 100 * wrong / max(1, right + wrong)) for right, wrong, recall in sums]


def test_the_table_is_cumulated(measured: dict[str, list[tuple[int, int, float]]]) -> None:
    rows = table("<!-- cumulated from", "<!-- end -->")
    assert len(rows) == 7
    for name, *cells in rows:
        for place, (found, wrong) in enumerate(cumulated(measured[name])):
            assert float(cells[2 * place]) == pytest.approx(found, abs=0.0061)
            assert float(cells[2 * place + 1]) == pytest.approx(wrong, abs=0.051)


def test_the_advice_follows(measured: dict[str, list[tuple[int, int, float]]]) -> None:
    """Low costs few wrong hits on every set; where few are common medium finds a sixth, high hardly any."""
    every = {name: cumulated(levels) for name, levels in measured.items()}
    assert max(levels[2][1] for levels in every.values()) < 10
    assert max(levels[2][0] - levels[0][0] for name, levels in every.items() if name.startswith("population")) < 0.2
    few = every["1 of 1,000 shared, 2 x 200,000"]
    assert few[0][0] < 0.01
    assert few[1][0] == pytest.approx(1 / 6, abs=0.02)
    long = every["population, 2 x 200,000"]
    assert long[2][0] - long[0][0] == pytest.approx(1 / 6, abs=0.02)
    assert all(levels[1][0] > 0.9 * levels[2][0] for name, levels in every.items() if "2 x 5,000" in name)
