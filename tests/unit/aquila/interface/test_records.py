"""Views of a party's own records."""

import pytest
from pydantic import ValidationError

from aquila.interface.records import (
    CORRECTABLE,
    SAMPLED_NAMES,
    RecordCorrection,
    RecordSearch,
    SampledRecord,
    rule_yields,
)
from aquila.records.person import PartialDate, Record
from aquila.records.rules import load_rules


def test_a_sampled_record() -> None:
    """Its names as they are read, the date as far as it is known, and how many aliases are left out."""
    aliases = tuple(f"Ana {letter}ovak" for letter in "bdfgklm")
    shown = SampledRecord.of(Record("r", ("Ana",), ("Novak",), aliases=aliases, date_of_birth=PartialDate(1980, 2)))
    assert (shown.date_of_birth, len(shown.names), shown.more_names) == ("1980-02", SAMPLED_NAMES, 3)
    assert (shown.names[1].written, shown.names[1].words) == ("Novak", ("novak",))
    assert SampledRecord.of(Record("r", ("Ana",), ("Novak",))).date_of_birth == ""


def test_each_rule_of_a_table_is_there() -> None:
    table = load_rules("exact")
    (one,) = rule_yields(table, {1: 5}, {1: 2})
    assert (one.rule, one.sentence, one.inputs, one.held_back) == (table.rules[0].name, table.rules[0].sentence, 5, 2)
    (none,) = rule_yields(table, {}, {})
    assert (none.inputs, none.held_back) == (0, 0)


def test_what_is_looked_for_prints_nothing() -> None:
    """A search in a log line or a traceback says neither name nor number."""
    shown = f"{RecordSearch(name='Novak', number='si-1')!r} {RecordSearch(name='Novak')}"
    assert "Novak" not in shown
    assert "si-1" not in shown


def test_a_correction_has_fields_of_a_record() -> None:
    """Texts without a letter are left out; the number is no such field, and no text is printed."""
    wanted = RecordCorrection(fields={"given_names": ("Ana", " "), "family_names": ("",), "sex": ()})
    assert wanted.texts() == {"given_names": ("Ana",)}
    assert "Ana" not in repr(wanted)
    assert "record_id" not in CORRECTABLE
    for name in ("record_id", "shoe_size"):
        with pytest.raises(ValidationError):
            RecordCorrection(fields={name: ("1",)})
