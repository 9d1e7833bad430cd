"""The elements of a list and its queries, and the names that they could guess."""

import pytest

from aquila.protocol.messages import ClassCounts
from aquila.protocol.submissions.caps import elements_for, percent_by_names, records_for
from aquila.simulation import DEFAULT_PADDING, NO_PADDING


@pytest.mark.parametrize(("elements", "percent"), [(0, 0), (298, 0), (299, 10), (4_835, 40), (4_836, 50), (10**9, 90)])
def test_the_table_is_read_downwards(elements: int, percent: int) -> None:
    """Between two of its rows the smaller share counts, and above the last one no more is claimed."""
    assert percent_by_names(elements) == percent


def test_elements_follow_from_padded_records() -> None:
    """A list counts as it is padded and as a hundred records at least; a query as one multiple."""
    assert elements_for(DEFAULT_PADDING, 5_001, 0) == ClassCounts(full=51_000, partial=15 * 5_100, coarse=17 * 5_100)
    assert elements_for(DEFAULT_PADDING, 5_001, 10).full == 10 * 6_100
    assert elements_for(NO_PADDING, 3, 10).full == 10 * 110


def test_records_follow_from_elements() -> None:
    """As many as the class says that is enough for more of them, a begun one counted."""
    assert records_for(elements_for(DEFAULT_PADDING, 5_001, 0)) == 5_100
    assert [records_for(ClassCounts(full=full, partial=0, coarse=0)) for full in (0, 10, 11)] == [0, 1, 2]
    assert records_for(ClassCounts(full=8, partial=31, coarse=17)) == 3
    assert records_for(ClassCounts(full=8, partial=15, coarse=52)) == 4
