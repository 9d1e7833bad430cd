"""Several statements of a party with the bytes that they name, in one call, and the answer (PROTOCOL.md 9.8)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from aquila.protocol.messages.base import Count, Identifier, Message

MOST_PARTS = 100
_LARGEST_ENVELOPE = 1 << 23
_LARGEST_CONTENT = 1 << 19
_LARGEST_PROBLEM = 1 << 16


class StatementPart(Message):
    """A statement: its DSSE envelope as text."""

    part: Literal["statement"] = "statement"
    envelope: Annotated[str, Field(max_length=_LARGEST_ENVELOPE)]


class BytesPart(Message):
    """A chunk, an evaluation or tokens of the caller, whose statement the matcher has or which is in an earlier part.

    Attributes:
        submission_id: Of which submission.
        index: Which chunk of it.
        content: The bytes in base64.
    """

    part: Literal["blinded", "evaluation", "tokens"]
    submission_id: Identifier
    index: Count
    content: Annotated[str, Field(max_length=_LARGEST_CONTENT)]


class Consignment(Message):
    """Parts that are taken one after the other, as if each had come by itself."""

    parts: Annotated[tuple[StatementPart | BytesPart, ...], Field(min_length=1, max_length=MOST_PARTS)]


class ConsignmentAnswer(Message):
    """The result of a consignment.

    Attributes:
        taken: How many parts were taken, from the first one on; the same again counts.
        problem: Why the next part was refused, as a problem document in JSON; None where it was not looked at.
    """

    taken: Count
    problem: Annotated[str, Field(max_length=_LARGEST_PROBLEM)] | None = None
