"""`aquila records`: look at a list before it is used, and bring it into a node."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from clients.cli.exits import ExitCode
from clients.cli.options import Json, ListFile, Rules
from clients.cli.screen import Screen, Table, numbered

if TYPE_CHECKING:
    from pathlib import Path

    from aquila.protocol.messages.views import RecordReport
    from aquila.records.person import Record

app = typer.Typer(help="Lists of persons: check one, bring one into a node.")
_ALL = 10_000


@app.command()
def check(
    file: ListFile,
    rules: Rules = "default",
    limit: Annotated[int, typer.Option(min=0, help="How many findings to show.")] = 50,
    as_json: Json = False,
) -> int:
    """Read a list and say what is wrong with it, line by line. Nothing is stored and nothing leaves this machine.

    Ends with 1 if a row was refused.
    """
    report = check_list(file, rules, _ALL if as_json else limit)
    Screen(as_json).result(report.model_dump(mode="json"), *report_views(report))
    return ExitCode.REFUSED if report.refused else ExitCode.DONE


def check_list(file: Path, rules: str, limit: int) -> RecordReport:
    """Read a list as a node would.

    Raises:
        InputError: The file or the rule table cannot be read.
    """
    from aquila.protocol.messages.views import FindingView, RecordReport
    from aquila.records.inputs import record_inputs
    from aquila.records.rules import load_rules
    from clients.cli.lists import read_list

    table, counted = load_rules(rules), Counter[int]()

    def count(record: Record) -> None:
        counted.update(found.rule for found in record_inputs(record, table))

    read = read_list(file, count)
    return RecordReport(
        import_id=None,
        name=file.name,
        accepted=read.counts.accepted,
        refused=read.counts.refused,
        warnings=read.counts.warnings,
        findings=tuple(FindingView.model_validate(noted.document()) for noted in read.noted[:limit]),
        findings_left_out=max(0, len(read.noted) - limit),
        inputs_by_rule={rule.name: counted[rule.number] for rule in table.rules},
    )


def report_views(report: RecordReport) -> list[Table | str]:
    """Return a report as tables: findings, inputs by rule, and the sum in one sentence."""
    findings = Table(
        "Findings",
        ("line", "record", "field", "", "reason"),
        [(found.line, found.record_id, found.field, found.severity, found.reason) for found in report.findings],
    )
    inputs = Table("Inputs by match rule", ("rule", "inputs"), list(report.inputs_by_rule.items()))
    views: list[Table | str] = [findings] if report.findings else []
    if report.findings_left_out:
        views.append(f"{numbered(report.findings_left_out, 'more finding')} not shown.")
    end = (
        f"{report.name}: {numbered(report.accepted, 'record')} can be used, {numbered(report.refused, 'row')} refused, "
        f"{numbered(report.warnings, 'warning')}."
    )
    return [*views, inputs, end]
