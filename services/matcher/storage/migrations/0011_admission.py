"""Accounts of a provider are let in, sign-ins at no account are counted, and requests know what they ask for."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "admitted",
                sa.Boolean(),
                nullable=False,
                server_default=sa.true(),
                comment="Whether an administrator let it in, where it came by OpenID Connect.",
            )
        )
        batch_op.add_column(
            sa.Column(
                "name",
                sa.String(length=200),
                nullable=True,
                comment="Whom the provider says it is, for the administrator; none of a local account.",
            )
        )
    with op.batch_alter_table("approval", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "subject",
                sa.String(length=64),
                nullable=False,
                server_default="",
                comment="SHA-256 of what was asked for; none of earlier requests.",
            )
        )
        batch_op.create_index(op.f("ix_approval_subject"), ["subject"], unique=False)
    # Accounts of before came before anybody had to let them in; from now on every row says so itself.
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.alter_column(
            "admitted",
            server_default=None,
            existing_type=sa.Boolean(),
            existing_nullable=False,
            existing_comment="Whether an administrator let it in, where it came by OpenID Connect.",
        )
    with op.batch_alter_table("approval", schema=None) as batch_op:
        batch_op.alter_column(
            "subject",
            server_default=None,
            existing_type=sa.String(length=64),
            existing_nullable=False,
            existing_comment="SHA-256 of what was asked for; none of earlier requests.",
        )
    op.create_table(
        "unknown_login",
        sa.Column("row_id", sa.Integer(), autoincrement=False, nullable=False, comment="1."),
        sa.Column("attempts", sa.BigInteger(), nullable=False, comment="How many there were."),
        sa.Column("last_at", sa.BigInteger(), nullable=False, comment="The last one, seconds since 1970."),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_unknown_login")),
    )


def downgrade() -> None:
    op.drop_table("unknown_login")
    with op.batch_alter_table("approval", schema=None) as batch_op:
        batch_op.drop_index(op.f("ix_approval_subject"))
        batch_op.drop_column("subject")
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.drop_column("name")
        batch_op.drop_column("admitted")
