"""Indices by which rounds that go on and unsent statements are found among all others; until when a round is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    with op.batch_alter_table("round", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "kept_until",
                sa.BigInteger(),
                nullable=True,
                comment="Until when its manifest keeps hits and statements, in seconds since 1970; none until it was "
                "read.",
            )
        )
        batch_op.create_index(batch_op.f("ix_round_state_phase"), ["state", "phase"], unique=False)
        batch_op.create_index(batch_op.f("ix_round_outcomes_changed_at"), ["outcomes_changed_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_round_discovered_at"), ["discovered_at"], unique=False)
    op.create_index(
        "ix_statement_unsent",
        "statement",
        ["round_id"],
        sqlite_where=sa.text("own = 1 AND sent = 0"),
        postgresql_where=sa.text("own AND NOT sent"),
    )
    op.create_index(
        "ix_note_batch_unconfirmed",
        "note_batch",
        ["round_id"],
        sqlite_where=sa.text("own = 1 AND done = 0"),
        postgresql_where=sa.text("own AND NOT done"),
    )


def downgrade() -> None:
    op.drop_index("ix_note_batch_unconfirmed", "note_batch")
    op.drop_index("ix_statement_unsent", "statement")
    with op.batch_alter_table("round", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_round_discovered_at"))
        batch_op.drop_index(batch_op.f("ix_round_outcomes_changed_at"))
        batch_op.drop_index(batch_op.f("ix_round_state_phase"))
        batch_op.drop_column("kept_until")
