"""What the matcher publishes of a round, as a message: numbers by level and above, lists apart from queries."""

import pytest
from pydantic import ValidationError

from aquila.interface.statistics import HitTable, LevelHits, RoundStatistics
from aquila.matching.certainty import Level
from aquila.protocol.messages import Kind

HITS = LevelHits(high=10, medium="1-4", low=0, high_and_medium=15, all="<5")
TABLE = HitTable(kind=Kind.QUERY, hits=HITS, pairs=(), parties=())
ROUND = RoundStatistics(
    round_id="0" * 32,
    phase="closed",
    area="ct",
    category="suspects",
    created_at=1,
    matched_at=2,
    published=True,
    lists=(),
    hits=(TABLE,),
    known=(),
    outcomes=(),
    pair_outcomes=(),
)


def test_by_level_and_above() -> None:
    assert [HITS.of(level) for level in (Level.HIGH, Level.MEDIUM, Level.LOW)] == [10, 15, "<5"]


def test_lists_apart_from_queries() -> None:
    assert (ROUND.table(Kind.QUERY), ROUND.table(Kind.LIST)) == (TABLE, None)
    assert RoundStatistics.from_payload(ROUND.payload()) == ROUND


@pytest.mark.parametrize("number", [7, -5, "1-5", "5-9"])
def test_no_exact_number_is_one(number: int | str) -> None:
    """A number that is no multiple of 5 is refused, whoever made it."""
    with pytest.raises(ValidationError):
        LevelHits.model_validate(HITS.model_dump() | {"low": number})
