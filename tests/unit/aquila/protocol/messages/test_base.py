"""What holds for every message: one encoding, no unknown field, no converted type, errors without values."""

import json
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from aquila.errors import MalformedError
from aquila.protocol.encoding import canonical
from aquila.protocol.messages import ANNOUNCEMENTS, PARTY_STATEMENTS, ClassCounts, Message, Refusal
from aquila.protocol.messages.base import optional
from aquila.records.rules import InputClass
from tests.support.samples import SAMPLES, read

KINDS = [pytest.param(kind, id=kind.__name__) for kind in (*PARTY_STATEMENTS, *ANNOUNCEMENTS)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_comes_back(kind: type[Message]) -> None:
    payload = canonical(SAMPLES[kind])
    assert kind.from_payload(payload).payload() == payload


@pytest.mark.parametrize("kind", KINDS)
def test_another_encoding(kind: type[Message]) -> None:
    """Blanks, another order of fields, or a field twice are refused although the content is right."""
    content = canonical(SAMPLES[kind])
    backwards = dict(reversed(json.loads(content).items()))
    blanks, order = json.dumps(json.loads(content)), json.dumps(backwards, separators=(",", ":"))
    twice = content[:-1] + b"," + canonical({"round_id": SAMPLES[kind]["round_id"]})[1:]
    for payload in (blanks.encode(), order.encode(), twice):
        with pytest.raises(MalformedError, match="not in canonical encoding"):
            kind.from_payload(payload)


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_field(kind: type[Message]) -> None:
    with pytest.raises(MalformedError, match=r"surprise \(extra_forbidden\)"):
        read(kind, surprise=1)


@pytest.mark.parametrize("kind", KINDS)
def test_each_missing_field(kind: type[Message]) -> None:
    """Every field must be there, but those that earlier versions did not know."""
    for name in (name for name in SAMPLES[kind] if kind.model_fields[name].is_required()):
        content = {key: value for key, value in SAMPLES[kind].items() if key != name}
        with pytest.raises(MalformedError, match=rf"{name} \(missing\)"):
            kind.from_payload(canonical(content))


@pytest.mark.parametrize("kind", KINDS)
def test_another_type_in_each_field(kind: type[Message]) -> None:
    """A number as text, true as one, or an object anywhere is refused, if only because it is not canonical."""
    for name, value in SAMPLES[kind].items():
        for other in (str(value) if isinstance(value, int) else 17, {"object": []}, [[value]], 1.5):
            with pytest.raises(MalformedError):
                read(kind, **{name: other})


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_does_not_change(kind: type[Message]) -> None:
    message = read(kind)
    with pytest.raises(ValueError, match="frozen"):
        message.round_id = "0" * 32


@pytest.mark.parametrize("payload", [b"", b"null", b"[]", b"{}", b"\xff", b'"text"', b"{" * 10_000, b"[" * 100_000])
def test_bytes_that_are_no_message(payload: bytes) -> None:
    with pytest.raises(MalformedError):
        Refusal.from_payload(payload)


def test_an_error_names_fields_and_never_values() -> None:
    with pytest.raises(MalformedError) as caught:
        read(Refusal, party="Hoxha, Besnik", reason="", sequence=-17)
    text = f"{caught.value} {caught.value.hint} {caught.value.fields} {caught.value.__cause__}"
    assert "party (string_pattern_mismatch), reason (string_too_short), sequence (greater_than_equal)" in text
    assert "Hoxha" not in text
    assert "17" not in text
    assert caught.value.fields["message_type"] == "Refusal"


def test_a_message_that_is_wrong_as_a_whole() -> None:
    with pytest.raises(MalformedError, match=r"the whole \(model_type\)"):
        Refusal.from_payload(b"17")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("party", "si"),
        ("party", "SLO"),
        ("party", "SI\n"),
        ("party", "ŠI"),
        ("round_id", "0" * 31),
        ("round_id", "A" * 32),
        ("round_id", "0" * 32 + "\n"),
        ("sequence", 0),
        ("sequence", 2**40 + 1),
        ("reason", ""),
        ("reason", "x" * 501),
        ("reason", "two\nlines"),
        ("reason", "bell\x07"),
        ("reason", "\x7f"),
    ],
)
def test_a_value_outside_its_kind(name: str, value: object) -> None:
    """Codes, identifiers, numbers and texts keep to their form to the last character."""
    with pytest.raises(MalformedError, match=name):
        read(Refusal, **{name: value})


def test_counts_by_class() -> None:
    counts = ClassCounts(full=3, partial=2, coarse=1)
    assert [counts.of(kind) for kind in InputClass] == [3, 2, 1]
    assert counts.total() == 6
    assert ClassCounts.by(lambda kind: 2 * counts.of(kind)) == ClassCounts(full=6, partial=4, coarse=2)


class _Extended(Message):
    """A message that got a field after the first ones of its kind were signed."""

    number: int
    newer: int | None = optional()


@pytest.mark.parametrize("payload", [b'{"number":1}', b'{"newer":0,"number":1}'])
def test_a_field_that_was_optional(payload: bytes) -> None:
    """A message signed before a field existed comes back as it was signed, and so does one that has the field."""
    assert _Extended.from_payload(payload).payload() == payload


def test_an_added_field_that_says_nothing() -> None:
    with pytest.raises(MalformedError, match="not in canonical encoding"):
        _Extended.from_payload(b'{"newer":null,"number":1}')


def test_a_message_takes_fields_of_the_same_names() -> None:
    """From a row or another message; what is given goes before, and a field that neither has is missing."""
    row = SimpleNamespace(full=3, partial=4, coarse=2, other="x")
    assert ClassCounts.of_fields(row) == ClassCounts(full=3, partial=4, coarse=2)
    assert ClassCounts.of_fields(row, partial=5) == ClassCounts(full=3, partial=5, coarse=2)
    with pytest.raises(ValidationError):
        ClassCounts.of_fields(SimpleNamespace(full=3))
