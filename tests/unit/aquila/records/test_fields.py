"""From the texts of one row to a record."""

import pytest

from aquila.records.reading.columns import read_texts
from aquila.records.rows import (
    LONGEST_EXAMPLE,
    LONGEST_ID,
    LONGEST_VALUE,
    MOST_VALUES,
    AcceptedRow,
    FieldError,
    RefusedRow,
    Row,
    Severity,
    clean,
    read_field,
)

NAMED = {"record_id": ["1"], "given_names": ["Ana"], "family_names": ["Ilić"]}


def read(**texts: list[str]) -> Row:
    return read_texts(2, {**NAMED, **texts})


def accepted(**texts: list[str]) -> AcceptedRow:
    row = read(**texts)
    assert isinstance(row, AcceptedRow)
    return row


def test_every_field_is_read() -> None:
    row = accepted(
        date_of_birth=["1980-02-03"],
        sex=["f"],
        place_of_birth=["Niš"],
        document_numbers=["A 123456"],
        national_numbers=["0101990710008"],
        phones=["+381 64 123456"],
        emails=["ana@example.org"],
        source_evaluation=["b"],
        information_evaluation=["2"],
        handling_code=["h1"],
        indicators=["travel", "travel", " "],
    )
    assert row.warnings == ()
    assert (row.record.sex, row.record.source_evaluation, row.record.handling_code) == ("F", "B", "H1")
    assert row.record.indicators == ("travel",)


@pytest.mark.parametrize(("text", "sex"), [("female", "F"), ("MALE", "M"), ("other", "X"), ("w", "F"), ("m", "M")])
def test_the_words_for_the_sexes_are_known(text: str, sex: str) -> None:
    """FollowTheMoney's words and the common letters mean the same."""
    assert accepted(sex=[text]).record.sex == sex


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("sex", "Q"),
        ("source_evaluation", "E"),
        ("information_evaluation", "5"),
        ("handling_code", "H9"),
        ("aliases", "???"),
        ("aliases", "😀"),
        ("place_of_birth", "x" * (LONGEST_VALUE + 1)),
        ("document_numbers", "A1"),
        ("national_numbers", "12"),
        ("phones", "123"),
        ("emails", "ana"),
        ("date_of_birth", "3 February 20"),
        ("date_of_birth", "1700-02-03"),
    ],
)
def test_a_field_that_cannot_be_read_is_a_warning_and_left_out(field: str, text: str) -> None:
    row = accepted(**{field: [text]})
    (warning,) = row.warnings
    assert (warning.line, warning.field, warning.severity) == (2, field, Severity.WARNING)
    assert text not in warning.reason
    assert getattr(row.record, field) in (None, ())


@pytest.mark.parametrize(("text", "kept"), [("1980-02-31", "1980-02"), ("1980-14-31", "1980")])
def test_what_can_be_used_of_a_date_is_used(text: str, kept: str) -> None:
    """An impossible day or month does not cost the year."""
    row = accepted(date_of_birth=[text])
    assert str(row.record.date_of_birth) == kept
    assert [warning.field for warning in row.warnings] == ["date_of_birth"]


@pytest.mark.parametrize(
    ("text", "example"),
    [
        ("3 February 20", "3 February 20 → 2020-02-03 / 1920-02-03"),
        ("1980-02-31", "1980-02-31 → 1980-02"),
        ("soon", "soon"),
        ("x" * (LONGEST_VALUE + 1), "x" * LONGEST_EXAMPLE),
    ],
)
def test_beside_a_date_stands_what_it_may_mean(text: str, example: str) -> None:
    (warning,) = accepted(date_of_birth=[text]).warnings
    assert warning.example == example


@pytest.mark.parametrize("name", [{"given_names": ["Ana"]}, {"full_name": ["Skenderbeg"]}, {"aliases": ["Abu Bakr"]}])
def test_a_name_and_a_date_are_enough(name: dict[str, list[str]]) -> None:
    for date in ("24-9-92", "5 maj 1966", "1980"):
        assert accepted(**{"given_names": [], "family_names": [], **name}, date_of_birth=[date]).warnings == ()


def test_a_wrong_check_digit_is_a_warning_and_the_number_is_used() -> None:
    row = accepted(national_numbers=["0101990710009"])
    assert row.record.national_numbers == ("0101990710009",)
    assert [warning.field for warning in row.warnings] == ["national_numbers"]


@pytest.mark.parametrize(
    ("birth", "sex", "warned"), [("1980-01-01", "M", 0), ("1980", "X", 0), ("1980-01-02", "M", 1), ("1980", "F", 1)]
)
def test_a_number_of_another_birth_or_sex_is_a_warning(birth: str, sex: str, warned: int) -> None:
    """What the number tells is compared with the record, and all of both is used."""
    row = accepted(national_numbers=["1800101221144"], date_of_birth=[birth], sex=[sex])
    assert [warning.field for warning in row.warnings] == ["national_numbers"] * warned
    assert str(row.record.date_of_birth) == birth


@pytest.mark.parametrize("field", ["given_names", "full_name", "aliases"])
def test_a_word_of_another_script_is_used_with_a_warning(field: str) -> None:
    """It meets the same spelling, and the officer knows that a Latin one may not meet it."""
    row = accepted(**{field: ["Ana 山田"]})
    assert [(warning.field, warning.sentence.code) for warning in row.warnings] == [(field, "word_of_unknown_script")]


@pytest.mark.parametrize("name", ["გიორგი", "משה", "山田太郎", "राम", "\U00010d52"])
def test_a_row_in_any_script_is_accepted(name: str) -> None:
    row = accepted(given_names=[name], family_names=[], date_of_birth=["1980"])
    assert row.record.given_names == (name,)


def test_too_many_values_are_cut_with_a_warning() -> None:
    row = accepted(aliases=[f"Ana {chr(97 + place % 26) * (place // 26 + 2)}" for place in range(MOST_VALUES + 1)])
    assert len(row.record.aliases) == MOST_VALUES
    assert [warning.field for warning in row.warnings] == ["aliases"]


def test_several_values_of_a_single_field_are_a_warning() -> None:
    row = accepted(date_of_birth=["1980", "1981"])
    assert str(row.record.date_of_birth) == "1980"
    assert [warning.field for warning in row.warnings] == ["date_of_birth"]


def test_a_faulty_field_does_not_show_itself() -> None:
    faulty = read_field("date_of_birth", ["1980-02-31"])
    assert isinstance(faulty, FieldError)
    assert "1980" not in repr(faulty)


def test_findings_come_in_one_order() -> None:
    """Lists, texts, codes, the date, and doubts at last, whatever the order of the columns."""
    row = accepted(
        date_of_birth=["x"], sex=["Q"], category=["a", "b"], national_numbers=["0101990710009"], aliases=["?"]
    )
    assert [warning.field for warning in row.warnings] == [
        "aliases",
        "category",
        "sex",
        "date_of_birth",
        "national_numbers",
    ]


@pytest.mark.parametrize("ids", [[], [""], [" "], ["x" * (LONGEST_ID + 1)], ["a\x07b"], ["\ud800"]])
def test_a_row_without_usable_id_is_refused(ids: list[str]) -> None:
    row = read(record_id=ids)
    assert isinstance(row, RefusedRow)
    assert (row.record_id, row.findings[-1].field, row.findings[-1].severity) == ("", "record_id", Severity.REFUSAL)


def test_a_row_with_too_little_left_is_refused() -> None:
    row = read(family_names=["-"], date_of_birth=["0000-00-00"])
    assert isinstance(row, RefusedRow)
    assert row.record_id == "1"
    assert [finding.field for finding in row.findings] == ["family_names", "date_of_birth", ""]


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Ana", "Ana"),
        (" Ana   Ilic ", "Ana Ilic"),
        ("Ana\tIlić\n", "Ana Ilić"),
        ("C\u030c", "Č"),
        ("A\u200dna\ud800", "Ana"),
        ("Ana\u00a0Ilić", "Ana Ilić"),
    ],
)
def test_texts_are_cleaned(text: str, cleaned: str) -> None:
    """One form of white space and letters, nothing invisible."""
    assert clean(text) == cleaned
