"""What two evaluations say together: raised by a note that corroborates, never by one that cannot."""

import pytest

from aquila.errors import InputError
from aquila.matching.corroboration import EVALUATIONS, corroboration_table

TABLE = corroboration_table()


def test_every_pair_of_evaluations() -> None:
    """A note with 4 becomes one with 3 by any note but X4; no source changes, and nothing is lowered."""
    for own in EVALUATIONS:
        for other in EVALUATIONS:
            found = TABLE.apply(own, other)
            assert (found.before, found.after[0]) == (own, own[0])
            assert found.after[1] == ("3" if own[1] == "4" and other != "X4" else own[1])
            assert found.raised == (found.after != own)
            assert found.sentence


def test_the_example_of_the_design() -> None:
    assert TABLE.apply("X4", "C4").after == "X3"
    assert TABLE.apply("C4", "X4").after == "C4"
    assert not TABLE.apply("X4", "X4").raised


@pytest.mark.parametrize(("own", "other"), [(None, "A1"), ("X4", None), (None, None)])
def test_a_note_without_evaluation(own: str | None, other: str | None) -> None:
    found = TABLE.apply(own, other)
    assert (found.before, found.after, found.raised) == (own or "", own or "", False)
    assert "not evaluated" in found.sentence


def test_what_is_no_evaluation() -> None:
    with pytest.raises(InputError, match="4x4"):
        TABLE.apply("D4", "A1")


def test_the_table_says_where_it_comes_from() -> None:
    assert "2016/794" in TABLE.source
    assert "independent" in TABLE.assumption
    assert TABLE.version == 1


def test_every_reason_can_be_listed() -> None:
    given = {TABLE.apply(own, other).sentence for own in (None, *EVALUATIONS) for other in (None, *EVALUATIONS)}
    assert given | {TABLE.assumption} == set(TABLE.sentences)
    assert len(TABLE.sentences) == len(set(TABLE.sentences))
