"""Faults of pydantic in plain words: the field, what it takes, and never the value."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from aquila.interface.people import Login
from aquila.protocol.messages.unusable import listed


class _Wish(BaseModel):
    model_config = ConfigDict(extra="forbid")

    login: Login = "ana"
    number: Annotated[int, Field(ge=1, le=9)] = 1
    level: Literal["low", "high"] = "low"
    words: Annotated[tuple[str, ...], Field(min_length=1, max_length=2)] = ("a",)
    text: Annotated[str, StringConstraints(min_length=2, max_length=3)] = "ab"
    form: Annotated[str, StringConstraints(pattern=r"^x+$")] = "x"
    own: str = "a"
    needed: bool

    @field_validator("own")
    @classmethod
    def _own(cls, value: str) -> str:
        if value != "a":
            raise ValueError("own is a")
        return value


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("login", "Geheim", "2 to 64 small letters"),
        ("number", 0, "it is at least 1"),
        ("number", 10, "it is at most 9"),
        ("number", "geheim", "it is of another kind (int)"),
        ("level", "geheim", "it has to be 'low' or 'high'"),
        ("words", [], "at least 1 are needed"),
        ("words", ["geheim"] * 3, "at most 2 are taken"),
        ("text", "", "at least 2 characters are needed"),
        ("text", "geheim", "at most 3 characters are taken"),
        ("form", "geheim", "it is written in another way"),
        ("own", "geheim", "own is a"),
        ("more", "geheim", "it is not known here"),
    ],
)
def test_each_kind_of_fault(field: str, value: Any, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        _Wish.model_validate({"needed": True, field: value})
    told = listed(caught.value)
    assert told.startswith(f"{field}: {said}")
    assert "geheim" not in told.lower()


def test_many_faults() -> None:
    """The first faults are told and the others counted; what concerns no field is of the whole."""
    with pytest.raises(ValidationError) as caught:
        _Wish.model_validate(dict.fromkeys("abcdefghij", 1))
    assert listed(caught.value).startswith("needed: it is missing; a: it is not known here; ")
    assert listed(caught.value).endswith("; 3 more")
    with pytest.raises(ValidationError) as caught:
        _Wish.model_validate([])
    assert listed(caught.value).startswith("the whole: it is of another kind")
