"""Signed statements on the registry, and the parties' acceptances."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_table(
        "registry_acceptance",
        sa.Column("party", sa.String(length=2), nullable=False, comment="Who accepted."),
        sa.Column("number", sa.Integer(), nullable=False, comment="The number of the statement."),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of the statement."),
        sa.Column("envelope", sa.Text(), nullable=False, comment="The acceptance in the party's envelope."),
        sa.PrimaryKeyConstraint("party", name=op.f("pk_registry_acceptance")),
    )
    op.create_table(
        "registry_statement",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False, comment="Its number, from 1."),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of what was signed."),
        sa.Column("envelope", sa.Text(), nullable=False, comment="The statement in the matcher's envelope."),
        sa.Column(
            "stored_at",
            sa.BigInteger(),
            nullable=False,
            comment="Seconds since 1970 when it was signed here, or came.",
        ),
        sa.Column(
            "accepted_at",
            sa.BigInteger(),
            nullable=True,
            comment="Seconds since 1970 when it came into force here; nothing while it has not.",
        ),
        sa.Column("accepted_by", sa.String(length=16), nullable=True, comment="Who accepted it; pseudonymous id."),
        sa.PrimaryKeyConstraint("number", "digest", name=op.f("pk_registry_statement")),
    )


def downgrade() -> None:
    op.drop_table("registry_statement")
    op.drop_table("registry_acceptance")
