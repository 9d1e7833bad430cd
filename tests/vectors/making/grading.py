"""From counts of agreement patterns to levels, in integers (PROTOCOL.md 7)."""

from collections.abc import Iterable
from fractions import Fraction
from math import exp, factorial, floor, log2
from typing import Any

from aquila.matching.certainty import GradingBasis, grade_on
from aquila.matching.grading import grade_lists
from aquila.matching.join import MatchedPair
from aquila.matching.learning import ListPair, learn
from aquila.records.rules import load_rules, mask_of
from tests.vectors.making.theme import DIFFERS, Theme, octets

STRONG, DATE, SIMILAR = (1, 5, 6), (5, 6), (6,)

ABOUT = """
Logarithms in hundredths of a bit, grades of pairs on a stated basis, standing among other pairs, and learning. The
rule table is `default` (`aquila/records/tables/default.toml`).
"""
SOURCE = """
own: logarithms with `fractions` alone, 7.5 as the text has it; all others by the product, whose arithmetic is that
of integers
"""
OPERATIONS = """
log: n and d to the greatest integer k with 2^k d^100 <= n^100
grade: numbers of the rules that met, sizes of both lists, shares, settled records, what was learned and whether the
    pair is second, to centibits, level (null: no hit), and families
settle: sizes, shares, what was learned and the pairs (a name for the record of each side, and the rules that met)
    to the duplicates and settled records of the basis, and centibits, level and standing of each pair that is a hit
least_share: a report's share of common persons, in parts per million: whether a node with the table takes it
declared: records of a list, its multiple and queries to the elements of each class that a consent declares
explained: `s` of 3.7.14 in parts per million, persons of a query and records of the list, to the hits that they
    explain, and of 11, 12, 20 and 30 hits each whether it is an alarm
learn: how many pairs of records met under which rules, and the sizes of both lists, to what the report states
"""


def make() -> Theme:
    theme = Theme("grading", ABOUT, SOURCE, OPERATIONS)
    for over, under in ((1, 1), (3, 1), (1, 3), (10, 1), (99, 1), (2, 1), (250_000, 5_000_000_000), (2**52 - 1, 2**52)):
        theme.valid(f"log_{over}_{under}", "log", "7.1", {"n": over, "d": under}, log_of(over, under))
    for name, over, under, gives in (
        ("log_rounded_towards_zero", 1, 3, -158),
        ("log_rounded_to_the_nearest", 99, 1, 663),
        ("log_rounded_up", 3, 1, 159),
    ):
        theme.invalid(name, "log", "7.1", {"n": over, "d": under}, DIFFERS, gives=gives)
    _grades(theme)
    _silences(theme)
    _standing(theme)
    _learning(theme)
    _bounds(theme)
    return theme


def log_of(over: int, under: int) -> int:
    """7.1."""
    power = Fraction(over, under) ** 100
    found = floor(100 * (log2(over) - log2(under)))
    while Fraction(2) ** found > power:
        found -= 1
    while Fraction(2) ** (found + 1) <= power:
        found += 1
    return found


def basis(**changes: Any) -> dict[str, Any]:
    return {
        "sizes": [4_000, 5_000],
        "common_per_million": 30_000,
        "duplicates_per_million": 10_000,
        "settled": 0,
        "learned": [],
    } | changes


def grade(given: dict[str, Any]) -> dict[str, Any]:
    terms = *given["sizes"], given["common_per_million"], given["duplicates_per_million"], given["settled"]
    learned = tuple((one["of"], one["centibits"]) for one in given["learned"])
    found = grade_on(
        load_rules("default"), mask_of(given["rules"]), GradingBasis(*terms, learned), second=given["second"]
    )
    return {"centibits": found.centibits, "level": found.level and found.level.value, "families": list(found.families)}


def _grades(theme: Theme) -> None:
    learned = [
        {"of": "known month", "centibits": -120},
        {"of": "names: similar pair + origin: silent", "centibits": 85},
    ]
    stated = basis(common_per_million=250_000, settled=3_000, learned=learned)
    example = stated | {"rules": [6], "second": False}
    found = grade(example)
    assert (found["centibits"], found["level"]) == (398, "medium")
    theme.valid("example_of_7_5", "grade", "7.5", example, found)
    second = example | {"second": True}
    assert grade(second)["centibits"] == -399
    theme.valid("second_pair_of_7_5", "grade", "7.5", second, grade(second))
    for name, rules in (("all_names_and_date", STRONG), ("date_and_similar_names", DATE), ("similar_names", SIMILAR)):
        for size in (1_000, 100_000, 2_000_000):
            given = basis(sizes=[size, size]) | {"rules": list(rules), "second": False}
            theme.valid(f"{name}_in_lists_of_{size}", "grade", "7.2", given, grade(given))
    right = basis() | {"rules": [6], "second": False}
    for name, changes in {
        "grade_of_no_rule": {"rules": []},
        "grade_of_a_rule_that_the_table_does_not_have": {"rules": [63]},
        "grade_of_an_empty_list": {"sizes": [0, 0]},
        "grade_of_no_common_person": {"common_per_million": 0},
        "grade_of_a_share_above_one": {"common_per_million": 1_000_001},
    }.items():
        theme.invalid(name, "grade", "7.1", right | changes, "input")
    without_lift = grade(example | {"settled": 0})
    theme.invalid("grade_without_the_lift", "grade", "7.4", example, DIFFERS, gives=without_lift)
    without_learned = grade(example | {"learned": []})
    theme.invalid("grade_without_what_was_learned", "grade", "7.3", example, DIFFERS, gives=without_learned)
    theme.invalid("second_pair_graded_as_a_first", "grade", "7.4", second, DIFFERS, gives=grade(example))


OF_NAMES = [
    {"of": "names: name and initial", "centibits": 40},
    {"of": "names: name and initial + origin: silent", "centibits": 85},
]
NO_DATE, NO_DOCUMENT = ([{"of": f"{family}: silent", "centibits": -150}] for family in ("date", "document"))
SILENCES: dict[str, tuple[tuple[int, ...], list[dict[str, Any]], tuple[int, ...]]] = {
    "names_are_silent_beside_a_document": ((16,), NO_DATE, (2_400, -600)),
    "names_are_silent_beside_a_date_and_a_nationality": ((14,), [], (1_650, 150, -600)),
    "a_date_is_silent_beside_stronger_names": ((9,), NO_DATE, (800, -150)),
    "a_document_is_silent_since_a_rule_has_it_alone": ((6,), NO_DOCUMENT, (570, 960, -150)),
    "an_origin_is_not_silent_where_a_record_may_lack_it": ((1,), OF_NAMES, (270, 1_650, 40)),
    "an_origin_is_not_silent_by_a_rule_of_three_parts": ((3,), OF_NAMES, (270, 1_100, 40)),
    "an_origin_is_silent_where_both_records_have_it": ((1, 15), OF_NAMES, (270, 1_650, 85)),
}
"""The rules that met, what was learned, and the weights that add up with the prior."""


def _silences(theme: Theme) -> None:
    prior = log_of(30_000, 5_000_000_000)
    for name, (rules, learned, weights) in SILENCES.items():
        given = basis(learned=learned) | {"rules": list(rules), "second": False}
        found = grade(given)
        assert found["centibits"] == prior + sum(weights), name
        theme.valid(name, "grade", "7.1", given, found)
    for name, wrong in {
        "a_date_that_no_rule_shows_beside_a_document_counted": -150,
        "the_silence_of_names_left_out": 600,
    }.items():
        given = basis(learned=NO_DATE) | {"rules": [16], "second": False}
        found = grade(given)
        theme.invalid(name, "grade", "7.1", given, DIFFERS, gives=found | {"centibits": found["centibits"] + wrong})
    given = basis(learned=OF_NAMES) | {"rules": [1], "second": False}
    counted = grade(given) | {"centibits": grade(given)["centibits"] + 45}
    theme.invalid("an_origin_that_a_record_may_lack_counted", "grade", "7.1", given, DIFFERS, gives=counted)


def settle(given: dict[str, Any]) -> dict[str, Any]:
    terms = *given["sizes"], given["common_per_million"], given["duplicates_per_million"], given["settled"]
    pairs = [
        MatchedPair(0, 1, octets(one["left"], 16), octets(one["right"], 16), mask_of(one["rules"]))
        for one in given["pairs"]
    ]
    names = {(octets(one["left"], 16), octets(one["right"], 16)): one for one in given["pairs"]}
    found, ranked = grade_lists(load_rules("default"), GradingBasis(*terms), pairs)
    hits = [
        {name: names[one.pair.left_handle, one.pair.right_handle][name] for name in ("left", "right")}
        | {"centibits": one.grade.centibits, "level": one.grade.level and one.grade.level.value, "second": one.second}
        for one in ranked
    ]
    return {"duplicates_per_million": found.duplicates_per_million, "settled": found.settled, "hits": hits}


def _pairs(*found: tuple[str, str, Iterable[int]]) -> list[dict[str, Any]]:
    return [{"left": left, "right": right, "rules": list(rules)} for left, right, rules in found]


def _standing(theme: Theme) -> None:
    cases = {
        "one_settled_pair": _pairs(("l1", "r1", STRONG)),
        "a_second_partner": _pairs(("l1", "r1", STRONG), ("l1", "r2", DATE)),
        "two_certain_partners": _pairs(("l1", "r1", STRONG), ("l1", "r2", STRONG)),
        "uncertain_beside_settled_ones": _pairs(
            *((f"l{one}", f"r{one}", STRONG) for one in range(2, 9)), ("l1", "r1", SIMILAR)
        ),
    }
    for name, pairs in cases.items():
        given = basis(sizes=[10, 12]) | {"pairs": pairs}
        theme.valid(name, "settle", "7.4", given, settle(given))
    for name, size, rules, settled in (
        ("settled_in_a_second_turn", 40, SIMILAR, 39),
        ("lifted_a_hundredfold_at_most", 40, (9,), 38),
        ("settled_are_as_many_as_the_list", 38, (9,), 38),
    ):
        certain = ((f"l{one}", f"r{one}", STRONG) for one in range(2, 40))
        given = basis(sizes=[size, size]) | {"pairs": _pairs(*certain, ("l1", "r1", rules))}
        found = settle(given)
        assert found["settled"] == settled, name
        theme.valid(name, "settle", "7.4", given, found)
    given = basis(common_per_million=30_000, duplicates_per_million=500_000) | {"rules": [6], "second": True}
    theme.valid("second_with_more_duplicates_than_common_persons", "grade", "7.4", given, grade(given))


def learned(given: dict[str, Any]) -> dict[str, Any]:
    patterns = {mask_of(one["rules"]): one["pairs"] for one in given["patterns"]}
    found = learn(load_rules("default"), ListPair(patterns, *given["sizes"]))
    return {
        "common_per_million": found.common_per_million,
        "duplicates_per_million": found.duplicates_per_million,
        "learned": [{"of": name, "centibits": value} for name, value in found.learned],
    }


def _learning(theme: Theme) -> None:
    patterns = [
        {"rules": list(STRONG), "pairs": 1_500},
        {"rules": list(DATE), "pairs": 120},
        {"rules": list(SIMILAR), "pairs": 2_000},
    ]
    for sizes in ([5_000, 5_000], [2_000, 20_000]):
        given = {"patterns": patterns, "sizes": sizes}
        comment = "only the matcher learns, in floating point: another one may learn something else (7.3)"
        theme.acceptable(f"learned_of_{sizes[0]}_and_{sizes[1]}", "learn", "7.3", given, learned(given), comment)


def _bounds(theme: Theme) -> None:
    least = 30_000 // 50
    theme.valid("least_share", "least_share", "3.7.15", {"common_per_million": least})
    theme.invalid("share_below_the_least", "least_share", "3.7.15", {"common_per_million": least - 1}, "policy")
    for records, queries, counted in ((1, 0, 100), (250, 0, 300), (250, 2, 500)):
        given = {"records": records, "records_multiple": 100, "queries": queries}
        gives = {"full": 10 * counted, "partial": 15 * counted, "coarse": 17 * counted}
        theme.valid(f"declared_for_{records}_records_and_{queries}_queries", "declared", "3.3.7", given, gives)
    for share, persons, records in (
        (30_000, 1, 5_000),
        (30_000, 100, 5_000),
        (500_000, 20, 5_000),
        (30_000, 100_000, 200),
    ):
        given = {"common_per_million": share, "persons": persons, "list_records": records}
        expected = max(1.0, share / 1_000_000 * min(persons, records))
        alarms = [hits >= 12 and _tail(hits, expected) < 1e-6 for hits in (11, 12, 20, 30)]
        name = f"hits_of_{persons}_persons_in_{records}_records_at_{share}"
        theme.valid(name, "explained", "3.7.14", given, {"expected": expected, "alarms": alarms})


def _tail(hits: int, expected: float) -> float:
    """The probability of so many and more, by Poisson."""
    return 1 - sum(exp(-expected) * expected**one / factorial(one) for one in range(hits))
