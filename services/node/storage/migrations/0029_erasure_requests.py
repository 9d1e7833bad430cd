"""A request may be for the erasure of a record, which is about no round: only the comments change."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"

_KIND = "consent, submission, erasure, proposal or abort."
_KIND_BEFORE = "consent, submission, proposal or abort."
_ROUND = "The round that it is about; empty of an erasure."
_ROUND_BEFORE = "The round that it is about."


def upgrade() -> None:
    _comment("kind", sa.String(length=16), _KIND, _KIND_BEFORE)
    _comment("round_id", sa.String(length=32), _ROUND, _ROUND_BEFORE)


def downgrade() -> None:
    _comment("round_id", sa.String(length=32), _ROUND_BEFORE, _ROUND)
    _comment("kind", sa.String(length=16), _KIND_BEFORE, _KIND)


def _comment(column: str, type_: sa.String, comment: str, before: str) -> None:
    if op.get_bind().dialect.supports_comments:
        op.alter_column(
            "approval", column, existing_type=type_, existing_nullable=False, comment=comment, existing_comment=before
        )
