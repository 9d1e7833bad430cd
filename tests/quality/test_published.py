"""Published lists of the user's own: what is read, what is refused, and the page."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from aquila.errors import InputError
from tests.quality.measuring.labelled_sets import Pair
from tests.quality.measuring.published import app
from tests.quality.measuring.set_files import published_lists

PRIMARY = """record_id,full_name,given_names,family_names,date_of_birth,place_of_birth,nationality
P1,,Jelena Ana,ILIĆ,1971-04-12,Brod,BA
P2,Mehmed Aziz Demirel,,,1969,Bursa,TR
P3,,Ivo,MARUŠIĆ,1980-02-01,,
"""
ALIASES = """record_id,full_name,given_names,family_names,date_of_birth,place_of_birth,nationality
P1.0,,Jelena,ILIC,1971-04-12,Brod,BA
P1.1,,Ana,PERIĆ,1950-09-09,,
P2.0,,Mehmet,DEMİREL,1969-03-03,,
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "some_primary.csv").write_text(PRIMARY, "utf-8")
    (tmp_path / "some_aliases.csv").write_text(ALIASES, "utf-8")
    return tmp_path


def test_aliases_are_their_persons(folder: Path) -> None:
    (read,) = published_lists(folder)
    assert (read.name, *map(len, read.lists.values())) == ("some", 3, 3)
    assert read.same == {
        Pair("AA", person, "BB", alias) for person, alias in (("P1", "P1.0"), ("P1", "P1.1"), ("P2", "P2.0"))
    }


def test_a_refused_alias_is_not_found(folder: Path) -> None:
    (folder / "some_aliases.csv").write_text(ALIASES + "P3.0,,,,,,\n", "utf-8")
    (read,) = published_lists(folder)
    assert (len(read.lists["BB"]), len(read.same)) == (3, 4)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("aliases", "P2.0", "P9.0", "1 aliases belong to no person of some_primary.csv, the first is row 3"),
        ("aliases", "P2.0", "P2", "the first is row 3"),
        ("aliases", "record_id", "number", "some_aliases.csv: "),
        ("primary", "date_of_birth", "date_of_brith", "date_of_brith"),
    ],
)
def test_what_cannot_be_measured_is_said(folder: Path, file: str, old: str, new: str, said: str) -> None:
    path = folder / f"some_{file}.csv"
    path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")
    with pytest.raises(InputError) as caught:
        list(published_lists(folder))
    assert said in caught.value.message
    assert path.name in caught.value.message
    assert caught.value.hint


def test_files_that_are_missing_are_said(folder: Path) -> None:
    (folder / "some_aliases.csv").unlink()
    with pytest.raises(InputError, match="the aliases of some_primary"):
        list(published_lists(folder))
    (folder / "some_primary.csv").unlink()
    said = CliRunner().invoke(app, [str(folder), "--out", str(folder)], standalone_mode=False)
    assert said.return_value == 1
    assert "hint: name its files NAME_primary.csv and NAME_aliases.csv" in said.stderr


def test_the_page(folder: Path) -> None:
    """Each list is measured with all its columns and with names and dates, beside the peers that are there."""
    said = CliRunner().invoke(app, [str(folder), "--out", str(folder / "out")], standalone_mode=False)
    page = (folder / "out" / "published.md").read_text("utf-8")
    assert said.return_value == 0
    assert page in said.stdout
    assert [line for line in page.splitlines() if line.startswith("## ")] == ["## some", "## some, names and dates"]
    assert "3 persons, and 3 aliases of 2 of them; 0 aliases were refused" in page
    for row in ("| set | high |", "| exact key, as written |", "| Aquila, by probability |", "| some: F1 |"):
        assert row in page
