"""Indices by which rounds that go on, and sealed notes that are still stored, are found among all others."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

_NOTES = sa.text("statement = 'notes' AND envelope IS NOT NULL")


def upgrade() -> None:
    op.create_index(op.f("ix_round_ended_at"), "round", ["ended_at"])
    op.create_index(op.f("ix_round_created_at"), "round", ["created_at"])
    op.create_index("ix_event_notes", "event", ["round_id"], sqlite_where=_NOTES, postgresql_where=_NOTES)


def downgrade() -> None:
    op.drop_index("ix_event_notes", "event")
    op.drop_index(op.f("ix_round_created_at"), "round")
    op.drop_index(op.f("ix_round_ended_at"), "round")
