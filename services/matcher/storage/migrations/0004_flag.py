"""Signs of guesses in a submission's tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "flag",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Round that it belongs to."),
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="Whose tokens."),
        sa.Column(
            "number", sa.Integer(), autoincrement=False, nullable=False, comment="Place among its flags, from 0."
        ),
        sa.Column("sentence", sa.Text(), nullable=False, comment="What it is, in words: rules and counts alone."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_flag_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "submission_id", "number", name=op.f("pk_flag")),
    )


def downgrade() -> None:
    op.drop_table("flag")
