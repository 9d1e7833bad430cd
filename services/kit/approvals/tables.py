"""The table of requests, the same at node and matcher."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from services.kit.storage.row_seals import SealedRow
from services.kit.storage.store import Rows, new_metadata


class ApprovalRows(Rows):
    """The base of the table of requests."""

    __abstract__ = True
    metadata = new_metadata()


class ApprovalRow(SealedRow, ApprovalRows):
    """A person's request."""

    unsealed = ("content",)
    __tablename__ = "approval"
    approval_id: Mapped[str] = mapped_column(String(32), primary_key=True, comment="Random identifier.")
    kind: Mapped[str] = mapped_column(
        String(16), comment="consent, submission, erasure, standing_query, proposal, abort or registry."
    )
    round_id: Mapped[str] = mapped_column(
        String(32), index=True, comment="The round that it is about; empty of an erasure, standing query or registry."
    )
    content: Mapped[bytes] = mapped_column(
        comment="Canonical JSON of what shall take effect; empty once retention has erased it."
    )
    digest: Mapped[str] = mapped_column(String(64), comment="SHA-256 of the content.")
    subject: Mapped[str] = mapped_column(
        String(64), default="", index=True, comment="SHA-256 of what was asked for; none of earlier requests."
    )
    urgent: Mapped[bool] = mapped_column(
        default=False, comment="Whether its justification says so: approvers are told."
    )
    author: Mapped[str] = mapped_column(String(14), comment="Who asked; pseudonymous id.")
    asked_at: Mapped[int] = mapped_column(comment="Seconds since 1970.")
    expires_at: Mapped[int] = mapped_column(comment="Until when it may be approved.")
    state: Mapped[str] = mapped_column(
        String(16), default="waiting", index=True, comment="waiting, approved, refused, withdrawn or expired."
    )
    decided_by: Mapped[str | None] = mapped_column(String(14), comment="Who decided; pseudonymous id.")
    decided_at: Mapped[int | None] = mapped_column(comment="Seconds since 1970.")
    reason: Mapped[str | None] = mapped_column(comment="Why it was refused.")
