"""Statements that were refused are kept, so that an auditor can judge them again."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "refused_statement",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Round that it belongs to."),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of what was signed."),
        sa.Column("party", sa.String(length=2), nullable=False, comment="Who signed it."),
        sa.Column(
            "envelope",
            sa.Text(),
            nullable=True,
            comment="The statement, so that an auditor can judge it again; nothing for sealed notes.",
        ),
        sa.Column("refused_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_refused_statement_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "digest", name=op.f("pk_refused_statement")),
    )


def downgrade() -> None:
    op.drop_table("refused_statement")
