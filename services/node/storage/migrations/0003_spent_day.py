"""Elements evaluated for each party, by day; those of earlier rounds count on the day on which they came."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "spent_day",
        sa.Column("origin", sa.String(length=16), nullable=False, comment="For whom."),
        sa.Column("input_class", sa.String(length=8), nullable=False, comment="full or partial."),
        sa.Column(
            "day",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="Days since 1970 in UTC, by this node's clock.",
        ),
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="In which round."),
        sa.Column("elements", sa.BigInteger(), nullable=False, comment="How many, padding included."),
        sa.PrimaryKeyConstraint("origin", "input_class", "day", "round_id", name=op.f("pk_spent_day")),
    )
    op.execute(
        "INSERT INTO spent_day (origin, input_class, day, round_id, elements) "
        'SELECT spent.origin, spent.input_class, "round".discovered_at / 86400, spent.round_id, spent.elements '
        'FROM spent JOIN "round" ON "round".round_id = spent.round_id'
    )


def downgrade() -> None:
    op.drop_table("spent_day")
