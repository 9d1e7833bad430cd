"""Persons' choices of notifications."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "notification",
        sa.Column("person", sa.String(length=14), nullable=False, comment="Who."),
        sa.Column("channel", sa.String(length=8), nullable=False, comment="mail or command."),
        sa.Column(
            "address",
            sa.String(length=254),
            nullable=False,
            comment="The mail address, or what the command takes for one.",
        ),
        sa.Column("language", sa.String(length=16), nullable=False, comment="In which notifications are written."),
        sa.Column(
            "told",
            sa.JSON(),
            nullable=True,
            comment="The counts and times that were told last; none before the first notification.",
        ),
        sa.Column("told_at", sa.BigInteger(), nullable=False, comment="When, in seconds since 1970."),
        sa.Column("told_day", sa.BigInteger(), nullable=False, comment="The day of the last daily notification."),
        sa.Column("attempts", sa.BigInteger(), nullable=False, comment="Deliveries that failed since one succeeded."),
        sa.Column("retry_at", sa.BigInteger(), nullable=False, comment="Before when none is tried again."),
        sa.Column("failing_since", sa.BigInteger(), nullable=True, comment="When the first of them failed."),
        sa.Column("failure", sa.String(length=16), nullable=True, comment="Why the last of them failed."),
        sa.ForeignKeyConstraint(["person"], ["account.person"], name=op.f("fk_notification_person_account")),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_notification")),
    )


def downgrade() -> None:
    op.drop_table("notification")
