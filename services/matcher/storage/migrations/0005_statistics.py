"""Counts for statistics: matched lists, persons by number of parties, outcomes; an index for news of withdrawals."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "known_count",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Round that it belongs to."),
        sa.Column(
            "parties", sa.Integer(), autoincrement=False, nullable=False, comment="To how many parties: 2, 3, ..."
        ),
        sa.Column("persons", sa.BigInteger(), nullable=False, comment="How many."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_known_count_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "parties", name=op.f("pk_known_count")),
    )
    op.create_table(
        "list_count",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Round that it belongs to."),
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="The list or query."),
        sa.Column("party", sa.String(length=2), nullable=False, comment="Whose it is."),
        sa.Column("kind", sa.String(length=8), nullable=False, comment="list or query."),
        sa.Column("records", sa.BigInteger(), nullable=False, comment="Records, padding included."),
        sa.Column("matched_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_list_count_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "submission_id", name=op.f("pk_list_count")),
    )
    op.create_table(
        "outcome_count",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Round that it belongs to."),
        sa.Column("party", sa.String(length=2), nullable=False, comment="Who says so."),
        sa.Column("counterpart", sa.String(length=2), nullable=False, comment="The other party of the hits."),
        sa.Column("certainty", sa.String(length=8), nullable=False, comment="Published level."),
        sa.Column(
            "outcome",
            sa.String(length=16),
            nullable=False,
            comment="confirmed, refuted, unresolved, withdrawn or open.",
        ),
        sa.Column("hits", sa.BigInteger(), nullable=False, comment="How many."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_outcome_count_round_id_round")),
        sa.PrimaryKeyConstraint(
            "round_id", "party", "counterpart", "certainty", "outcome", name=op.f("pk_outcome_count")
        ),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_event_reader_statement_round_id"), ["reader", "statement", "round_id"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_event_reader_statement_round_id"))

    op.drop_table("outcome_count")
    op.drop_table("list_count")
    op.drop_table("known_count")
