"""Canaries: which hits are planted, and how those of each pair fared."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_LEVEL = "How many were reported as hits of this level, as told."


def upgrade() -> None:
    op.create_table(
        "canary",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("counterpart", sa.String(length=16), nullable=False, comment="The other party."),
        sa.Column("high", sa.BigInteger(), nullable=False, comment=_LEVEL),
        sa.Column("medium", sa.BigInteger(), nullable=False, comment="The same."),
        sa.Column("low", sa.BigInteger(), nullable=False, comment="The same."),
        sa.Column(
            "judged_at",
            sa.BigInteger(),
            nullable=True,
            comment="Seconds since 1970; none while the other side has not told of them.",
        ),
        sa.Column("expected", sa.BigInteger(), nullable=False, comment="How many should be hits."),
        sa.Column("missing", sa.BigInteger(), nullable=False, comment="How many of these are none."),
        sa.Column("wrong", sa.BigInteger(), nullable=False, comment="How many are of another level than they should."),
        sa.Column("differing", sa.Boolean(), nullable=False, comment="Whether the other side tells of other hits."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_canary_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "counterpart", name=op.f("pk_canary")),
    )
    with op.batch_alter_table("canary", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_canary_round_id"), ["round_id"], unique=False)

    comment = "Whether it is a planted one: no person, no analyst sees it; the position is a dummy's."
    with op.batch_alter_table("hit", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("canary", sa.Boolean(), nullable=False, server_default=sa.false(), comment=comment)
        )
    # Hits of before are none; from now on every row says so itself.
    with op.batch_alter_table("hit", schema=None) as batch_op:
        batch_op.alter_column(
            "canary", server_default=None, existing_type=sa.Boolean(), existing_nullable=False, existing_comment=comment
        )


def downgrade() -> None:
    with op.batch_alter_table("hit", schema=None) as batch_op:
        batch_op.drop_column("canary")
    with op.batch_alter_table("canary", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_canary_round_id"))

    op.drop_table("canary")
