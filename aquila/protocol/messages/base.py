"""Common base of all messages: field types, canonical payloads, and errors that name fields but never values."""

from collections.abc import Callable
from datetime import date
from functools import partial
from itertools import islice
from operator import ge, is_
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from aquila.audit.entries import fields_at_fault
from aquila.errors import MalformedError
from aquila.protocol.encoding import canonical
from aquila.records.rules import InputClass
from aquila.visible import first_unseen

MAX_CHUNK_ELEMENTS = 65_535
LEAST_PARTIES, MAX_PARTIES = 2, 64


def _all_seen(text: str) -> str:
    if first_unseen(text):
        raise ValueError("a letter that cannot be seen")
    return text


def _in_calendar(day: str) -> str:
    date.fromisoformat(day)
    return day


PartyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Identifier = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
ElementHex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
ProofHex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{128}$")]
SealingKeyHex = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{2}){1,4096}$")]
SealedLockHex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{2336}$")]
"""32 bytes as HPKE seals them to an X-Wing key: 1120 of encapsulation, then ciphertext and tag (PROTOCOL.md 4.6)."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")]
GivenText = Annotated[Text, AfterValidator(_all_seen)]
"""A text that a person gives here: all of it can be seen by whoever approves it. What others signed is a `Text`."""
MOST_TITLE = 80  # characters
Title = Annotated[Text, StringConstraints(max_length=MOST_TITLE)]
"""What people call something."""
Seconds = Annotated[int, Field(ge=0, le=2**53 - 1)]
Day = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_in_calendar)]
Count = Annotated[int, Field(ge=0, le=2**40)]
Positive = Annotated[int, Field(ge=1, le=2**40)]


def optional() -> Any:
    """Declare a field, typed `... | None`, that a message need not have.

    A message without it reads as None and is encoded again without the field, byte for byte as it was signed. A field
    that a later release adds to a message must be declared so: what earlier ones signed and stored lacks it.
    """
    return Field(default=None, exclude_if=partial(is_, None))  # no function in Python: reports have very many fields


class Message(BaseModel):
    """A message that does not change, takes no unknown field and converts no type."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    payload_type: ClassVar[str] = ""

    @classmethod
    def of_fields(cls, source: object, **more: object) -> Self:
        """Return a message with the fields of a row or another message that have the same names, and with these."""
        same = [name for name in cls.model_fields if name not in more and hasattr(source, name)]
        return cls.model_validate({name: getattr(source, name) for name in same} | more)

    def payload(self) -> bytes:
        """Return the canonical JSON that is signed (PROTOCOL.md 2.1)."""
        return canonical(self.model_dump(mode="json"))

    @classmethod
    def from_payload(cls, payload: bytes) -> Self:
        """Read a signed payload.

        Raises:
            MalformedError: The bytes are not this message in its canonical encoding. The error names the fields
                that are wrong, never their values.
        """
        try:
            message = cls.model_validate_json(payload)
        except ValidationError as error:
            raise MalformedError(
                "message_malformed", message_type=cls.__name__, fields=fields_at_fault(error)
            ) from None
        if message.payload() != payload:
            raise MalformedError("message_not_canonical", message_type=cls.__name__)
        return message


def ascending(values: list[Any], what: str) -> None:
    """Refuse values that are not distinct and ascending; raises ValueError, as validators do."""
    if any(map(ge, values, islice(values, 1, None))):
        raise ValueError(f"{what} must be distinct and in ascending order")


class ClassCounts(Message):
    """Numbers of elements per input class."""

    full: Count
    partial: Count
    coarse: Count

    @classmethod
    def by(cls, count: Callable[[InputClass], int]) -> Self:
        """Return what a function gives for each class."""
        return cls(**{kind.value: count(kind) for kind in InputClass})

    def of(self, input_class: InputClass) -> int:
        """Return the number of one class."""
        return int(getattr(self, input_class.value))

    def total(self) -> int:
        """Return the number of all classes together."""
        return sum(map(self.of, InputClass))
