"""Required statements in the matcher's log, whether each was proved, and statements that wait for it."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    with op.batch_alter_table("statement", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "promise",
                sa.String(length=8),
                nullable=True,
                comment="Whether the matcher's log holds it: signed, promised, proved, excused; none if nobody asks.",
            )
        )
        batch_op.add_column(
            sa.Column(
                "log_index",
                sa.BigInteger(),
                nullable=True,
                comment="Its place in the matcher's log, once that was proved.",
            )
        )
        batch_op.add_column(
            sa.Column(
                "unproved",
                sa.Integer(),
                server_default="0",
                nullable=False,
                comment="How many looks at the matcher's log did not prove it.",
            )
        )
        batch_op.create_index(batch_op.f("ix_statement_promise"), ["promise"], unique=False)
    op.create_table(
        "due_statement",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("kind", sa.String(length=8), nullable=False, comment="receipt or closing."),
        sa.Column(
            "submission_id",
            sa.String(length=32),
            nullable=False,
            comment="Of a receipt: the query; empty for the lists and a closing.",
        ),
        sa.Column("hits", sa.BigInteger(), nullable=False, comment="How many hits it will say."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_due_statement_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "kind", "submission_id", name=op.f("pk_due_statement")),
    )
    with op.batch_alter_table("due_statement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_due_statement_round_id"), ["round_id"], unique=False)
    with op.batch_alter_table("log_alarm", schema=None) as batch_op:
        batch_op.alter_column(
            "what",
            existing_type=sa.String(length=16),
            existing_nullable=False,
            comment="fork, shrunk, missing or signature.",
        )


def downgrade() -> None:
    with op.batch_alter_table("log_alarm", schema=None) as batch_op:
        batch_op.alter_column(
            "what", existing_type=sa.String(length=16), existing_nullable=False, comment="fork, shrunk or signature."
        )
    op.drop_table("due_statement")
    with op.batch_alter_table("statement", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_statement_promise"))
        batch_op.drop_column("unproved")
        batch_op.drop_column("log_index")
        batch_op.drop_column("promise")
