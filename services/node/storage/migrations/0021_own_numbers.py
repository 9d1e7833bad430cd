"""The last own number of a round is found by an index, since it is looked for in each step."""

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    with op.batch_alter_table("statement", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_statement_round_id_own_sequence"), ["round_id", "own", "sequence"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("statement", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_statement_round_id_own_sequence"))
