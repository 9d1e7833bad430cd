"""How often chance makes strangers agree."""

from importlib import resources

import numpy as np
import pytest

from aquila.matching.chance import Chance, ChanceModel, chance_model, count_chance
from aquila.records.rules import load_rules, parse_rules
from tests.unit.aquila.records.test_rules import TABLE

DEFAULT = load_rules("default")
SIZE = 50_000
PAIRS = float(SIZE * SIZE)


def of_default() -> ChanceModel:
    assert DEFAULT.counted is not None
    return chance_model(DEFAULT, DEFAULT.counted)


def way(of: ChanceModel, *parts: str) -> int:
    return next(number for number, one in enumerate(of.names) if one.parts == parts)


def strangers(of: ChanceModel, seen: dict[tuple[int, int, int], float]) -> Chance:
    counts = np.zeros((len(of.names), len(of.dates), len(of.contexts) + 1))
    for place, count in seen.items():
        counts[place] = count
    return count_chance(of, counts, counts, PAIRS)


def test_the_ways_in_which_names_agree() -> None:
    """Those that rules on names alone show, and each part of names by itself; their usual shares are shares.

    So are their chances: finer classes of whole names are together as usual by chance as one class.
    """
    of = of_default()
    alone = {one.parts for one in of.names if one.alone}
    assert ("name pair", "every name of two", "rare pair") in alone
    assert ("similar pair",) not in alone
    assert len(alone) == 19
    for whole in ("every name of two", "every name of three", "every name of four", "longer names"):
        assert sum(whole in one for one in alone) == 4
    counted = sum(one.chance for one in of.names if one.alone)
    assert counted == pytest.approx(2**-17.05 * (2 - 0.5 * (1 - 2**-1.04 - 2**-3 - 2**-7 - 2**-11)), rel=0.001)
    assert {one.parts for one in of.names} - alone == {
        ("name and initial",),
        ("single beginning",),
        ("similar pair",),
        ("name and beginning",),
        ("same letters",),
        ("sole name",),
        ("two initials",),
    }
    assert sum(one.usual for one in of.names) == pytest.approx(1.0)
    assert [one.parts for one in of.names if one.weak] == [("single beginning",)]
    assert [one.parts for one in of.names if one.fixed] == [("two initials",)]
    assert {of.dates[date] for one in of.names for date in one.dates} == {"decade", "known month"}
    for shares in (of.usual_dates, of.usual_contexts, of.chance_contexts):
        assert shares.sum() == pytest.approx(1.0)


def test_a_rule_that_shows_no_pair_of_names_is_no_way() -> None:
    content = resources.files("aquila.records").joinpath("tables", "default.toml").read_text("utf-8")
    table = parse_rules(content.replace('also = ["similar pair"]\n', ""))
    assert table.counted is not None
    alone = {one.parts for one in chance_model(table, table.counted).names if one.alone}
    assert ("every name of two",) not in alone
    assert ("similar pair", "every name of two") not in alone
    assert ("name pair", "every name of two") in alone


def test_without_strangers_the_tables_chance_counts() -> None:
    """Short lists show nothing: then names and dates agree as often as the table expects."""
    of = of_default()
    counts = np.zeros((len(of.names), len(of.dates), len(of.contexts) + 1))
    found = count_chance(of, counts, counts, 100.0)
    alone = [number for number, one in enumerate(of.names) if one.alone]
    assert found.names[alone] == pytest.approx([of.names[number].chance for number in alone], rel=0.01)
    assert found.dates[1:] == pytest.approx(of.chance_dates[1:], rel=0.01)
    assert found.contexts[0] == pytest.approx(of.chance_contexts)


def test_names_are_counted_where_no_date_agrees() -> None:
    """Of long lists, the share of strangers that agrees in a way of names is what is seen."""
    of = of_default()
    pair = way(of, "name pair", "rare pair")
    assert strangers(of, {(pair, -1, -1): 25_000.0}).names[pair] == pytest.approx(25_000 / PAIRS, rel=0.01)


def test_what_is_shown_with_a_date_only_is_counted_there() -> None:
    """Names that are too usual to be sent alone are counted by month and decade, and never above what is expected."""
    of = of_default()
    similar, month = way(of, "similar pair"), of.dates.index("known month")
    few, more, most = (
        strangers(of, {(similar, month, -1): seen, (way(of, "name pair"), -1, -1): 50_000.0}).names[similar]
        for seen in (1.0, 20.0, 2_000_000.0)
    )
    assert few < more < most == pytest.approx(0.3)


def test_single_names_grow_with_pairs_of_names() -> None:
    of = of_default()
    pair, single, start = (
        way(of, "name pair", "every name of two"),
        way(of, "name and initial"),
        way(of, "single beginning"),
    )
    expected = PAIRS * sum(one.chance for one in of.names if one.alone)
    many = {(start, 0, -1): PAIRS}
    usual, crowded = (strangers(of, many | {(pair, -1, -1): expected * times}).names for times in (1.0, 10.0))
    assert crowded[single] / usual[single] == pytest.approx(10, rel=0.01)
    assert crowded[start] / usual[start] == pytest.approx(10**0.5, rel=0.01)
    assert strangers(of, many | {(pair, -1, -1): expected * 1e6}).names[start] == pytest.approx(0.3)


def test_single_names_are_as_rare_as_they_show_themselves() -> None:
    of = of_default()
    single, start, initials = way(of, "name and initial"), way(of, "single beginning"), way(of, "two initials")
    known = {(way(of, "name pair"), -1, -1): PAIRS * sum(one.chance for one in of.names if one.alone)}
    expected = PAIRS * of.chance_dates[0] * (of.names[single].chance + of.names[start].chance)
    usual, rare, crowded = (strangers(of, known | {(start, 0, -1): expected * times}) for times in (1.0, 0.25, 4.0))
    assert rare.names[single] / usual.names[single] == pytest.approx(1.15 * 0.25, rel=0.01)
    assert rare.names[start] / usual.names[start] == pytest.approx(1.15 * 0.25, rel=0.01)
    assert crowded.names == pytest.approx(usual.names)
    assert rare.names[initials] == usual.names[initials]


def test_lists_without_whole_dates_do_not_make_single_names_rare() -> None:
    of = of_default()
    single, pair, year = (
        way(of, "name and initial"),
        way(of, "name pair", "every name of two"),
        of.dates.index("bare year"),
    )
    named = PAIRS * sum(one.chance for one in of.names if one.alone)
    known = {(pair, -1, -1): named, (pair, year, -1): named * 0.02}
    usual = strangers(of, known | {(single, year, -1): PAIRS * 0.02 * of.names[single].chance})
    rare = strangers(of, known)
    assert usual.names[single] == pytest.approx(of.names[single].chance, rel=0.05)
    assert rare.names[single] < usual.names[single] / 100


def test_a_date_in_which_many_strangers_of_a_single_name_agree_is_usual() -> None:
    """Where most dates are 1 January, strangers agree in it; what whole dates show alike is of the names."""
    of = of_default()
    start, pair, year = (
        way(of, "single beginning"),
        way(of, "name pair", "every name of two"),
        of.dates.index("new year"),
    )
    known = {(pair, -1, -1): PAIRS * sum(one.chance for one in of.names if one.alone)}
    expected = {
        date: PAIRS * strangers(of, known).dates[date] * sum(of.names[number].chance for number in ways)
        for date, ways in of.singles
    }
    often = {(start, year, -1): 40 * expected[year]}
    alike = {(ways[0], date, -1): 10 * expected[date] for date, ways in of.singles if date != year}
    usual, by_years, by_both = (strangers(of, known | seen).dates[year] for seen in ({}, often, alike | often))
    assert by_years / usual == pytest.approx(40, rel=0.05)
    assert by_both / usual == pytest.approx(4, rel=0.05)
    persons = strangers(of, known | often | {(pair, year, -1): 1e9})
    assert persons.dates[year] == pytest.approx(strangers(of, known | {(pair, year, -1): 1e9}).dates[year])


def test_dates_are_counted_by_pairs_of_names() -> None:
    """Where many strangers of one name share a month, months agree by chance as often; whole dates show nothing."""
    of = of_default()
    pair, month = way(of, "name pair", "every name of two"), of.dates.index("known month")
    found = strangers(of, {(pair, -1, -1): 90_000.0, (pair, month, -1): 900.0, (pair, 0, -1): 900.0})
    assert found.dates[month] == pytest.approx(0.01, rel=0.02)
    assert found.dates[0] == of.chance_dates[0]
    assert found.dates[-1] == 1.0


def test_whole_dates_follow_from_decades() -> None:
    """For eight strangers who agree in day, month and decade, one agrees in the year too; fewer change nothing."""
    of = of_default()
    pair, decade = way(of, "name pair", "every name of two"), of.dates.index("decade")
    many, few = (
        strangers(of, {(pair, -1, -1): 1e7, (pair, decade, -1): 1e7 * of.chance_dates[0] * times})
        for times in (16.0, 4.0)
    )
    assert of.decade == decade
    assert many.dates[0] == pytest.approx(2 * of.chance_dates[0], rel=0.02)
    assert few.dates[0] == of.chance_dates[0]
    single = way(of, "name and initial")
    assert many.names[single] * many.dates[0] == pytest.approx(few.names[single] * few.dates[0], rel=0.01)


def test_contexts_depend_on_names() -> None:
    of = of_default()
    one, other, country = way(of, "name pair", "every name of two"), way(of, "name pair", "rare pair"), 1
    found = strangers(
        of, {(one, -1, country): 900.0, (one, -1, 2): 100.0, (other, -1, country): 100.0, (other, -1, 2): 900.0}
    )
    assert of.contexts[country] == "nationality"
    assert found.contexts[one, country] == pytest.approx(0.9, abs=0.01)
    assert found.contexts[other, country] == pytest.approx(0.1, abs=0.01)
    assert found.contexts.sum(axis=1) == pytest.approx(np.ones(len(of.names)))


def test_a_table_without_names_alone() -> None:
    """Names that no rule compares alone or with part of a date have the table's chance, unless fewer are seen."""
    content = (
        TABLE.partition("[[rules]]\nnumber = 1")[0]
        .replace(
            "[parts.pair]",
            """
[counted]
names = ["names"]
context = "place"
date = "date"
unagreed = 0.1

[parts.place]
reads = "place"
family = "place"
bits = 1.0
usual = 0.5
chance = -2.0
sentence = "the place agrees"

[parts.pair]""",
        )
        .replace("[families]", '[families]\nplace = "place"')
    )
    content = content.replace("bits = 9.5", "bits = 9.5\nusual = 1.0\nchance = -17.0")
    content = content.replace("bits = 14.0", "bits = 14.0\nusual = 1.0\nchance = -14.0")
    content += '\n[[rules]]\nnumber = 3\nname = "placed"\ninput_class = "full"\nsentence = "x"\n'
    content += 'parts = ["pair", "date", "place"]'
    table = parse_rules(content)
    assert table.counted is not None
    of = chance_model(table, table.counted)
    assert [(one.parts, one.alone, one.dates) for one in of.names] == [(("pair",), False, ())]
    counts = np.full((1, len(of.dates), len(of.contexts) + 1), PAIRS * 2.0**-31)
    found = count_chance(of, counts, counts, PAIRS)
    assert found.names == pytest.approx([2.0**-17])
