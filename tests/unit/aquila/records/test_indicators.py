"""Tables of indicators, and the codes that the rows of a list may have."""

from pathlib import Path

import pytest

from aquila.errors import InputError
from aquila.records.indicators import MOST_INDICATORS, coded, load_indicators
from aquila.records.person import Record
from aquila.records.rows import AcceptedRow, RefusedRow, Row
from aquila.sentences import Sentence

SAMPLE = load_indicators()
TABLE = 'name = "ours 3"\n[groups]\nA = "first"\n[indicators]\nA1 = "one"\nA12 = "twelve"\n'


def row(*indicators: str) -> AcceptedRow:
    return AcceptedRow(7, Record("a-1", ("Ana",), ("Novak",), indicators=indicators))


def one_of(read: Row) -> AcceptedRow:
    (found,) = coded([read], SAMPLE)
    assert isinstance(found, AcceptedRow)
    return found


def test_the_sample() -> None:
    """Some twenty codes in five groups, each of which has some."""
    assert len(SAMPLE.groups) == 5
    assert {code[0] for code in SAMPLE.indicators} == set(SAMPLE.groups)
    assert len(SAMPLE.indicators) == len(set(SAMPLE.indicators.values())) == 20


def test_a_file_takes_its_place(tmp_path: Path) -> None:
    """Its digest is the one that `sha256sum` gives."""
    path = tmp_path / "ours.toml"
    path.write_text(TABLE, "utf-8")
    table = load_indicators(path)
    assert (table.name, table.groups, list(table.indicators)) == ("ours 3", {"A": "first"}, ["A1", "A12"])
    assert table.digest == "bb571d7a26f5d3cdf9ab297ac03c316869f06e9a1117cede7a04d7318fd89dc9"
    assert table.known(["A12", "T1", "A1", "A12"]) == ("A1", "A12")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (None, "FileNotFoundError"),
        ("name = ", "TOMLDecodeError"),
        (TABLE.replace('"ours 3"', "3"), "name"),
        (TABLE.replace('"ours 3"', '""'), "name"),
        (TABLE.replace("A = ", "AB = "), "groups"),
        (TABLE.replace('A = "first"', ""), "groups"),
        ('groups = "A"\n' + TABLE.replace('[groups]\nA = "first"\n', ""), "groups"),
        (TABLE.replace("A1 = ", "B1 = "), "indicators"),
        (TABLE.replace("A1 = ", "A01 = "), "indicators"),
        (TABLE.replace('"one"', '"o\u202ene"'), "indicators"),
        (TABLE.replace('"one"', f'"{"o" * 61}"'), "indicators"),
    ],
)
def test_a_file_that_is_no_table(tmp_path: Path, content: str | None, fault: str) -> None:
    path = tmp_path / "ours.toml"
    if content is not None:
        path.write_text(content, "utf-8")
    with pytest.raises(InputError) as caught:
        load_indicators(path)
    assert caught.value.fields["fault"] == fault


def test_known_codes_are_taken() -> None:
    """In any case, each once and in the order of the table; other rows pass as they are."""
    found = one_of(row("f1", "T2", "F1"))
    assert (found.record.indicators, found.warnings) == (("T2", "F1"), ())
    for read in (row(), RefusedRow(8, "a-2", ())):
        assert list(coded([read], SAMPLE)) == [read]


def test_each_other_text_is_a_finding() -> None:
    """With what stands there as its example, which no finding keeps."""
    found = one_of(row("T1", "Q1", "x" * 80))
    assert found.record.indicators == ("T1",)
    told = [(one.line, one.field, one.sentence.code, one.example) for one in found.warnings]
    assert told == [(7, "indicators", "code_not_used", "Q1"), (7, "indicators", "code_not_used", "x" * 60)]
    assert "T1" in str(found.warnings[0].sentence.fields["codes"])


def test_a_record_has_so_many_at_most() -> None:
    found = one_of(row(*SAMPLE.indicators))
    assert found.record.indicators == tuple(SAMPLE.indicators)[:MOST_INDICATORS]
    assert [one.sentence for one in found.warnings] == [Sentence.of("too_many_values", most=MOST_INDICATORS)]
