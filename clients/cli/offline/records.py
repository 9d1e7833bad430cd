"""`aquila records`: look at a list before it is used. Nothing is stored."""

import io
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from aquila.csv_files import Cell, CsvWriter
from aquila.errors import InputError
from aquila.interface.records import FindingGroupView, FindingView, LayoutView, Prospects, RecordReport, rule_yields
from aquila.interface.sentence import SentenceView
from aquila.matching.own_list import MOST_SHARED, Duplicates, DuplicateSearch, FamilyNames, forecast
from aquila.records.person import Record
from aquila.records.reading.layouts import RECOGNIZED, Layout
from aquila.records.rules import DEFAULT_LIMIT
from aquila.records.template import TEMPLATES
from clients.cli import options
from clients.cli.exit_codes import ExitCode
from clients.cli.list_files import layout_of, load_table, read_list
from clients.cli.output.screen import Screen, Table, check_target, numbered, write_result

app = typer.Typer()
_ALL = 10_000


@app.command()
def check(
    file: options.ListFile,
    rules: options.Rules = "default",
    limit: options.FindingLimit = 50,
    encoding: options.ListEncoding = None,
    sheet: options.ListSheet = None,
    column: options.ListColumns = None,
    as_json: options.Json = False,
) -> int:
    """Read a list and report its findings, line by line. Nothing is stored and nothing leaves this machine.

    Ends with 1 if a row was refused.
    """
    report = check_list(file, rules, _ALL if as_json else limit, layout_of(file, encoding, sheet, column))
    Screen(as_json).result(report.model_dump(mode="json"), *report_views(report))
    return ExitCode.REFUSED if report.refused else ExitCode.DONE


@app.command()
def template(
    out: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where the empty list goes: a name that ends in .csv or .xlsx.")
    ],
    as_json: options.Json = False,
) -> None:
    """Write an empty list with a column for each field. The .xlsx file keeps as text all that is typed into it."""
    make = TEMPLATES.get(out.suffix.lower().removeprefix("."))
    if make is None:
        raise InputError("template_suffix_unknown", out=out)
    check_target(out)
    write_result(out, make())
    Screen(as_json).result({"file": str(out)})


@app.command()
def duplicates(
    file: options.ListFile,
    rules: options.Rules = "default",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where all pairs go, as CSV: record ids and why.")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="How many pairs to show.")] = 50,
    encoding: options.ListEncoding = None,
    sheet: options.ListSheet = None,
    column: options.ListColumns = None,
    as_json: options.Json = False,
) -> None:
    """Find records of a list that are likely the same person, by the rules of a round. Nothing leaves this machine.

    A list with duplicates counts one person twice and gives every hit twice: clean it before you submit it.
    """
    if out is not None:
        check_target(out)
    found = search_file(file, rules, layout_of(file, encoding, sheet, column))
    if out is not None:
        write_result(out, duplicates_csv(found))
    Screen(as_json).result(duplicates_document(found), *duplicates_views(found, limit))


def check_list(file: Path, rules: str, limit: int, layout: Layout) -> RecordReport:
    """Read a list as a node would; raises InputError if the file or the rule table cannot be read."""
    table, names = load_table(rules), FamilyNames()
    with tempfile.TemporaryDirectory(prefix="aquila-") as scratch, DuplicateSearch(table, Path(scratch)) as search:

        def count(record: Record) -> None:
            search.add(record)
            names.add(record)

        read = read_list(file, count, layout)
        duplicates, counted, held_back = len(search.found().pairs), search.inputs(), search.held_back()
        foreseen = forecast(table, read.counts.accepted, search, duplicates, names)
    return RecordReport(
        import_id=None,
        name=file.name,
        accepted=read.counts.accepted,
        refused=read.counts.refused,
        warnings=read.counts.warnings,
        groups=tuple(map(FindingGroupView.of, read.groups())),
        findings=tuple(
            FindingView.model_validate(noted.document() | {"reason": SentenceView.of(noted.finding.sentence)})
            for noted in read.noted[:limit]
        ),
        findings_left_out=max(0, len(read.noted) - limit),
        rules=rule_yields(table, counted, held_back),
        duplicates=duplicates,
        # The first lines are for the page, where a person chooses that of the headings; here they would be persons.
        layout=read.layout and LayoutView.of(replace(read.layout, top=())),
        prospects=Prospects.of(foreseen),
    )


def report_views(report: RecordReport) -> list[Table | str]:
    """Return a report as tables: findings, what each rule gives, and the sum in one sentence."""
    rows = [(one.rule, one.sentence, one.inputs, one.held_back) for one in report.rules]
    inputs = Table("Inputs by match rule", ("rule", "in words", "inputs", "held back"), rows)
    *findings, end = _findings_views(report)
    held = sum(one.held_back for one in report.rules)
    more = f"more than {DEFAULT_LIMIT} records, or than the rule allows, share their value"
    held_back = [f"{numbered(held, 'input')} would be held back: {more}."] if held else []
    return [*findings, inputs, *held_back, *prospect_views(report), end]


def prospect_views(report: RecordReport) -> list[Table | str]:
    """Return the certainty that hits of the list can have as a table; nothing where it cannot be foreseen."""
    if report.prospects is None or not report.prospects.found:
        return []
    rows = [(one.sentence or "nothing else", one.level or "no hit") for one in report.prospects.found]
    title = "Highest certainty between two lists like this one, where the names agree"
    usual = report.prospects
    names = f"Of 100 family names, {usual.usual_percent} are one of the {usual.usual_names} most usual of the list."
    return [Table(title, ("and with them", "certainty"), rows), names]


def _layout_lines(report: RecordReport) -> list[Table | str]:
    """Return the layout in which a list was read as a sentence; nothing for UTF-8, which leaves no doubt."""
    layout = report.layout
    if layout is None:
        return []
    if layout.sheet is not None:
        return [f"Read from sheet {layout.sheet} of {len(layout.sheets)}; choose another by --sheet."]
    if layout.encoding == "utf-8":
        return []
    guess = ", as its letters suggest; look at some names, or name another by --encoding" if layout.is_guess else ""
    return [f"Read as {layout.encoding}{guess}."]


def _findings_views(report: RecordReport) -> list[Table | str]:
    """Return the findings about a list by reason and one by one, and the sum in one sentence."""
    groups = Table(
        "Findings by reason",
        ("field", "", "reason", "number", "first line", "example"),
        [(one.field, one.severity, one.reason.text, one.count, one.line, one.example) for one in report.groups],
    )
    findings = Table(
        "Findings",
        ("line", "record", "field", "", "reason"),
        [(found.line, found.record_id, found.field, found.severity, found.reason.text) for found in report.findings],
    )
    views: list[Table | str] = [table for table in (groups, findings) if table.rows]
    if report.findings_left_out:
        views.append(f"{numbered(report.findings_left_out, 'more finding')} not shown.")
    end = (
        f"{report.name}: {numbered(report.accepted, 'record')} can be used, {numbered(report.refused, 'row')} refused, "
        f"{numbered(report.warnings, 'warning')}."
    )
    views += _layout_lines(report)
    if report.duplicates:
        pairs = numbered(report.duplicates, "pair")
        views.append(f"{pairs} of records are likely the same person: see `aquila records duplicates {report.name}`.")
    return [*views, end]


_COLUMNS = ("group", "record_id_a", "record_id_b", "certainty", "probability", "rules")
_SURE = 0.999999  # what six digits can say without saying 1, which no match is


@dataclass(frozen=True, slots=True, repr=False)
class FileDuplicates:
    """The result of a search of a file; record ids by the number of the record in the list."""

    name: str
    record_ids: list[str]
    refused: int
    found: Duplicates


def search_file(path: Path, rules: str, layout: Layout = RECOGNIZED) -> FileDuplicates:
    """Search a file for records that are likely the same person.

    Raises:
        InputError: The file or the rule table cannot be read.
    """
    table, record_ids = load_table(rules), list[str]()
    with tempfile.TemporaryDirectory(prefix="aquila-") as scratch, DuplicateSearch(table, Path(scratch)) as search:

        def keep(record: Record) -> None:
            record_ids.append(record.record_id)
            search.add(record)

        read = read_list(path, keep, layout)
        return FileDuplicates(path.name, record_ids, read.counts.refused, search.found())


def duplicates_document(found: FileDuplicates) -> dict[str, object]:
    ids = found.record_ids
    return {
        "file": found.name,
        "records": len(ids),
        "refused": found.refused,
        "pairs_by_certainty": {level.value: count for level, count in reversed(found.found.by_level().items())},
        "pairs": [dict(zip(_COLUMNS, row, strict=True)) for row in _rows(found)],
        "groups": [[ids[place] for place in group] for group in found.found.groups],
        "values_not_compared": found.found.crowded,
    }


def duplicates_csv(found: FileDuplicates) -> str:
    text = io.StringIO()
    writer = CsvWriter(text, line_end="\n")
    writer.write(_COLUMNS)
    writer.write_all(_rows(found))
    return text.getvalue()


def duplicates_views(found: FileDuplicates, limit: int) -> list[Table | str]:
    ids, pairs = found.record_ids, found.found.pairs
    rows = [
        (ids[pair.first], ids[pair.second], pair.grade.level, " and ".join(pair.grade.sentences))
        for pair in pairs[:limit]
    ]
    views: list[Table | str] = [Table("Likely the same person", ("record", "record", "certainty", "why"), rows)]
    if len(pairs) > len(rows):
        views.append(f"{numbered(len(pairs) - len(rows), 'more pair')} not shown.")
    if found.found.crowded:
        count = numbered(sum(found.found.crowded.values()), "value is", "values are")
        views.append(f"{count} shared by more than {MOST_SHARED} records each and not compared.")
    end = (
        f"{found.name}: {numbered(len(ids), 'record')}, {numbered(found.refused, 'row')} refused, "
        f"{numbered(len(pairs), 'likely pair')} in {numbered(len(found.found.groups), 'group')}."
    )
    return [*views, end] if rows or len(views) > 1 else [end]


def _rows(found: FileDuplicates) -> list[tuple[Cell, ...]]:
    number = {place: group for group, places in enumerate(found.found.groups, start=1) for place in places}
    return [
        (
            number[pair.first],
            found.record_ids[pair.first],
            found.record_ids[pair.second],
            pair.grade.level and pair.grade.level.value,
            min(round(pair.grade.probability, 6), _SURE),
            ";".join(pair.grade.rules),
        )
        for pair in found.found.pairs
    ]
