"""Reports, limits, readings and templates of lists, and the pages that name them."""

from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook

from aquila.records.normalize.names import FORMS, NAMES
from aquila.records.normalize.national_numbers import SCHEMES
from aquila.records.person import FIELDS, Record
from aquila.records.reading.lists import recognize
from aquila.records.rows import AcceptedRow, Finding, ReadReport, RefusedRow, Row, Severity
from aquila.records.rule_parts import DATE_FORMS, PART_KINDS
from aquila.records.rules import DEFAULT_LIMIT, limits_of, load_rules
from aquila.records.search import ReadName, read_names
from aquila.records.template import TEMPLATES

PAGES = Path(__file__).parents[4] / "schemas" / "records"


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("normalizer.md", [f"`{name}`" for name in (*NAMES, *FORMS)]),
        ("normalizer.md", list(SCHEMES)),
        ("match-rules.md", [f"`{name}`" for name in (*PART_KINDS, *DATE_FORMS)]),
        ("match-rules.md", [f"| {rule.number} | {rule.name} |" for rule in load_rules("default").rules]),
    ],
)
def test_a_page_names_everything(page: str, words: list[str]) -> None:
    text = (PAGES / page).read_text("utf-8")
    assert [word for word in words if word not in text] == []


DEFAULT = load_rules("default")
COMMON, RARE = 10, 11  # the rules "every name of two" and "rare pair"


def test_a_rule_for_rare_values_has_a_lower_limit() -> None:
    """The round's limit holds for all rules; a rule for rare names has its own, lower one."""
    limits = limits_of(DEFAULT)
    assert limits.keys() == DEFAULT.by_number.keys()
    assert (limits[COMMON], limits[RARE]) == (DEFAULT_LIMIT, 1)


def test_a_round_may_set_a_lower_limit_than_a_rule() -> None:
    assert set(limits_of(DEFAULT, 1).values()) == {1}
    assert limits_of(DEFAULT, 3)[COMMON] == 3


@pytest.mark.parametrize(
    ("given", "family", "words"),
    [
        (("Драган",), ("Петровић",), (("dragan",), ("petrovic",))),
        (("Ana", "Marija"), ("Novak-Popović",), (("ana", "maria"), ("novak", "popovic"))),
        (("Ali",), ("Hadži", "Nikolov"), (("ali",), ("hadinikolov",))),
        (("Osama",), ("bin Laden",), (("osama",), ("laden",))),
    ],
    ids=["Cyrillic", "double names", "words that are one", "a particle"],
)
def test_each_part_of_a_name(
    given: tuple[str, ...], family: tuple[str, ...], words: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    found = read_names(Record("r", given, family))
    assert [(name.field, name.written) for name in found] == [
        ("given_names", " ".join(given)),
        ("family_names", " ".join(family)),
    ]
    assert tuple(name.words for name in found) == words


def test_whole_names_and_aliases() -> None:
    """A name that is not split and each alias stand by themselves; what the record lacks is not there."""
    found = read_names(Record("r", full_name="Arben Hoxha", aliases=("Beni", "Арбен Ходжа")))
    assert [name.field for name in found] == ["full_name", "aliases", "aliases"]
    assert found[1].words == ("beni",)


def test_it_shows_nothing() -> None:
    assert repr(ReadName("given_names", "Ana", ("ana",))) == "ReadName()"


def rows() -> list[Row]:
    record = Record(record_id="1", full_name="Ana Ilić")
    warning, refusal = Finding(3, "sex", "unknown"), Finding(3, "", "too little", Severity.REFUSAL)
    return [AcceptedRow(2, record, (warning,)), AcceptedRow(3, record), RefusedRow(4, "x", (warning, refusal))]


def test_a_report_counts_rows_as_they_pass() -> None:
    report = ReadReport()
    assert list(report.watch(rows())) == rows()
    assert (report.accepted, report.refused, report.warnings) == (2, 1, 2)


def test_rows_show_their_line_only() -> None:
    assert [repr(row) for row in rows()] == ["AcceptedRow(line=2)", "AcceptedRow(line=3)", "RefusedRow(line=4)"]


@pytest.mark.parametrize("form", TEMPLATES)
def test_a_template_has_a_column_for_each_field(form: str) -> None:
    found = recognize(BytesIO(TEMPLATES[form]()))
    assert (found.format, found.headings) == (form, FIELDS)


def test_the_workbook_keeps_what_is_typed() -> None:
    """Its columns are formatted as text, so that a spreadsheet neither drops zeros nor turns dates around."""
    sheet = load_workbook(BytesIO(TEMPLATES["xlsx"]())).worksheets[0]
    assert {sheet.column_dimensions[letter].number_format for letter in "ABCDEFGHIJKLMNOPQRS"} == {"@"}
