"""Entries: a closed form that holds no person's data, in one encoding.

What a copy of a log leaves out: one file, in one form, of entries that the log has.
"""

import json
from collections import Counter

import pytest
from pydantic import ValidationError

from aquila.audit.entries import LARGEST_ENTRY, Entry, EntryKind, LeftOutEntries, Word, read_entry, read_left_out
from aquila.audit.merkle import leaf_hash
from aquila.errors import AuditError, InputError

ROUND = "0" * 32
REASON = {"legal_basis": "Article 9", "purpose": "matching", "case_reference": "CT-1", "category": "suspects"}


def entry(**fields: object) -> Entry:
    return Entry.of(EntryKind.SUBMISSION, 1_800_000_000, "SI", **fields)


def full() -> Entry:
    return entry(
        person="p-0123456789ab",
        role="officer",
        round=ROUND,
        reason=REASON,
        recipient="matcher",
        counts={"records": 100, "full": 3},
        digests={"statement": "a" * 64},
        ids={"submission": "b" * 32, "kind": Word.LIST, "counterpart": "RS", "author": "p-0123456789ab"},
    )


def test_it_comes_back_as_it_was() -> None:
    made = full()
    assert read_entry(made.content()) == made
    assert made.leaf() == leaf_hash(made.content())
    assert json.loads(made.content())["log"] == "aquila-log/1"


def test_it_does_not_change() -> None:
    with pytest.raises(ValidationError):
        entry().time = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"person": "Ana Novak"}, "person"),
        ({"role": "Head of the unit"}, "role"),
        ({"round": "first"}, "round"),
        ({"recipient": "Europol"}, "recipient"),
        ({"ids": {"record": "AL-00017"}}, "ids"),
        ({"ids": {"name": "novak"}}, "ids"),
        ({"ids": {"Ana Novak": ROUND}}, "ids"),
        ({"digests": {"statement": "novak"}}, "digests"),
        ({"counts": {"born": -1980}}, "counts"),
        ({"counts": {"records": 1.5}}, "counts"),
        ({"counts": {f"n{number}": 1 for number in range(65)}}, "counts"),
        ({"reason": {**REASON, "purpose": "x" * 501}}, "reason"),
        ({"reason": {**REASON, "purpose": "two\nlines"}}, "reason"),
        ({"reason": {**REASON, "names": "Ana Novak"}}, "reason"),
        ({"note": "Ana Novak"}, "note"),
    ],
)
def test_it_refuses_what_could_be_a_person(fields: dict[str, object], field: str) -> None:
    """Long, free or unknown values are refused; the error names the field and never the value."""
    with pytest.raises(InputError) as caught:
        entry(**fields)
    assert f"{field} (" in caught.value.message
    assert "novak" not in caught.value.message.lower()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "this is not an entry of a log"),
        (b"[]", "this is not an entry of a log"),
        (b"\xff", "this is not an entry of a log"),
        (b" " * (LARGEST_ENTRY + 1), "too long"),
        (entry().content() + b" ", "not in canonical encoding"),
        (entry().content().replace(b'"submission"', b'"pardon"'), "this is not an entry of a log: kind"),
    ],
)
def test_other_bytes_are_none(content: bytes, sentence: str) -> None:
    with pytest.raises(AuditError, match=sentence):
        read_entry(content)


def test_the_largest_one_fits() -> None:
    """With every field at its largest an entry stays below the limit, and below that of a bundle."""
    names = [f"n{number:031}" for number in range(64)]
    made = entry(
        person="p-0123456789ab",
        role="r" * 32,
        round=ROUND,
        recipient="matcher",
        reason=dict.fromkeys(REASON, "\U0001f600" * 500),
        counts=dict.fromkeys(names, 2**53 - 1),
        digests=dict.fromkeys(names, "f" * 64),
        ids=dict.fromkeys(names, "f" * 32),
    )
    assert len(made.content()) < LARGEST_ENTRY


def test_an_entry_has_its_salt_from_the_log() -> None:
    """Before, it is written without one; both come back as they were written."""
    made = Entry.of(EntryKind.IMPORT, 1, "SI", counts={"records": 1})
    assert b"salt" not in made.content()
    assert read_entry(made.content()) == made
    salted = made.salted("0" * 32)
    assert read_entry(salted.content()) == salted != made
    assert salted.salted(None) == made


def test_it_comes_back() -> None:
    left_out = LeftOutEntries.of([0, 1, 2, 5, 7, 8], Counter({ROUND: 2}))
    assert left_out.entries == ((0, 3), (5, 6), (7, 9))
    assert (left_out.count, list(left_out.indices())) == (6, [0, 1, 2, 5, 7, 8])
    assert read_left_out(left_out.to_bytes(), 9) == left_out


def test_nothing_is_left_out_of_a_whole_log() -> None:
    assert LeftOutEntries.of([], Counter()) == LeftOutEntries()
    assert LeftOutEntries().count == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"entries": [], "rounds": {"x": 1}}',
        b'{"entries": [], "rounds": {}, "more": 1}',
        b'{"entries": [[2, 2]], "rounds": {}}',
        b'{"entries": [[3, 4], [1, 2]], "rounds": {}}',
        b'{"entries": [[8, 10]], "rounds": {}}',
        b'{"entries": [[-1, 2]], "rounds": {}}',
    ],
)
def test_anything_else_is_refused(content: bytes) -> None:
    """What is no such file, or names entries that the log does not have or twice, is named with the file."""
    with pytest.raises(AuditError, match=r"left_out\.json"):
        read_left_out(content, 9)
