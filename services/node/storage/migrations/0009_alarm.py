"""Alarms over queries that hit this node's list far too often."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "alarm",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="The query."),
        sa.Column("asker", sa.String(length=16), nullable=False, comment="Whose query it is."),
        sa.Column("hits", sa.BigInteger(), nullable=False, comment="How many own records it hit."),
        sa.Column("stored", sa.BigInteger(), nullable=False, comment="Hits that were stored, for the receipt."),
        sa.Column("expected", sa.BigInteger(), nullable=False, comment="How many the sizes explain, in thousandths."),
        sa.Column("raised_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.Column("released_at", sa.BigInteger(), nullable=True, comment="Seconds since 1970; none while it waits."),
        sa.Column(
            "released_by", sa.String(length=16), nullable=True, comment="The pseudonymous id of who released it."
        ),
        sa.Column("acknowledged", sa.Boolean(), nullable=False, comment="Whether the receipt is signed."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_alarm_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "submission_id", name=op.f("pk_alarm")),
    )
    with op.batch_alter_table("alarm", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alarm_round_id"), ["round_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("alarm", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alarm_round_id"))

    op.drop_table("alarm")
