"""Services' views of their logs: state, witnesses, alarms, entries with what shows them, and a check of it all."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from aquila.audit.entries import Entry, EntryKind
from aquila.audit.roles import Role
from aquila.interface.sentence import SentenceView
from aquila.protocol.messages.base import Count, Identifier, Message, Seconds


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


class EntrySignature(StrEnum):
    """What shows that an entry is true, besides its place in the tree."""

    VERIFIED = "verified"
    """The statement that it is about: its party signed it, and it says what the entry says."""
    NOT_KEPT = "not_kept"
    """A statement that is not kept here, such as sealed notes; its digest stays."""
    WRONG = "wrong"
    """The statement that is kept is not signed by its party, or says something else."""
    OWNER = "owner"
    """The word of the log's owner: it is about no statement."""


class NumberedEntry(Message):
    """An entry with its place; none where retention erased its content."""

    index: Count
    entry: Entry | None
    signature: EntrySignature = EntrySignature.OWNER


class EntrySearch(Message):
    """The entries that are wanted, from the newest down; it comes in a body, so that no address holds its text."""

    below: Annotated[int, Field(ge=0, le=2**53)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    kind: EntryKind | None = None
    round_id: Identifier | None = None
    since: Seconds | None = None
    """Those of this second and later."""
    until: Seconds | None = None
    """Those before this second."""
    party: Annotated[str, Field(max_length=16)] = ""
    """Whose act it was, or whom it concerns."""
    role: Role | None = None
    text: Annotated[str, Field(max_length=100)] = ""
    """A part of a reason, a reference or an id, whatever the case of its letters."""


class EntriesPage(Message):
    """Entries of the log, newest first."""

    size: Count
    entries: tuple[NumberedEntry, ...]
    broken: tuple[Count, ...]
    """Indices of entries that are not those of the tree that the newest checkpoint signed: they were changed."""
    earlier: Count | None
    """From which index the next page goes down, or None where this is the last. A search for a text, a party or a role
    looks through a bounded number of entries at once, so a page can be short, or empty, and not the last."""


class RoundEntries(Message):
    """The entries of a round in their order; `broken` as in `EntriesPage`."""

    round_id: Identifier
    entries: tuple[NumberedEntry, ...]
    broken: tuple[Count, ...]


class EntryView(Message):
    """One entry with its proof."""

    numbered: NumberedEntry
    broken: bool
    """As in `EntriesPage`."""
    proof: str
    """The entry, its proof and the checkpoint as a file (C2SP tlog-proof); empty where its content was erased, where it
    is broken, and where no checkpoint covers it yet."""
    witnesses: tuple[CosignatureView, ...]
    """Who cosigned a checkpoint that covers it."""
    statement: str
    """The signed statement that it is about, as it is kept, or nothing."""


class LogCheck(Message):
    """Result of checking the log as it is stored: what was checked, and what was found wrong."""

    checked_at: Seconds
    size: Count
    """Entries whose leaves were hashed again, up to the head of the newest checkpoint."""
    newer: Count
    """Entries that no checkpoint covers yet; their contents were held against their leaves."""
    contents: Count
    """Contents that were held against their leaves; the others were erased when their time was over."""
    checkpoints: Count
    """Checkpoints whose signature and head were checked."""
    statements: Count
    """Statements whose signatures were verified."""
    not_kept: Count
    """Statements that are not kept here."""
    statements_from: Count
    """From which index on statements were looked at: the newest of a long log."""
    witnesses: tuple[CosignatureView, ...]
    """The newest cosignature of each witness, verified."""
    broken: tuple[Count, ...]
    """Indices of the first entries that are not those of the tree, or whose statement is wrong."""
    bad_checkpoints: tuple[Count, ...]
    """Sizes of the first checkpoints that are not signed by the log, or whose head is not that of the tree."""
    differs_from_files: bool
    """Whether the database lacks what the log's own files have shown: entries were cut off, or a backup restored."""
    keys: dict[str, Annotated[str, Field(max_length=64)]]
    """Fingerprints of the keys in force by which was checked, by holder."""
