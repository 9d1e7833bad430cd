"""Persons known, by the least level of the hits that join them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    # Rounds that were matched before were counted by hits of medium and high certainty, and that alone.
    with op.batch_alter_table("known_count", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "certainty",
                sa.String(length=8),
                nullable=False,
                server_default="medium",
                comment="Least level of the hits that join a person.",
            )
        )
        batch_op.drop_constraint(batch_op.f("pk_known_count"), type_="primary")
        batch_op.create_primary_key(batch_op.f("pk_known_count"), ["round_id", "certainty", "parties"])
    with op.batch_alter_table("known_count", schema=None) as batch_op:
        batch_op.alter_column("certainty", existing_type=sa.String(length=8), nullable=False, server_default=None)


def downgrade() -> None:
    op.execute("DELETE FROM known_count WHERE certainty <> 'medium'")
    with op.batch_alter_table("known_count", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("pk_known_count"), type_="primary")
        batch_op.drop_column("certainty")
        batch_op.create_primary_key(batch_op.f("pk_known_count"), ["round_id", "parties"])
