"""Match rules as tables."""

import pytest

from aquila.records.person import PartialDate, Record
from aquila.records.rules import load_rules
from clients.cli.output.rule_views import Comparison, by_chance, comparison_views, explain
from clients.cli.output.screen import Table


def test_what_differs_is_named_where_both_records_tell_of_it() -> None:
    persons = {
        nationality: Record(
            nationality or "none",
            ("Vesna",),
            ("Đorđević",),
            date_of_birth=PartialDate(1993, 9, 13),
            nationality=tuple(filter(None, [nationality])),
        )
        for nationality in ("SRB", "BIH", "")
    }
    table = load_rules("default")
    differing, lacking = (Comparison(table, persons["SRB"], persons[other]) for other in ("BIH", ""))
    assert (differing.silent(), lacking.silent()) == ([("origin", None)], [])
    rows = next(view.rows for view in comparison_views(differing, [1_000]) if isinstance(view, Table))
    assert ("place of birth or nationality", "learned") in [row[:2] for row in rows]
    assert differing.document([1_000])["differ"] == [{"family": "origin", "bits": None}]


def test_two_records_are_compared_for_other_shares_and_sizes() -> None:
    """A smaller share of common persons lowers the certainty, a longer list raises chance, and sex is looked at."""
    table = load_rules("default")
    born = PartialDate(1980, 3, 4)
    one, other = (Record(sex, ("Vesna",), ("Đorđević",), date_of_birth=born, sex=sex) for sex in ("F", "M"))
    usual, rare = Comparison(table, one, other), Comparison(table, one, other, 0.001)
    assert (usual.share, rare.share) == (table.common_per_million / 1e6, 0.001)
    assert rare.prior(1_000) < usual.prior(1_000)
    graded = usual.grade(usual.rules, 1_000_000), rare.grade(rare.rules, 1_000_000)
    assert graded[0]
    assert graded[1]
    assert graded[1].centibits < graded[0].centibits
    assert usual.strangers_bits(10_000) > usual.strangers_bits(1_000)
    assert usual.differing() == ["sex: both tell of it, and it differs"]
    views = comparison_views(usual, [1_000])
    assert any(isinstance(view, Table) and view.title == "What differs" for view in views)
    found = usual.document([1_000])
    assert (found["common"], found["differing"]) == (0.03, usual.differing())
    nobody = Comparison(table, one, Record("x", ("Ilir",), ("Hoxha",), date_of_birth=PartialDate(1960, 1, 2)))
    assert "share no input" in str(comparison_views(nobody, [1_000])[0])


def test_chance_is_told_in_pairs_or_in_rounds() -> None:
    assert by_chance(5) == "about 32 times a round"
    assert by_chance(-8.23) == "once in 300 rounds"


@pytest.mark.parametrize(
    ("born", "rule", "why"),
    [
        ("1993-09-13", "name, initial and new year", "the date of birth is not 1 January"),
        ("1993-01-01", "name, initial and date", "the date of birth is 1 January, which may stand for the year"),
        ("1993-09", "name, initial and date", "of the date of birth only year and month are known"),
        ("1993", "name, initial and date", "of the date of birth only the year is known"),
        ("1993-09", "name, initial and bare year", "more than the year of birth is known"),
    ],
)
def test_why_a_date_gives_nothing_under_a_rule(born: str, rule: str, why: str) -> None:
    table = load_rules("default")
    record = Record("1", ("Vesna",), ("Đorđević",), date_of_birth=PartialDate.parse(born))
    (wanted,) = (one for one in table.rules if one.name == rule)
    assert explain(wanted, record, table).missing == (why,)
