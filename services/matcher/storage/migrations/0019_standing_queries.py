"""A request at a node may be for a standing query, which is about no round: only the comments change."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

_KIND = "consent, submission, erasure, standing_query, proposal or abort."
_KIND_BEFORE = "consent, submission, erasure, proposal or abort."
_ROUND = "The round that it is about; empty of an erasure or a standing query."
_ROUND_BEFORE = "The round that it is about; empty of an erasure."


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
