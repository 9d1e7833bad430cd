"""Views and requests of four eyes: what one person asks for, and what another decides about exactly that content."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from aquila.interface.people import Person
from aquila.protocol.messages.base import Digest, GivenText, Identifier, Message, Seconds


class ApprovalKind(StrEnum):
    """Requests that take effect only after a second person approved them: five kinds at a node, three at a matcher."""

    CONSENT = "consent"
    SUBMISSION = "submission"
    ERASURE = "erasure"
    STANDING_QUERY = "standing_query"
    PROPOSAL = "proposal"
    ABORT = "abort"
    REGISTRY = "registry"


class ApprovalState(StrEnum):
    """The state of a request; all but the first are final."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class PendingApproval(Message):
    """A request was stored and waits for a second person."""

    approval_id: Identifier
    kind: ApprovalKind
    round_id: Identifier | None
    """The round that it is about; none of an erasure, a standing query or the registry."""
    submission_id: Identifier | None = None
    """Of a submission, the id that it will have."""
    digest: Digest
    """SHA-256 of the content's canonical JSON: what the second person approves."""
    expires_at: Seconds


class ApprovalEntry(Message):
    """A request in a list."""

    approval_id: Identifier
    kind: ApprovalKind
    round_id: Identifier | None
    state: ApprovalState
    urgent: bool = False
    """Whether its justification says that an answer is needed today."""
    author: Person
    author_name: str = ""
    """The author's name, which only people of this service see; empty where the account has none."""
    asked_at: Seconds
    expires_at: Seconds
    decided_by: Person | None
    decided_by_name: str = ""
    decided_at: Seconds | None
    reason: str | None
    digest: Digest
    own: Annotated[bool, Field(description="Whether the caller asked for it, and so cannot approve it.")]


class Approvals(Message):
    """All requests, newest first."""

    approvals: tuple[ApprovalEntry, ...]


class ApprovalView(Message):
    """A request with everything that will take effect; nothing that does is left out."""

    entry: ApprovalEntry
    content: dict[str, Any]


class OwnErasureRequest(Message):
    """A person's own request to erase a record with hits."""

    entry: ApprovalEntry
    record_id: Annotated[str, Field(repr=False)]
    """The record's own identifier; empty once the record, or the content of the request, is erased."""
    asked_because: Annotated[str, Field(repr=False)]
    """Why it was asked for; empty in the same way."""


class OwnErasureRequests(Message):
    """A person's own requests to erase records with hits: those that wait first, then the newest."""

    requests: tuple[OwnErasureRequest, ...]


class Approve(Message):
    """A second person approves the content of this digest and no other."""

    digest: Digest


class Refuse(Message):
    """A second person's refusal, with a reason."""

    reason: GivenText
