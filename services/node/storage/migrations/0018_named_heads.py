"""Heads of the matcher's log that others named in their statements."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "named_head",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False, comment="Entries that the log had."),
        sa.Column("root", sa.String(length=64), nullable=False, comment="The head over them, hexadecimal."),
        sa.Column("party", sa.String(length=16), nullable=False, comment="Who named it first here."),
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="In which round."),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="Digest of the statement that names it."),
        sa.Column(
            "verified_at",
            sa.BigInteger(),
            nullable=True,
            comment="Seconds since 1970 when it was found to be of the log that is shown here.",
        ),
        sa.PrimaryKeyConstraint("size", "root", name=op.f("pk_named_head")),
    )
    with op.batch_alter_table("named_head", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_named_head_verified_at"), ["verified_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("named_head", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_named_head_verified_at"))

    op.drop_table("named_head")
