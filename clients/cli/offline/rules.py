"""`aquila rules`: match rules to read, and to try in plaintext on records of one's own.

What a record gives and what two records share is shown with its values, on the terminal of the officer whose records
they are, and nowhere else: that is what these commands are for.
"""

from pathlib import Path
from typing import Annotated

import typer

from aquila.errors import InputError
from aquila.records.person import Record
from clients.cli.list_files import load_table, read_list
from clients.cli.options import Json, Rules
from clients.cli.output.rule_views import Comparison, comparison_views, explanation_views, table_document, table_views
from clients.cli.output.rule_views import explain as explained
from clients.cli.output.screen import Screen

app = typer.Typer()
SIZES = (1_000, 10_000, 100_000, 1_000_000)

RecordPlace = Annotated[str, typer.Argument(metavar="FILE[#ID]", help="A file with one record, or a record by its id.")]


@app.command("list")
def list_rules(rules: Rules = "default", as_json: Json = False) -> None:
    """Show the rules of a table and the parts that they are made of."""
    table = load_table(rules)
    Screen(as_json).result(table_document(table), *table_views(table))


@app.command()
def explain(
    record: Annotated[Path, typer.Option("--record", metavar="FILE", help="CSV or FollowTheMoney.")],
    record_id: Annotated[str, typer.Option("--id", metavar="ID", help="Which record, where there are several.")] = "",
    rules: Rules = "default",
    as_json: Json = False,
) -> None:
    """Show which inputs a record gives under each rule, with their values, and why a rule gives none."""
    table, one = load_table(rules), read_one(record, record_id)
    rows = [explained(rule, one, table) for rule in table.rules]
    document = {"record_id": one.record_id, "rules": table.name, "explained": [row.document() for row in rows]}
    Screen(as_json).result(document, *explanation_views(one, rows))


@app.command()
def compare(
    one: RecordPlace,
    other: RecordPlace,
    rules: Rules = "default",
    records: Annotated[
        list[int] | None,
        typer.Option("--records", min=1, help="Records of the longer list; several times for several sizes."),
    ] = None,
    common: Annotated[
        float | None,
        typer.Option(
            "--common",
            min=0.000001,
            max=1.0,
            help="Share of one list's persons that the other has too: 0.03 is 3 of 100.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the values that two records share, what differs, and how certain that would be between lists of some sizes.

    It grades as a round does, with the table's weights; a round counts chance in its own lists, and learns the share of
    common persons, which --common sets here.
    """
    found = Comparison(load_table(rules), _placed(one), _placed(other), common)
    sizes = tuple(records or SIZES)
    Screen(as_json).result(found.document(sizes), *comparison_views(found, sizes))


def read_one(path: Path, record_id: str) -> Record:
    """Read one record of a file.

    Raises:
        InputError: There is none of this id, none at all, or several and no id to choose by.
    """
    chosen: list[Record] = []
    seen: list[str] = []

    def keep(record: Record) -> None:
        seen.append(record.record_id)
        if record_id in {"", record.record_id} and not chosen:
            chosen.append(record)

    read_list(path, keep)
    if not chosen:
        missing = f"there is no record {record_id} that can be used" if record_id else "no record can be used"
        raise InputError("usable_record_missing", path=path, missing=missing)
    if not record_id and len(seen) > 1:
        raise InputError("file_holds_several_records", path=path, count=f"{len(seen):,}")
    return chosen[0]


def _placed(place: str) -> Record:
    """Read the record that an argument names: FILE, or FILE#ID."""
    path, mark, record_id = place.rpartition("#")
    if not mark or Path(place).exists():
        return read_one(Path(place), "")
    return read_one(Path(path), record_id)
