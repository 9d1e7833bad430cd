"""Suggestions of rounds."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "suggestion",
        sa.Column("suggestion_id", sa.String(length=32), nullable=False, comment="Random id, drawn by the node."),
        sa.Column("party", sa.String(length=2), nullable=False, comment="Whose suggestion it is."),
        sa.Column("terms", sa.JSON(), nullable=False, comment="Parties, grounds and what may be asked."),
        sa.Column("state", sa.String(length=16), nullable=False, comment="waiting, proposed or set_aside."),
        sa.Column("made_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970 when it came."),
        sa.Column("answered_at", sa.BigInteger(), nullable=True, comment="Seconds since 1970 of the answer."),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why it was set aside."),
        sa.Column("round_id", sa.String(length=32), nullable=True, comment="The round that was proposed from it."),
        sa.PrimaryKeyConstraint("suggestion_id", name=op.f("pk_suggestion")),
    )
    with op.batch_alter_table("suggestion", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_suggestion_party"), ["party"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("suggestion", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_suggestion_party"))

    op.drop_table("suggestion")
