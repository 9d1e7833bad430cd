"""Published numbers: the counts of the moment when a round ended, and the key by which they are rounded."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

COUNTS = {"hit_count": "hits", "known_count": "persons"}
COMMENT = "As they were when the round ended, to be published rounded; nothing before."


def upgrade() -> None:
    key = op.create_table(
        "rounding_key",
        sa.Column("key_id", sa.Integer(), autoincrement=False, nullable=False, comment="Always 1."),
        sa.Column("key", sa.LargeBinary(), nullable=False, comment="Random bytes, secret as the counts are."),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_rounding_key")),
    )
    op.bulk_insert(key, [{"key_id": 1, "key": secrets.token_bytes(32)}])
    ended = sa.text("SELECT round_id FROM round WHERE ended_at IS NOT NULL")
    for name, column in COUNTS.items():
        with op.batch_alter_table(name, schema=None) as batch_op:
            batch_op.add_column(sa.Column("published", sa.BigInteger(), nullable=True, comment=COMMENT))
        # Rounds that ended before go on to be published, by what they say now.
        table = sa.table(name, sa.column("round_id"), sa.column(column), sa.column("published"))
        op.execute(table.update().where(table.c.round_id.in_(ended)).values(published=table.c[column]))


def downgrade() -> None:
    for name in COUNTS:
        with op.batch_alter_table(name, schema=None) as batch_op:
            batch_op.drop_column("published")
    op.drop_table("rounding_key")
