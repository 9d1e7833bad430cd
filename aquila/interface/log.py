"""Services' views of their logs: state, witnesses, alarms and the entries of a round."""

from typing import Annotated, Literal

from pydantic import Field

from aquila.audit.entries import Entry
from aquila.interface.sentence import SentenceView
from aquila.protocol.messages.base import Count, Identifier, Message, Seconds

Sentence = Annotated[str, Field(max_length=2_000)]


class CosignatureView(Message):
    """The newest checkpoint that a witness cosigned."""

    witness: Annotated[str, Field(max_length=16)]
    size: Count
    at: Seconds


class LogAlarmView(Message):
    """A log that was found rewritten; the two checkpoints are the evidence, as signed notes."""

    alarm_id: int
    origin: Annotated[str, Field(max_length=128)]
    what: Literal["fork", "shrunk", "missing", "false", "signature"]
    sentence: SentenceView
    seen: str
    got: str
    found_at: Seconds
    acknowledged_at: Seconds | None
    acknowledged_by: Annotated[str, Field(max_length=16)] | None


class LogView(Message):
    """A log at a glance; `checkpoint` is its newest signed note, or nothing while it is empty."""

    origin: Annotated[str, Field(max_length=128)]
    size: Count
    """Entries that the checkpoint covers."""
    newer: Count
    """Entries that it does not cover yet; the service's report on health counts both."""
    checkpoint: str
    witnesses: tuple[CosignatureView, ...]
    alarms: tuple[LogAlarmView, ...]


class NumberedEntry(Message):
    """An entry with its place; none where retention erased its content."""

    index: Count
    entry: Entry | None


class EntriesPage(Message):
    """Entries of the log, newest first."""

    size: Count
    entries: tuple[NumberedEntry, ...]
    broken: tuple[Count, ...]
    """Indices of entries that are not those of the tree that the newest checkpoint signed: they were changed."""
    earlier: Count | None
    """From which index the next page goes down, or None where this is the last."""


class RoundEntries(Message):
    """The entries of a round in their order; `broken` as in `EntriesPage`."""

    round_id: Identifier
    entries: tuple[NumberedEntry, ...]
    broken: tuple[Count, ...]
