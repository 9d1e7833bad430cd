"""Counts of a party's statements that were refused because it had made them as often as it can."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "repeated_statement",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Round that it belongs to."),
        sa.Column("party", sa.String(length=2), nullable=False, comment="Who signed them."),
        sa.Column("statements", sa.BigInteger(), nullable=False, comment="How many."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_repeated_statement_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "party", name=op.f("pk_repeated_statement")),
    )


def downgrade() -> None:
    op.drop_table("repeated_statement")
