"""`make bench-quality PUBLISHED=FOLDER`: the matching and its peers on published lists and the aliases in them.

The folder is the user's, in the format of `set_files.published_lists`; the project has no such lists. Each list is
matched twice: with all its columns, and with names and dates of birth alone, because an alias has the date and place of
its person, letter for letter, which two sources would not. Ends with 1 if a level does not keep its promise.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from aquila.errors import InputError
from aquila.records.rules import RuleTable, load_rules
from clients.cli.exit_codes import ExitCode
from clients.cli.output.screen import Screen
from tests.quality.measuring import report
from tests.quality.measuring.ablation import without_each
from tests.quality.measuring.bench import SetResult, measure_set
from tests.quality.measuring.labelled_sets import LabelledSet
from tests.quality.measuring.peers.run import PeerResult, compared
from tests.quality.measuring.set_files import NAMES_AND_DATE, published_lists

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def bench_published(
    folder: Annotated[Path, typer.Argument(help="Folder of NAME_primary.csv and NAME_aliases.csv.")],
    out: Annotated[Path, typer.Option(help="Folder for the page, published.md.")],
    peers: Annotated[Path | None, typer.Option(help="The peers' environment.")] = None,
    rules: Annotated[str, typer.Option(help="Match rules.")] = "default",
) -> int:
    """Measure published lists, and end with 1 if a promise is broken."""
    screen, table = Screen(), load_rules(rules)
    try:
        sets = [each for one in published_lists(folder) for each in (one, _names_only(one))]
    except InputError as error:
        screen.error(error)
        return ExitCode.REFUSED
    pages, broken = [f"# Published lists, match rules {table.name} version {table.version}\n"], list[str]()
    for labelled in sets:
        screen.note(f"measuring {labelled.name}")
        result = measure_set(labelled, table)
        pages.append(_section(result, table, list(compared(labelled, peers))))
        broken += result.unkept
    page = "\n".join(pages)
    out.mkdir(parents=True, exist_ok=True)
    (out / "published.md").write_text(page, "utf-8")
    screen.result({}, page)
    for sentence in broken:
        screen.warn(f"not kept: {sentence}")
    return ExitCode.REFUSED if broken else ExitCode.DONE


def _names_only(labelled: LabelledSet) -> LabelledSet:
    return labelled.only(NAMES_AND_DATE, f"{labelled.name}, names and dates")


def _section(result: SetResult, table: RuleTable, peers: list[PeerResult]) -> str:
    """Return the tables of one set."""
    labelled = result.labelled
    primary, other = (len(records) for records in labelled.lists.values())
    named = len({pair.record_a for pair in labelled.same})
    rows = f"{primary:,} persons, and {len(labelled.same):,} aliases of {named:,} of them"
    refused = f"{len(labelled.same) - other} aliases were refused and count as not found"
    inputs = f"{sum(result.per_record.values()):.1f} inputs a record"
    without = {labelled.name: without_each(result.meetings, table, labelled)}
    return "\n".join(
        (
            f"## {labelled.name}\n\n{rows}; {refused}; {inputs}.\n",
            report.level_table([result]),
            report.matchers_table(result, peers),
            report.peer_notes({labelled.name: peers}),
            report.ablation_table(without, {labelled.name: result}),
        )
    )


if __name__ == "__main__":
    sys.exit(app(standalone_mode=False))
