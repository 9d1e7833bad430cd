"""Counts of other parties' query hits on this node's list; of each other log the newest checkpoint is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


_NOW = "Newest checkpoint of each other log, which was found consistent with all before, and cosigned."
_BEFORE = "Checkpoints of other logs that were found consistent with all before, and cosigned; all stay."


def upgrade() -> None:
    if op.get_bind().dialect.supports_comments:
        op.create_table_comment("log_witnessed", _NOW, existing_comment=_BEFORE)
    op.create_table(
        "query_hits",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="The query."),
        sa.Column("asker", sa.String(length=2), nullable=False, comment="Whose it is."),
        sa.Column("hits", sa.BigInteger(), nullable=False, comment="How many of this node's records it hit."),
        sa.Column(
            "expected", sa.BigInteger(), nullable=False, comment="How many hits the sizes explain, in millionths."
        ),
        sa.Column("reported_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.Column(
            "explained",
            sa.Boolean(),
            nullable=False,
            comment="Whether a person released it, or a later one of this asker: it counts no more.",
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_query_hits_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "submission_id", name=op.f("pk_query_hits")),
    )
    with op.batch_alter_table("query_hits", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_query_hits_asker"), ["asker"], unique=False)
        batch_op.create_index(batch_op.f("ix_query_hits_round_id"), ["round_id"], unique=False)


def downgrade() -> None:
    if op.get_bind().dialect.supports_comments:
        op.create_table_comment("log_witnessed", _BEFORE, existing_comment=_NOW)
    with op.batch_alter_table("query_hits", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_query_hits_round_id"))
        batch_op.drop_index(batch_op.f("ix_query_hits_asker"))
    op.drop_table("query_hits")
