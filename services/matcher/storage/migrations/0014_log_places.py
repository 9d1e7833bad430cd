"""The position of an event's statement in the log, and an index of events by their digests."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "log_index",
                sa.BigInteger(),
                nullable=True,
                comment="Place of the statement's entry in the log; none of those that were taken before.",
            )
        )
        batch_op.create_index(batch_op.f("ix_event_digest"), ["digest"], unique=False)
    with op.batch_alter_table("log_alarm", schema=None) as batch_op:
        batch_op.alter_column(
            "what",
            existing_type=sa.String(length=16),
            existing_nullable=False,
            comment="fork, shrunk, missing or signature.",
        )


def downgrade() -> None:
    with op.batch_alter_table("log_alarm", schema=None) as batch_op:
        batch_op.alter_column(
            "what", existing_type=sa.String(length=16), existing_nullable=False, comment="fork, shrunk or signature."
        )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_event_digest"))
        batch_op.drop_column("log_index")
