"""Tables, pictures, and pages whose tables are written anew."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from aquila.errors import InputError
from aquila.records.rules import load_rules
from tests.quality.measuring import charts, report
from tests.quality.measuring.ablation import without_each, without_learning
from tests.quality.measuring.bench import SetResult, measure_duplicates, measure_set
from tests.quality.measuring.common_lists import common_lists, unrelated_lists
from tests.quality.measuring.labelled_sets import Pair
from tests.quality.measuring.leakage import list_leakage, rule_leakage
from tests.quality.measuring.measures import Bin
from tests.quality.measuring.peers.run import PeerResult, best_f1, exact_key, run_peer


@pytest.fixture(scope="module")
def result() -> SetResult:
    return measure_set(common_lists(150, 1, ("BA", "RS")), load_rules("default"))


def test_every_table_tells_of_the_set(result: SetResult) -> None:
    table = load_rules("default")
    name, sent = result.labelled.name, list(result.sent.values())
    records = [record for one in sent for record in one.records]
    peers = {
        name: [PeerResult("peer", "as written", None, "it is not there"), exact_key(result.labelled, "as written")]
    }
    tables = [
        report.f1_table([result], peers),
        report.level_table([result]),
        report.inputs_table([result]),
        report.calibration_table([result]),
        report.ablation_table({name: without_each(result.meetings, table, result.labelled)}, {name: result}),
        report.learning_table({name: without_learning(result.meetings, table, result.labelled)}),
        report.rule_leakage_table(rule_leakage(sent, table, records), len(records)),
        report.list_leakage_table(list_leakage(sent)),
        report.duplicates_table(measure_duplicates(result.labelled, table)),
    ]
    for shown in tables:
        assert len({line.count("|") for line in shown.splitlines()}) == 1
    assert all(name in shown for shown in tables[:6])
    assert "it is not there" in report.peer_notes(peers)
    assert report.document([result], peers)[name]["same"] == len(result.labelled.same)


def test_duplicates_of_all_lists_as_one(result: SetResult) -> None:
    """Most of the common persons are found again."""
    found = measure_duplicates(result.labelled, load_rules("default")).at_cuts["all"]
    assert found.recall > 0.8


def test_false_pairs_of_strangers() -> None:
    """Lists without common persons promise few hits, not right ones."""
    strangers = measure_set(unrelated_lists(100, 1), load_rules("default"))
    assert strangers.broken == ()
    assert report.false_table([strangers]).count("unrelated, 2 x 100") == 1
    assert "unrelated" not in report.level_table([strangers])


def test_a_page_gets_its_tables() -> None:
    """Between their marks, whatever stood there; a mark without a table is refused."""
    page = "a\n<!-- measured: f1 -->\nold\n<!-- end -->\nb\n"
    once = report.insert(page, {"f1": "| new |\n", "levels": ""})
    assert once == "a\n<!-- measured: f1 -->\n\n| new |\n\n<!-- end -->\nb\n"
    assert report.insert(once, {"f1": "| new |\n"}) == once
    with pytest.raises(InputError, match="not measured"):
        report.insert(page, {"levels": ""})


@pytest.mark.parametrize(
    "drawn",
    [
        charts.calibration_plot({"a < b": [Bin(0.7, 7, 10), Bin(1.0, 5, 5)], "c": [Bin(0.5, 0, 1)]}),
        charts.bars("lost", {"a < b": {"one & two": 3.0, "three": -1.5}, "c": {"one & two": 1.0, "three": 0.0}}),
        charts.bars("gained", {"a": {"one": 3.0}}),
        charts.bars("nothing", {}),
    ],
)
def test_pictures_are_plain_svg(drawn: str) -> None:
    """Well-formed, titled, without script, style or address."""
    root = ET.fromstring(drawn)  # noqa: S314 - our own bytes
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.find("{http://www.w3.org/2000/svg}title") is not None
    assert not any(word in drawn for word in ("<script", "<style", "style=", "href"))


def test_a_peer_that_is_not_there_is_named(result: SetResult, tmp_path: Path) -> None:
    found = run_peer("Splink", result.labelled, "as written", tmp_path / "python")
    assert (found.f1, found.reason) == (None, "FileNotFoundError")


def test_a_peer_that_fails_is_named(result: SetResult) -> None:
    found = run_peer("Splink", result.labelled, "as written", Path("/bin/false"))
    assert (found.f1, found.reason) == (None, "said nothing")


def test_the_best_threshold_takes_equal_likeness_together(result: SetResult) -> None:
    same = sorted(result.labelled.same)
    wrong = Pair("BA", "none", "RS", "none")
    assert best_f1([(same[0], 0.9), (wrong, 0.9)], result.labelled) == 2 / (2 + len(same))
    assert best_f1([], result.labelled) == 0.0
