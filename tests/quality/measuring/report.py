"""Measurements as tables of Markdown, and as one JSON document; tables also go into a page between its marks."""

import re
from collections.abc import Iterable, Mapping, Sequence

from aquila.errors import InputError
from aquila.records.rules import InputClass
from aquila.sentences import quoted
from tests.quality.measuring.ablation import Without
from tests.quality.measuring.bench import SetResult, inputs_by_rule
from tests.quality.measuring.leakage import ListLeakage, RuleLeakage
from tests.quality.measuring.measures import CUTS, LEVELS, PRECISIONS, Counts, Measured, rank
from tests.quality.measuring.peers.run import PeerResult
from tests.quality.measuring.shapes import IN_COMMON, Case

_BLOCK = re.compile(r"(<!-- measured: (?P<name>[a-z0-9-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def markdown(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table; the first column stands to the left, the others to the right."""
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in lines)


def f1_table(results: Sequence[SetResult], peers: Mapping[str, Sequence[PeerResult]]) -> str:
    """Return F1 of each set: of each peer with the spelling that is best there, and of the levels."""
    labelled = [result for result in results if result.labelled.same]
    rows = []
    for peer in dict.fromkeys(one.peer for found in peers.values() for one in found):
        cells = []
        for result in labelled:
            found = [one.f1 for one in peers.get(result.labelled.name, ()) if one.peer == peer]
            cells.append(_f1(max((f1 for f1 in found if f1 is not None), default=None)) if found else "")
        rows.append((peer, *cells))
    rows += [(f"Aquila, {cut}", *(_f1(result.measured.at_cuts[cut].f1) for result in labelled)) for cut in CUTS]
    return markdown(("F1", *(result.labelled.name for result in labelled)), rows)


def peer_notes(peers: Mapping[str, Sequence[PeerResult]]) -> str:
    every = [(name, one) for name, found in peers.items() for one in found]
    versions = sorted({one.version for _, one in every if one.version})
    failed = [f"- {one.peer} did not run on {name}, {one.spelling}: {one.reason}" for name, one in every if one.reason]
    return "\n".join([f"Peers: {'; '.join(versions) or 'none ran'}.", *failed]) + "\n"


def level_table(results: Sequence[SetResult]) -> str:
    """Return of each set, by level: right and wrong pairs, in brackets the wrong ones that are stated, and recall."""
    rows = []
    for result in results:
        counted = ((result.measured.by_level[level], result.expected_false[level]) for level in LEVELS)
        cells = (f"{one.right}, {one.wrong} ({stated:.1f}), {one.recall:.3f}" for one, stated in counted)
        if result.labelled.same:
            rows.append((result.labelled.name, *cells))
    return markdown(("set", *(level.value for level in LEVELS)), rows)


def shapes_table(measured: Mapping[Case, Measured]) -> str:
    """Return of each case the recall of all levels, and what each level that does not keep its promise is worth."""
    rows: dict[tuple[str, int], list[str]] = {}
    for case, of_case in measured.items():
        recall = f"{of_case.at_cuts[CUTS[-1]].recall:.3f}"
        unkept = (f"{level.value} {one.right:,} of {one.right + one.wrong:,}" for level, one in of_case.unkept.items())
        rows.setdefault((case.shape, case.size), []).append("; ".join((recall, *unkept)))
    columns = ("shape", "records of a list", *(f"{common} of 100 in common" for common in IN_COMMON))
    return markdown(columns, ((shape, f"{size:,}", *cells) for (shape, size), cells in rows.items()))


def matchers_table(result: SetResult, peers: Sequence[PeerResult]) -> str:
    """Return precision, recall and F1 of all matchers on one set, and their recall at each of `PRECISIONS`."""
    rows = [
        (f"{one.peer}, {one.spelling}", *_counts(one.ranked.best), *_recalls(one.ranked.recall_at))
        for one in peers
        if one.ranked
    ]
    cuts = list(result.measured.at_cuts.items())
    rows += [(f"Aquila, {cut}", *_counts(counts), *("" for _ in PRECISIONS)) for cut, counts in cuts]
    ranked = rank([(hit.pair, hit.probability) for hit in result.hits], result.labelled)
    rows.append(("Aquila, by probability", *_counts(ranked.best), *_recalls(ranked.recall_at)))
    at = [f"recall at precision {precision:g}" for precision in PRECISIONS]
    return markdown(("matcher", "precision", "recall", "F1", *at), rows)


def _counts(counts: Counts) -> tuple[str, str, str]:
    return f"{counts.precision:.4f}", f"{counts.recall:.3f}", f"{counts.f1:.3f}"


def _recalls(recall_at: Mapping[float, float]) -> list[str]:
    return [f"{recall_at[precision]:.3f}" for precision in PRECISIONS]


def duplicates_table(measured: Measured) -> str:
    """Return right and wrong pairs of the search for duplicates by level."""
    rows = [
        (level.value, counts.right, counts.wrong, f"{counts.precision:.4f}", f"{counts.recall:.3f}")
        for level, counts in ((level, measured.by_level[level]) for level in LEVELS)
    ]
    return markdown(("level", "right", "wrong", "precision", "recall"), rows)


def false_table(results: Sequence[SetResult]) -> str:
    """Return the false pairs of lists without common persons."""
    rows = [
        (
            result.labelled.name,
            *(result.measured.by_level[level].wrong for level in LEVELS),
            f"{sum(result.expected_false.values()):.1f}",
            f"{sum(len(meeting.met) for meeting in result.meetings):,}",
        )
        for result in results
        if not result.labelled.same
    ]
    return markdown(("lists", "high", "medium", "low", "wrong as predicted", "pairs that shared a token"), rows)


def inputs_table(results: Sequence[SetResult]) -> str:
    """Return inputs per record by class."""
    rows = []
    for result in results:
        by_class = [result.per_record[kind] for kind in InputClass]
        records = sum(len(one.records) for one in result.sent.values())
        inputs = [f"{number:.1f}" for number in (*by_class, sum(by_class))]
        rows.append((result.labelled.name, f"{records:,}", *inputs))
    return markdown(("set", "records", *InputClass, "inputs per record"), rows)


def ablation_table(found: Mapping[str, Sequence[Without]], whole: Mapping[str, SetResult]) -> str:
    """Return what each rule adds to each set; rules under which no pair of one person met are left out."""
    columns = ["without the rule"]
    for name in found:
        columns += [f"{name}: F1", "right at high", "by it alone", "inputs a record"]
    inputs = {name: inputs_by_rule(list(whole[name].sent.values())) for name in found}
    rows = []
    for place, rule in enumerate(one.rule for one in next(iter(found.values()))):
        if not any(every[place].met for every in found.values()):
            continue
        cells: list[object] = [f"{rule.number} {rule.name}"]
        for name, every in found.items():
            one, base = every[place], whole[name].measured
            cells += [
                f"{one.measured.best_f1 - base.best_f1:+.4f}",
                f"{one.measured.by_level[LEVELS[0]].right - base.by_level[LEVELS[0]].right:+d}",
                one.only,
                f"{inputs[name][one.rule.number]:.2f}",
            ]
        rows.append(cells)
    return markdown(columns, rows)


def learning_table(found: Mapping[str, Mapping[str, Measured]]) -> str:
    """Return recall at high and F1 at the best cut of each set, without one thing after another that a round learns."""
    columns = ["what is left"]
    for name in found:
        columns += [f"{name}: recall at high", "F1"]
    rows = []
    for left in next(iter(found.values())):
        measured = [every[left] for every in found.values()]
        cells = [cell for one in measured for cell in (f"{one.by_level[LEVELS[0]].recall:.3f}", _f1(one.best_f1))]
        rows.append((left, *cells))
    return markdown(columns, rows)


def calibration_table(results: Sequence[SetResult]) -> str:
    rows = [
        (result.labelled.name, f"{one.said:.4f}", f"{one.share:.4f}", one.right, one.count)
        for result in results
        if result.labelled.same
        for one in result.bins
    ]
    return markdown(("set", "said", "right", "right pairs", "pairs"), rows)


def rule_leakage_table(found: Sequence[RuleLeakage], records: int) -> str:
    """Return what each rule's tokens tell, and what guesses of its inputs take; rules without a token are left out."""
    rows = [
        (
            f"{one.rule.number} {one.rule.name}",
            one.rule.input_class.value,
            f"{one.tokens:,}",
            f"{one.having / records:.1%}",
            f"{one.records / records:.1%}",
            _rounded(one.guesses),
        )
        for one in found
        if one.tokens
    ]
    return markdown(("rule", "class", "tokens", "records that have one", "that share one", "guesses for half"), rows)


def list_leakage_table(one: ListLeakage) -> str:
    least, middle, most = one.inputs
    sizes = ", ".join(f"{size}: {count / one.records:.1%}" for size, count in one.sizes.items())
    rows = [
        ("records that share some token with another of their list", f"{one.connected / one.records:.1%}"),
        ("most records of one list that tokens connect", f"{one.largest:,}"),
        ("inputs of a record: least, median, most", f"{least}, {middle:g}, {most}"),
        ("different profiles of rules, before padding", f"{one.profiles:,}"),
        ("records whose profile no other of their list has", f"{one.alone / one.records:.1%}"),
        ("records by their number of inputs after the default padding", sizes),
    ]
    return markdown(("told by a list", ""), rows)


def insert(page: str, tables: Mapping[str, str]) -> str:
    """Put tables between the marks of a page."""
    wanted = {found["name"] for found in _BLOCK.finditer(page)}
    if missing := sorted(wanted - set(tables)):
        raise InputError(
            quoted("a page asks for tables that were not measured", "measure everything"), got=", ".join(missing)
        )
    return replace(page, tables)


def replace(page: str, tables: Mapping[str, str]) -> str:
    """Put tables between the marks of a page; where there is no table for a mark, its content stays."""

    def block(found: re.Match[str]) -> str:
        table = tables.get(found["name"])
        return found[0] if table is None else f"{found[1]}\n{table}\n{found[3]}"

    return _BLOCK.sub(block, page)


def document(results: Sequence[SetResult], peers: Mapping[str, Sequence[PeerResult]]) -> dict[str, object]:
    return {
        result.labelled.name: {
            "f1": {cut: round(counts.f1, 4) for cut, counts in result.measured.at_cuts.items()},
            "levels": {
                level.value: {"right": counts.right, "wrong": counts.wrong, "precision": round(counts.precision, 4)}
                for level, counts in result.measured.by_level.items()
            },
            "same": len(result.labelled.same),
            "inputs_per_record": {kind.value: round(mean, 2) for kind, mean in result.per_record.items()},
            "cpu_seconds": round(result.seconds, 1),
            "peers": {
                f"{one.peer}, {one.spelling}": one.f1 and round(one.f1, 4)
                for one in peers.get(result.labelled.name, ())
            },
        }
        for result in results
    }


def _f1(value: float | None) -> str:
    return "did not run" if value is None else f"{value:.3f}"


def _rounded(guesses: int | None) -> str:
    """Return a number with its first two digits."""
    return "as many as there are numbers" if guesses is None else f"{int(float(f'{guesses:.1e}')):,}"
