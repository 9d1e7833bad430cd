"""Suggestions of rounds."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "suggestion",
        sa.Column("suggestion_id", sa.String(length=32), nullable=False, comment="Random identifier."),
        sa.Column("author", sa.String(length=14), nullable=False, comment="The pseudonymous id of who wrote it."),
        sa.Column("terms", sa.JSON(), nullable=False, comment="Parties, grounds and what may be asked."),
        sa.Column(
            "state", sa.String(length=16), nullable=False, comment="written, waiting, proposed, set_aside or refused."
        ),
        sa.Column("made_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970 when it was written."),
        sa.Column("answered_at", sa.BigInteger(), nullable=True, comment="Seconds since 1970 of the answer."),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why it was set aside or not taken."),
        sa.Column("round_id", sa.String(length=32), nullable=True, comment="The round that was proposed from it."),
        sa.PrimaryKeyConstraint("suggestion_id", name=op.f("pk_suggestion")),
    )
    with op.batch_alter_table("suggestion", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_suggestion_state"), ["state"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("suggestion", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_suggestion_state"))

    op.drop_table("suggestion")
