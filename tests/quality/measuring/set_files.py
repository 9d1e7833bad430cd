"""Labelled sets read from files: the region's lists, FEBRL 4, and pairs of aliases."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable
from pathlib import Path

from aquila.csv_files import ListWriter
from aquila.errors import InputError
from aquila.records.person import Record
from aquila.records.rows import AcceptedRow
from aquila.sentences import quoted
from tests.quality.measuring.labelled_sets import LabelledSet, Pair, same_persons
from tests.support.read_lists import read_csv

NAMES_AND_DATE = ("given_names", "family_names", "full_name", "date_of_birth")


def region(folder: Path) -> LabelledSet:
    """Read a folder of lists CODE.csv.gz and truth.csv.gz with person_id, party and record_id.

    Raises:
        InputError: A list cannot be read.
    """
    paths = sorted(path for path in folder.glob("*.csv.gz") if path.name != "truth.csv.gz")
    lists = {path.name.partition(".")[0]: records_of(gzip.decompress(path.read_bytes())) for path in paths}
    truth = rows_of(gzip.decompress((folder / "truth.csv.gz").read_bytes()))
    return LabelledSet(
        f"region, {len(lists)} x {max(map(len, lists.values())):,}",
        lists,
        same_persons((row["person_id"], row["party"], row["record_id"]) for row in truth),
    )


def febrl4(folder: Path) -> LabelledSet:
    """Read the two lists of FEBRL 4, given name, surname and date of birth: a person has one number in both.

    Raises:
        InputError: The folder lacks them.
    """
    lists, persons = {}, []
    for party, file in (("AA", "dataset4a.csv"), ("BB", "dataset4b.csv")):
        path = folder / file
        if not path.is_file():
            raise InputError(quoted(f"{path}: FEBRL 4 is not there", "`make bench-quality` fetches it"))
        rows = rows_of(path.read_bytes())
        persons += [(row["rec_id"].split("-")[1], party, row["rec_id"]) for row in rows]
        lists[party] = _as_read(
            (row["rec_id"], row["given_name"], row["surname"], "", _with_hyphens(row["date_of_birth"])) for row in rows
        )
    return LabelledSet("FEBRL 4", lists, same_persons(persons))


def aliases(path: Path) -> LabelledSet:
    """Read labelled pairs of names and dates: pair_id, full_name_a, date_of_birth_a, full_name_b, ..., same.

    Only the labelled pairs are judged; of others nobody knows whether they are one person.
    """
    rows = rows_of(path.read_bytes())
    pairs = {Pair("AA", row["pair_id"], "BB", row["pair_id"]): row["same"] == "1" for row in rows}
    lists = {
        party: _as_read(
            (row["pair_id"], "", "", row[f"full_name_{side}"], row[f"date_of_birth_{side}"]) for row in rows
        )
        for party, side in (("AA", "a"), ("BB", "b"))
    }
    return LabelledSet("aliases", lists, frozenset(pair for pair, same in pairs.items() if same), frozenset(pairs))


def _as_read(rows: Iterable[tuple[str, str, str, str, str]]) -> list[Record]:
    """Read rows of record id, given names, family names, full name and date as a party's CSV list would be."""
    text = io.StringIO()
    writer = ListWriter(text)
    writer.write(("record_id", "given_names", "family_names", "full_name", "date_of_birth"))
    for row in rows:
        writer.write(row)
    return records_of(text.getvalue().encode())


def _with_hyphens(date: str) -> str:
    """Return YYYYMMDD as YYYY-MM-DD."""
    return f"{date[:4]}-{date[4:6]}-{date[6:]}" if date else ""


def records_of(content: bytes) -> list[Record]:
    """Read the records of a CSV list that can be used."""
    return [row.record for row in read_csv(io.BytesIO(content)) if isinstance(row, AcceptedRow)]


def rows_of(content: bytes) -> list[dict[str, str]]:
    """Read a CSV file by column; blanks around values go."""
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig")), skipinitialspace=True)
    return [{name.strip(): (value or "").strip() for name, value in row.items()} for row in rows]
