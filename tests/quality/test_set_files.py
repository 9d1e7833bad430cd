"""Labelled sets from files, and what is left of their records."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from aquila.errors import InputError
from tests.quality.measuring.labelled_sets import Pair, same_persons
from tests.quality.measuring.set_files import NAMES_AND_DATE, aliases, febrl4, region

COLUMNS = "record_id,given_names,family_names,date_of_birth,sex\n"


def test_a_region_is_read_with_its_truth(tmp_path: Path) -> None:
    (tmp_path / "BA.csv.gz").write_bytes(gzip.compress(f"{COLUMNS}b1,Ana,Ilić,1980-01-02,F\n".encode()))
    (tmp_path / "RS.csv.gz").write_bytes(gzip.compress(f"{COLUMNS}r1,Ана,Илић,1980-01-02,F\n".encode()))
    truth = "person_id,party,record_id\n1,RS,r1\n1,BA,b1\n"
    (tmp_path / "truth.csv.gz").write_bytes(gzip.compress(truth.encode()))
    found = region(tmp_path)
    assert found.same == {Pair("BA", "b1", "RS", "r1")}
    assert found.lists["BA"][0].sex == "F"
    assert found.only(NAMES_AND_DATE).lists["BA"][0].sex is None
    assert found.only(NAMES_AND_DATE).lists["BA"][0].family_names == ("Ilić",)
    assert found.among(("BA",)).same == frozenset()
    assert repr(found) == "LabelledSet('region, 2 x 1')"


def test_febrl_4(tmp_path: Path) -> None:
    """A person has one number in both lists; blanks after commas go."""
    head = "rec_id, given_name, surname, street_number, date_of_birth\n"
    (tmp_path / "dataset4a.csv").write_text(f"{head}rec-1-org, ana, smith, 8, 19151111\n")
    (tmp_path / "dataset4b.csv").write_text(f"{head}rec-1-dup-0, ana, smyth, 8,\n")
    found = febrl4(tmp_path)
    assert found.same == {Pair("AA", "rec-1-org", "BB", "rec-1-dup-0")}
    assert str(found.lists["AA"][0].date_of_birth) == "1915-11-11"
    assert found.lists["BB"][0].date_of_birth is None


def test_febrl_4_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="dataset4a"):
        febrl4(tmp_path)


def test_aliases_are_judged_by_their_labels_only(tmp_path: Path) -> None:
    path = tmp_path / "aliases.csv"
    path.write_text(
        "pair_id,full_name_a,date_of_birth_a,full_name_b,date_of_birth_b,same,source\n"
        "p1,Ana Ilic,1980,Anna Ilitch,1980-01-02,1,x\np2,Ana Ilic,,Eva Kos,,0,x\n"
    )
    found = aliases(path)
    assert found.same == {Pair("AA", "p1", "BB", "p1")}
    assert found.judged == {Pair("AA", "p1", "BB", "p1"), Pair("AA", "p2", "BB", "p2")}
    assert found.lists["BB"][0].full_name == "Anna Ilitch"


def test_records_of_one_list_are_no_pair() -> None:
    """Duplicates inside a list are the list's own affair."""
    assert same_persons([("1", "AA", "a"), ("1", "AA", "b"), ("1", "BB", "c")]) == {
        Pair("AA", "a", "BB", "c"),
        Pair("AA", "b", "BB", "c"),
    }
