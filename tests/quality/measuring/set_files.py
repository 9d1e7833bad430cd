"""Labelled sets read from files: the region's lists, FEBRL 4, pairs of aliases, published lists."""

import csv
import gzip
import io
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from aquila.csv_files import ListWriter
from aquila.errors import InputError
from aquila.records.person import Record
from aquila.records.rows import AcceptedRow
from aquila.sentences import quoted
from tests.quality.measuring.labelled_sets import LabelledSet, Pair, same_persons
from tests.support.read_lists import read_csv

_PRIMARY, _ALIASES = "_primary.csv", "_aliases.csv"
NAMES_AND_DATE = ("given_names", "family_names", "full_name", "date_of_birth")


@cache
def region(folder: Path) -> LabelledSet:
    """Read a folder of lists CODE.csv.gz and truth.csv.gz with person_id, party and record_id."""
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


def published_lists(folder: Path) -> Iterator[LabelledSet]:
    """Read published lists: of each list NAME_primary.csv and NAME_aliases.csv, both with columns of a list of Aquila.

    An alias of the person with the record id P is a row of its own with the record id P.0, P.1 and so on. Rows that
    the reader refuses are in neither list, and count as persons that nobody finds.

    Raises:
        InputError: A file is missing or cannot be read, or an alias belongs to no person.
    """
    paths = sorted(folder.glob(f"*{_PRIMARY}"))
    if not paths:
        raise InputError(
            quoted(f"{folder}: no published list is there", f"name its files NAME{_PRIMARY} and NAME{_ALIASES}")
        )
    for primary in paths:
        name = primary.name.removesuffix(_PRIMARY)
        other = primary.with_name(name + _ALIASES)
        if not other.is_file():
            raise InputError(quoted(f"{other}: the aliases of {primary.name} are not there", "put them beside it"))
        lists = {"AA": _read_list(primary), "BB": _read_list(other)}
        persons = {row["record_id"] for row in rows_of(primary.read_bytes())}
        aliases_of = [(row["record_id"].rpartition(".")[0], row["record_id"]) for row in rows_of(other.read_bytes())]
        strange = [line for line, (person, _) in enumerate(aliases_of, start=1) if person not in persons]
        if strange:
            found = (
                f"{other}: {len(strange)} aliases belong to no person of {primary.name}, the first is row {strange[0]}"
            )
            raise InputError(quoted(found, "the record id of an alias is that of its person, a dot and a number"))
        yield LabelledSet(name, lists, frozenset(Pair("AA", person, "BB", alias) for person, alias in aliases_of))


def _read_list(path: Path) -> list[Record]:
    """Read the records of a CSV list that can be used; an error names the file."""
    try:
        return records_of(path.read_bytes())
    except InputError as error:
        raise InputError(quoted(f"{path}: {error.message}", error.hint)) from None


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
