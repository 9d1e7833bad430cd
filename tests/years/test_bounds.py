"""The check names what is above its bound."""

from tests.years.answer_costs import AnswerCost
from tests.years.bounds import (
    ANSWER_MILLISECONDS,
    IDLE_PERCENT,
    START_SECONDS,
    WHOLE_BYTES,
    Figure,
    over_bounds,
    table_of,
)


def test_a_check_names_what_is_above_its_bound() -> None:
    figures = [
        Figure("sqlite", "matcher", "start", START_SECONDS, "s", START_SECONDS),
        Figure("sqlite", "AL", "memory", 10_000, "MiB"),
        Figure("postgresql", "AL", "at rest", 1.5 * IDLE_PERCENT, "%", IDLE_PERCENT),
        AnswerCost("node", "/hits", 3 * ANSWER_MILLISECONDS, ANSWER_MILLISECONDS).figure("sqlite"),
        AnswerCost("node", "/hits?sort=name", judged=2 * ANSWER_MILLISECONDS).figure("sqlite"),
        AnswerCost("node", "/new/{page}", is_missing=True).figure("sqlite"),
    ]
    over = over_bounds(figures)
    assert [one.what.split("`")[1] if "`" in one.what else one.what for one in over] == [
        "/new/{page}",
        "/hits?sort=name",
        "at rest",
    ]
    assert "| postgresql | AL | at rest | 1.50 % | 1 |" in list(table_of(over))


def test_all_there_is_of_a_round_may_cost_more() -> None:
    bounds = {
        address: AnswerCost("node", address, size=2 * WHOLE_BYTES + 1).most
        for address in (
            "/v1/rounds/.../hits",
            "/v1/operator/log/rounds/...",
            "/v1/rounds/...",
            "/v1/hits?limit=50",
            "/hits",
        )
    }
    assert list(bounds.values()) == [3 * ANSWER_MILLISECONDS] * 2 + [ANSWER_MILLISECONDS] * 3
    assert AnswerCost("node", "/v1/rounds/.../hits").most == ANSWER_MILLISECONDS
