"""Notes and confirmations: what one message alone can contradict."""

import re
from typing import Any

import pytest
import rfc8785
from pydantic import ValidationError

from aquila.errors import MalformedError
from aquila.protocol.messages import Confirmation, Fault, Message, Note, Notes
from aquila.sentences import text_of
from tests.support.samples import DIGEST, OTHER, ROUND, read

NOTE: dict[str, Any] = {
    "source_evaluation": "X",
    "information_evaluation": "4",
    "handling_code": "H1",
    "category": "suspects",
    "reference": "SI-0A1B-2C3D-4E5F",
    "contact": "CT unit, +386 1 000 0000",
    "report": DIGEST,
}


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        pytest.param(Notes, {"hits": 0}, id="no note"),
        pytest.param(Notes, {"hits": 513}, id="too many notes"),
        pytest.param(Notes, {"sealed": "not base64"}, id="no base64"),
        pytest.param(Confirmation, {"refuted": [{"hit_id": OTHER, "fault": "mood"}]}, id="unknown fault"),
        pytest.param(
            Confirmation, {"refuted": [{"hit_id": hit, "fault": "told"} for hit in (OTHER, ROUND)]}, id="not ascending"
        ),
    ],
)
def test_a_statement_that_contradicts_itself(kind: type[Message], changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        read(kind, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"source_evaluation": "D"},
        {"information_evaluation": "5"},
        {"handling_code": "H4"},
        {"category": ""},
        {"contact": "x" * 61},
        {"contact": "a\nb"},
        {"indicators": ()},
        {"indicators": ("T",)},
        {"indicators": ("T0",)},
        {"indicators": ("T1",) * 9},
        {"reference": "record 17"},
        {"name": "somebody"},
    ],
)
def test_what_a_note_cannot_say(changes: dict[str, Any]) -> None:
    """A code outside the 4x4 system, a long or broken text, another reference than a drawn one, and any other field.

    It has no attribute of the record, and nothing is compared by it (ADR 76).
    """
    assert set(Note.model_fields) == {*NOTE, "indicators"}
    assert Note(**NOTE).handling_code == "H1"
    assert b"indicators" not in Note(**NOTE).payload()
    with pytest.raises(ValidationError):
        Note(**(NOTE | changes))


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("A", True),
        ("+/9z=", True),
        ("A==", True),
        ("", False),
        ("==", False),
        ("A===", False),
        ("A=A", False),
        ("A\n", False),
        ("-_", False),
        ("Ä", False),
        ('"', False),
    ],
)
def test_what_a_batch_may_be(text: str, *, right: bool) -> None:
    pattern = Notes.model_json_schema()["properties"]["sealed"]["pattern"]
    assert (re.fullmatch(pattern, text) is not None) is right
    if right:
        assert read(Notes, sealed=text)
    else:
        with pytest.raises(MalformedError):
            read(Notes, sealed=text)


def test_a_batch_is_signed_in_canonical_json() -> None:
    """What is signed of a batch is RFC 8785, as another implementation writes it, however it was put together."""
    batch = read(Notes, sealed="+/9z=")
    assert batch.payload() == rfc8785.dumps(batch.model_dump(mode="json"))


def test_every_fault_has_a_sentence() -> None:
    sentences = [text_of(fault.sentence) for fault in Fault]
    assert len(set(sentences)) == len(Fault)
