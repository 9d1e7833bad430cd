"""`aquila rehearse` from files to hits."""

import csv
import gzip
import hashlib
import json
from itertools import islice
from pathlib import Path

import pytest

from aquila.crypto.backend import BACKENDS, Backend, load_group
from aquila.errors import InputError
from clients.cli.main import main
from clients.cli.offline.rehearse import hits_csv

REGION = Path(__file__).parents[4] / "quality" / "region"
HITS_OF_THE_REGION = "f8b1cad587676da34e9bcaebb12a08c5613dea57a1efaac763e7ba81b4cda09f"
"""SHA-256 of hits.csv for the first 300 records of three lists: only other rules, weights or names change it."""

HEADER = "record_id,given_names,family_names,date_of_birth,phones\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with three small lists, of which one person is in all and one in two."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "si.csv").write_text(HEADER + "s1,Marko,Đorđević,1990-03-04,\ns2,Ana,Kovač,1975-01-02,+38641111222\n")
    (tmp_path / "rs.csv").write_text(HEADER + "r1,Марко,Ђорђевић,1990-03-04,\nr2,Petar,Perić,1960-10-10,\nr3,,,,\n")
    (tmp_path / "al.csv").write_text(HEADER + "a1,Marko,Djordjevic,1990-04-03,\na2,Anna,Kovaç,1975-01-02,041111222\n")
    return tmp_path


LISTS = ["--party", "SI=si.csv", "--party", "RS=rs.csv", "--party", "AL=al.csv", "--out", "hits.csv"]


def _pairs(folder: Path) -> set[tuple[str, ...]]:
    with (folder / "hits.csv").open(encoding="utf-8", newline="") as file:
        return {tuple(row.values())[:4] for row in csv.DictReader(file)}


@pytest.mark.parametrize("padding", ["none", "default"])
def test_known_hits(folder: Path, padding: str) -> None:
    """The persons of several lists are hits, each pair once, and padding changes nothing."""
    assert main(["rehearse", *LISTS, "--padding", padding]) == 0
    assert _pairs(folder) == {
        ("AL", "a1", "RS", "r1"),
        ("AL", "a1", "SI", "s1"),
        ("AL", "a2", "SI", "s2"),
        ("RS", "r1", "SI", "s1"),
    }


@pytest.mark.parametrize("backend", BACKENDS)
def test_backend_that_is_asked_for(folder: Path, backend: Backend) -> None:
    try:
        load_group(1, backend)
    except InputError as absent:
        pytest.skip(str(absent))
    assert main(["rehearse", *LISTS, "--rules", "exact", "--backend", backend, "--report", "report.json"]) == 0
    assert json.loads((folder / "report.json").read_text(encoding="utf-8"))["group"]["name"] == backend
    assert _pairs(folder) == {("AL", "a2", "SI", "s2"), ("RS", "r1", "SI", "s1")}


def test_columns(folder: Path) -> None:
    assert main(["rehearse", *LISTS]) == 0
    first = (folder / "hits.csv").read_text(encoding="utf-8").splitlines()[0]
    assert first == '"party_a","record_id_a","party_b","record_id_b","certainty","probability","rules"'
    assert hits_csv([]) == first + "\n"


def test_exact_rules(folder: Path) -> None:
    """Under the exact rule equal dates and equal normalized names meet, whatever the script."""
    assert main(["rehearse", *LISTS, "--rules", "exact"]) == 0
    assert _pairs(folder) == {("AL", "a2", "SI", "s2"), ("RS", "r1", "SI", "s1")}


FEBRL = "rec_id, given_name, surname, suburb, date_of_birth\n"
COLUMNS = ["--column", "rec_id=record_id", "--column", "given_name=given_names", "--column", "surname=family_names"]


def test_files_of_febrl(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "xa.csv").write_text(FEBRL + "rec-1-org, michaela, neumann, cronulla, 19151111\n")
    (folder / "xb.csv").write_text(FEBRL + "rec-1-dup-0, michaela, neuman, cronulla, 19151111\n")
    (folder / "xc.csv").write_text(HEADER + "c,Michaela,Neumann,1915/11/11,\n")
    lists = [word for code in ("XA", "XB", "XC") for word in ("--party", f"{code}={code.lower()}.csv")]
    given = ["rehearse", *lists, "--out", "hits.csv"]
    assert main(given) != 0
    said = capsys.readouterr().err
    assert "rec_id (record_id?), given_name (given_names?), surname (family_names?), suburb" in said
    assert "--column HEADING=FIELD" in said
    assert main([*given, *COLUMNS]) == 0
    assert len(_pairs(folder)) == 3
    assert main([*given, *COLUMNS, "--column", "born=date_of_birth", "--column", "sex=sex"]) != 0
    assert "born, sex" in capsys.readouterr().err
    assert "initial and date" in (folder / "hits.csv").read_text(encoding="utf-8")
    assert main([*given, *COLUMNS, "--column", "date_of_birth="]) == 0
    assert "initial and date" not in (folder / "hits.csv").read_text(encoding="utf-8")


def test_a_column_without_dates_stops_the_round(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "".join(f"r{number},Ana,Novak{number},Q1/85,\n" for number in range(20))
    (folder / "rs.csv").write_text(HEADER + rows)
    (folder / "hits.csv").unlink(missing_ok=True)
    assert main(["rehearse", *LISTS]) != 0
    said = capsys.readouterr().err
    assert "rs.csv" in said
    assert "A9/99" in said
    assert "1980-03-04, 19800304, 4.3.1980" in said
    assert "blind" not in said
    assert not (folder / "hits.csv").exists()


def test_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rehearse", *LISTS, "--report", "report.json", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert printed == report
    assert report["hits"] == sum(report["hits_by_certainty"].values()) == sum(report["hits_by_pair"].values()) == 4
    serbia = report["parties"]["RS"]
    assert (serbia["records"], serbia["refused"], len(serbia["findings"])) == (2, 1, 1)
    assert serbia["findings"][0]["line"] == 4
    steps = {"read", "consent", "normalize", "blind", "evaluate", "verify", "finalize", "shadow", "check", "exchange"}
    assert set(serbia["seconds"]) == steps
    assert report["elements"] == sum(party["elements"] for party in report["parties"].values())
    assert report["peak_memory_bytes"] > 1 << 20
    assert report["peak_disk_bytes"] > 73 * report["elements"]
    assert report["workers"] == 1
    assert report["seconds_in_group"].keys() <= report["seconds"].keys()
    assert "Kova" not in json.dumps(report, ensure_ascii=False)


def test_workers(folder: Path) -> None:
    """However many processes share the work, the hits are the same; small lists need no other process."""
    assert main(["rehearse", *LISTS, "--report", "one.json"]) == 0
    expected = (folder / "hits.csv").read_text(encoding="utf-8")
    assert main(["rehearse", *LISTS, "--report", "two.json", "--workers", "2"]) == 0
    assert (folder / "hits.csv").read_text(encoding="utf-8") == expected
    one, two = (json.loads((folder / name).read_text(encoding="utf-8")) for name in ("one.json", "two.json"))
    assert (one["workers"], two["workers"]) == (1, 2)
    assert two["peak_memory_bytes"] > one["peak_memory_bytes"]


def test_the_same_lists_give_the_same_bytes(tmp_path: Path) -> None:
    """Given lists have the same hits, whatever a round draws at random and however the code is arranged."""
    given = ["--out", str(tmp_path / "hits.csv")]
    for code in ("BA", "MK", "RS"):
        with gzip.open(REGION / f"{code}.csv.gz", "rt", encoding="utf-8") as packed:
            (tmp_path / f"{code}.csv").write_text("".join(islice(packed, 301)), encoding="utf-8")
        given += ["--party", f"{code}={tmp_path / code}.csv"]
    assert main(["rehearse", *given]) == 0
    assert hashlib.sha256((tmp_path / "hits.csv").read_bytes()).hexdigest() == HITS_OF_THE_REGION


def test_own_rule_table(folder: Path) -> None:
    (folder / "own.toml").write_text(
        'name = "own"\nversion = 1\nexpected_share = 0.5\n[families]\nphone = "phone"\n'
        '[parts."phone"]\nreads = "phone"\nfamily = "phone"\nbits = 20.0\nsentence = "a number agrees"\n'
        '[[rules]]\nnumber = 1\nname = "phone"\ninput_class = "full"\nparts = ["phone"]\n'
        'sentence = "A number agrees."\n'
    )
    assert (
        main(["rehearse", "--party", "SI=si.csv", "--party", "AL=al.csv", "--out", "hits.csv", "--rules", "own.toml"])
        == 0
    )
    assert _pairs(folder) == {("AL", "a2", "SI", "s2")}


def test_follow_the_money(folder: Path) -> None:
    person = {"id": "f1", "schema": "Person", "properties": {"name": ["Marko Đorđević"], "birthDate": ["1990-03-04"]}}
    (folder / "me.ftm").write_text(json.dumps(person) + "\n", encoding="utf-8")
    assert main(["rehearse", "--party", "SI=si.csv", "--party", "ME=me.ftm", "--out", "hits.csv"]) == 0
    assert _pairs(folder) == {("ME", "f1", "SI", "s1")}
