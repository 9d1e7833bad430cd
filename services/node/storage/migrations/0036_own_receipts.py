"""An index by which rounds with a report are told from those without one: of this party's receipts alone."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    op.create_index(
        "ix_statement_own_receipts",
        "statement",
        ["round_id"],
        sqlite_where=sa.text("own = 1 AND kind = 'receipt'"),
        postgresql_where=sa.text("own AND kind = 'receipt'"),
    )


def downgrade() -> None:
    op.drop_index("ix_statement_own_receipts", "statement")
