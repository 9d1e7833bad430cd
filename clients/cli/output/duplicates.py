"""Likely duplicates of a list, by record ids: searched, and shown as a document, as CSV and as tables."""

from __future__ import annotations

import io
import tempfile
from dataclasses import dataclass
from pathlib import Path

from aquila.csv_files import Cell, CsvWriter
from aquila.matching.own_list import MOST_SHARED, Duplicates, DuplicateSearch
from aquila.records.person import Record
from aquila.records.reading.layouts import RECOGNIZED, Layout
from clients.cli.list_files import load_table, read_list
from clients.cli.output.screen import Table, numbered

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
    """Return all pairs and groups for JSON."""
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
    """Return all pairs as CSV: the surest first, with the number of their group."""
    text = io.StringIO()
    writer = CsvWriter(text, line_end="\n")
    writer.write(_COLUMNS)
    writer.write_all(_rows(found))
    return text.getvalue()


def duplicates_views(found: FileDuplicates, limit: int) -> list[Table | str]:
    """Return the first pairs as a table, and the sum in sentences."""
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
    """Return the pairs with the columns of `_COLUMNS`."""
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
