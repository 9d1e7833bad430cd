"""Hits are grouped by own person, and a person's last decisions can be undone."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    with op.batch_alter_table("hit", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "person",
                sa.String(length=64),
                nullable=True,
                comment="SHA-256 of the own record's number, names and date of birth; none of earlier hits.",
            )
        )
        batch_op.create_index(batch_op.f("ix_hit_person"), ["person"], unique=False)
        batch_op.create_index(batch_op.f("ix_hit_record_id"), ["record_id"], unique=False)
    with op.batch_alter_table("hit_life", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "undo_person",
                sa.String(length=16),
                nullable=True,
                comment="Who can undo the last step, which is then this person's decision; none after another step.",
            )
        )
        batch_op.add_column(
            sa.Column(
                "undo_number",
                sa.BigInteger(),
                nullable=True,
                comment="The first step of the decisions that were taken together with it.",
            )
        )
        batch_op.create_index(
            batch_op.f("ix_hit_life_undo_person_undo_number"), ["undo_person", "undo_number"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("hit_life", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_hit_life_undo_person_undo_number"))
        batch_op.drop_column("undo_number")
        batch_op.drop_column("undo_person")
    with op.batch_alter_table("hit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_hit_record_id"))
        batch_op.drop_index(batch_op.f("ix_hit_person"))
        batch_op.drop_column("person")
