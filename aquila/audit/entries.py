"""Entries of the log: who did what, when, why, for whom, and how much of it (PROTOCOL.md 10.1).

An entry says that something happened, never what the data were: it holds counts, digests and random identifiers, words
of a closed list, and the reason that an officer gave. It has no field for a name, a date of birth, a number of a person
or a record's identifier, and refuses every value that is long or free where one could be put in by mistake. Its leaf in
the tree is the hash of its canonical JSON (RFC 8785), which a random salt makes impossible to guess.

A copy of a log can leave entries out (10.9): it then holds the hash of their leaf alone, and a file that says which
entries these are and how many of each round. That file is the owner's word: an auditor reports what was not checked
because of it, and takes an entry that is listed for neither erased nor right.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Literal, Self

import rfc8785
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from aquila.audit.merkle import leaf_hash
from aquila.errors import AuditError, InputError

LARGEST_ENTRY = 32_768
"""Bytes that an entry's canonical JSON may have: more than all its fields at their largest."""

_MOST_NAMES = 64


class EntryKind(StrEnum):
    """The kind of an action. `schemas/log/` states which law requires which kind."""

    # Records of a party: collection and erasure (Article 25 LED). None is ever altered: a correction is one of each.
    IMPORT = "import"
    ERASURE = "erasure"
    # A round, in its order.
    PROPOSAL = "proposal"
    DISCOVERY = "discovery"
    CONSENT = "consent"
    OPENING = "opening"
    LOCKS = "locks"
    STANDING_QUERY = "standing_query"
    SUBMISSION = "submission"
    EVALUATION = "evaluation"
    TOKENS = "tokens"
    MATCH = "match"
    REPORT = "report"
    RECEIPT = "receipt"
    REFUSAL = "refusal"
    END_ASKED = "end_asked"
    REMINDER = "reminder"
    ENDING = "ending"
    KEY_DESTRUCTION = "key_destruction"
    CLOSING = "closing"
    EVIDENCE = "evidence"
    # After a hit.
    CONSULTATION = "consultation"
    DISCLOSURE = "disclosure"
    NOTE_RECEIVED = "note_received"
    HIT_CONFIRMED = "hit_confirmed"
    HIT_REFUTED = "hit_refuted"
    HIT_ACKNOWLEDGED = "hit_acknowledged"
    HIT_DECIDED = "hit_decided"
    FOLLOW_UP = "follow_up"
    FOLLOW_UP_CLOSED = "follow_up_closed"
    EXPORT = "export"
    EXPORT_PERMITTED = "export_permitted"
    WITHDRAWAL = "withdrawal"
    WITHDRAWAL_ACKNOWLEDGED = "withdrawal_acknowledged"
    OUTCOME = "outcome"
    FOLLOW_UP_TOLD = "follow_up_told"
    # A person who asks what is held on it.
    SUBJECT_ANSWERED = "subject_answered"
    # Limits against fishing.
    CHECKED = "checked"
    HITS_LEFT_OUT = "hits_left_out"
    FISHING_ALARM = "fishing_alarm"
    ALARM_RELEASED = "alarm_released"
    ANSWER_WITHHELD = "answer_withheld"
    ANSWER_REFUSED = "answer_refused"
    SUBMISSION_REFUSED = "submission_refused"
    STATEMENT_REFUSED = "statement_refused"
    # People: approvals of a second person, accounts, sign-ins.
    APPROVAL_REQUESTED = "approval_requested"
    APPROVED = "approved"
    APPROVAL_DENIED = "approval_denied"
    SIGN_IN = "sign_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGN_OUT = "sign_out"
    ACCOUNT_LOCKED = "account_locked"
    ACCOUNT_CHANGED = "account_changed"
    # The registry.
    PARTY_INVITED = "party_invited"
    REGISTRY_CHANGED = "registry_changed"
    REGISTRY_ACCEPTED = "registry_accepted"
    KEY_REPLACED = "key_replaced"
    # The log itself.
    LOG_ALARM = "log_alarm"
    ALARM_ACKNOWLEDGED = "alarm_acknowledged"
    LOG_CONSULTED = "log_consulted"
    LOG_EXPORTED = "log_exported"
    LOG_PRUNED = "log_pruned"
    BACKUP = "backup"
    # Reports that are published.
    REPORT_SIGNED = "report_signed"
    # The service itself: what its administrator does for it.
    MAINTENANCE = "maintenance"


class Word(StrEnum):
    """The closed list of words that an entry may use as a value of `ids`; a new one is a change of this list."""

    LIST = "list"
    LISTS = "lists"
    QUERY = "query"
    LISTS_AND_QUERIES = "lists_and_queries"
    FULL = "full"
    PARTIAL = "partial"
    COARSE = "coarse"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    CLOSED = "closed"
    ABORTED = "aborted"
    REFUSED = "refused"
    ROUND = "round"
    HITS = "hits"
    HIT = "hit"
    RECORD = "record"
    IMPORT = "import"
    DUPLICATES = "duplicates"
    CONSENT = "consent"
    SUBMISSION = "submission"
    ERASURE = "erasure"
    STANDING_QUERY = "standing_query"
    REGISTRY = "registry"
    ASKED = "asked"
    REPLACED = "replaced"
    EMPTIED = "emptied"
    PROPOSAL = "proposal"
    ABORT = "abort"
    CLOSE = "close"
    EXPORT = "export"
    CERTIFICATE = "certificate"
    NOTIFICATION = "notification"
    SAME = "same"
    NOT_THE_SAME = "not_the_same"
    CANNOT_TELL = "cannot_tell"
    UNDONE = "undone"
    ASSIGNED = "assigned"
    REMARKED = "remarked"
    CARRIED = "carried"
    REOPENED = "reopened"
    REPLIED = "replied"
    REMINDED = "reminded"
    RECEIVED = "received"
    ANSWERED = "answered"
    CREATED = "created"
    CHANGED = "changed"
    DISABLED = "disabled"
    ENABLED = "enabled"
    PASSWORD = "password"
    TOTP = "totp"
    OIDC = "oidc"
    TOKEN = "token"
    ROLES = "roles"
    FORK = "fork"
    SHRUNK = "shrunk"
    SIGNATURE = "signature"
    MISSING = "missing"
    FALSE = "false"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    SIENA = "siena"
    INTERPOL = "interpol"
    BILATERAL = "bilateral"
    URGENT = "urgent"
    NORMAL = "normal"
    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    UNRESOLVED = "unresolved"
    INCORRECT = "incorrect"
    UNLAWFUL = "unlawful"
    NOT_NEEDED = "not_needed"
    ERASED = "erased"
    ACKNOWLEDGED = "acknowledged"
    ON_HOLD = "on_hold"
    PERSON = "person"
    GIVEN = "given"
    NOTHING = "nothing"
    INQUIRIES = "inquiries"
    OFFENCES = "offences"
    PUBLIC_SECURITY = "public_security"
    NATIONAL_SECURITY = "national_security"
    RIGHTS = "rights"


Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
LogParty = Annotated[str, StringConstraints(pattern=r"^([A-Z]{2}|matcher)$")]
Person = Annotated[str, StringConstraints(pattern=r"^p-[0-9a-f]{12}$")]
RandomId = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{32}|p-[0-9a-f]{12}|[A-Z]{2}|matcher)$")]
HexDigest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Salt = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Number = Annotated[int, Field(ge=0, le=2**53 - 1)]
ReasonText = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")]


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Reason(_Closed):
    """The reason for an action, as its officer justified it; the only free text of an entry, and erased with it."""

    legal_basis: ReasonText
    purpose: ReasonText
    case_reference: ReasonText | None = None
    category: ReasonText | None = None


class Entry(_Closed):
    """One entry of a log."""

    log: Literal["aquila-log/1"] = "aquila-log/1"
    """The version of this form."""
    kind: EntryKind
    """What happened."""
    time: Number
    """When, in seconds since 1970."""
    party: LogParty
    """Whose act it was: a party's code, or `matcher`."""
    person: Person | None = None
    """The pseudonymous id of the person who did it, or None where the service did it by itself."""
    role: Name | None = None
    """In which role, a name of the role table."""
    round: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")] | None = None
    """In which round."""
    reason: Reason | None = None
    """Why."""
    recipient: LogParty | None = None
    """To whom data went, or whom it concerns."""
    counts: Annotated[dict[Name, Number], Field(max_length=_MOST_NAMES)] = {}
    """How many, by name; a chunk's number is one too."""
    digests: Annotated[dict[Name, HexDigest], Field(max_length=_MOST_NAMES)] = {}
    """SHA-256 of statements, chunks and contents, by name."""
    ids: Annotated[dict[Name, RandomId | Word], Field(max_length=_MOST_NAMES)] = {}
    """Random identifiers, parties, pseudonymous ids and words of the closed list, by name."""
    salt: Salt | None = Field(default=None, exclude_if=lambda value: value is None)
    """128 random bits, so that nobody can guess an entry from the hash of its leaf; the log adds them when it takes the
    entry."""

    @classmethod
    def of(cls, kind: EntryKind, time: int, party: str, **fields: object) -> Self:
        """Make an entry.

        Args:
            kind: What happened.
            time: When, in seconds since 1970.
            party: Whose act it was.
            **fields: The other fields, as in the class.

        Raises:
            InputError: A value is none that an entry may hold. The error names the field and never the value.
        """
        try:
            return cls.model_validate({"kind": kind, "time": time, "party": party, **fields})
        except ValidationError as error:
            raise InputError("entry_content_not_allowed", kind=kind.value, fields=fields_at_fault(error, 1)) from None

    def salted(self, salt: str | None) -> Self:
        """Return the same entry with this salt, or without one."""
        return self.model_copy(update={"salt": salt})

    def content(self) -> bytes:
        """Return the canonical JSON (RFC 8785) that is stored and hashed."""
        return rfc8785.dumps(self.model_dump(mode="json"))

    def leaf(self) -> bytes:
        """Return the hash of the entry's leaf, 32 bytes."""
        return leaf_hash(self.content())


def read_entry(content: bytes) -> Entry:
    """Read an entry's canonical JSON.

    Raises:
        AuditError: The bytes are not an entry in its one valid form.
    """
    if len(content) > LARGEST_ENTRY:
        raise AuditError("entry_too_long", expected=LARGEST_ENTRY, got=len(content))
    try:
        entry = Entry.model_validate_json(content)
    except ValidationError as error:
        raise AuditError("entry_malformed", fields=fields_at_fault(error, 1)) from None
    if entry.content() != content:
        raise AuditError("entry_not_canonical")
    return entry


def fields_at_fault(error: ValidationError, depth: int | None = None) -> str:
    """Name the fields that a validation found wrong and how, without their values.

    Args:
        error: What pydantic found.
        depth: How many names of nested fields are told, where names within a field may be anybody's.
    """
    found = {
        f"{'.'.join(map(str, item['loc'][:depth])) or 'the whole'} ({item['type']})"
        for item in error.errors(include_input=False, include_url=False, include_context=False)
    }
    return ", ".join(sorted(found)[:8])


LEFT_OUT_FILE = "left_out.json"

_Index = Annotated[int, Field(ge=0, le=2**40)]
_RoundId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    entries: list[tuple[_Index, _Index]]
    rounds: dict[_RoundId, Annotated[int, Field(ge=1)]]


@dataclass(frozen=True, slots=True)
class LeftOutEntries:
    """The entries that a copy lacks."""

    entries: tuple[tuple[int, int], ...] = ()
    """The ranges of their indices, each from a first one up to an end, ascending."""
    rounds: Counter[str] = field(default_factory=Counter)
    """How many of each round that is in the copy otherwise."""

    @classmethod
    def of(cls, indices: Iterable[int], rounds: Counter[str]) -> "LeftOutEntries":
        """Return the entries that are left out, from ascending indices."""
        return cls(tuple(_ranges(indices)), rounds)

    @property
    def count(self) -> int:
        """Return the number of entries."""
        return sum(end - first for first, end in self.entries)

    def indices(self) -> Iterator[int]:
        """Yield their indices, ascending."""
        for first, end in self.entries:
            yield from range(first, end)

    def to_bytes(self) -> bytes:
        """Return the file's content."""
        return json.dumps({"entries": self.entries, "rounds": self.rounds}, sort_keys=True).encode() + b"\n"


def read_left_out(content: bytes, size: int) -> LeftOutEntries:
    """Read the file for a log of a number of entries.

    Raises:
        AuditError: It is not such a file, its ranges are not ascending and within the log, or its rounds lack more.
    """
    try:
        found = _File.model_validate_json(content)
    except ValidationError:
        raise AuditError("left_out_file_unreadable", file=LEFT_OUT_FILE) from None
    edges = [edge for of in found.entries for edge in of]
    if any(low >= high for low, high in found.entries) or any(a > b for a, b in pairwise([0, *edges, size])):
        raise AuditError("left_out_entries_malformed", file=LEFT_OUT_FILE)
    left_out = LeftOutEntries(tuple(found.entries), Counter(found.rounds))
    if left_out.rounds.total() > left_out.count:
        raise AuditError("left_out_rounds_malformed", file=LEFT_OUT_FILE)
    return left_out


def _ranges(indices: Iterable[int]) -> Iterator[tuple[int, int]]:
    first = end = -1
    for index in indices:
        if index != end:
            if end >= 0:
                yield first, end
            first = index
        end = index + 1
    if end >= 0:
        yield first, end
