"""Signed submissions store when they arrived: their justification is erased three years later."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    with op.batch_alter_table("statement", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "taken_at",
                sa.BigInteger(),
                nullable=True,
                comment="Seconds since 1970 when it was signed or taken here.",
            )
        )
        batch_op.add_column(
            sa.Column(
                "erased_at",
                sa.BigInteger(),
                nullable=True,
                comment="Of a submission: since when its justification is erased, and the rest is here unsigned.",
            )
        )
    # Nobody knows when earlier ones came: they go three years after this.
    statement = sa.table("statement", sa.column("taken_at"))
    op.get_bind().execute(sa.update(statement).values(taken_at=int(time.time())))


def downgrade() -> None:
    with op.batch_alter_table("statement", schema=None) as batch_op:
        batch_op.drop_column("erased_at")
        batch_op.drop_column("taken_at")
