"""An index of the receipts of this party alone, by which rounds without a report are found."""

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
