"""Last contacts of parties."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "contact",
        sa.Column("party", sa.String(length=2), nullable=False, comment="Who called."),
        sa.Column("called_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970, to the minute."),
        sa.Column(
            "release", sa.String(length=32), nullable=False, comment="Which release it said that it runs, or nothing."
        ),
        sa.PrimaryKeyConstraint("party", name=op.f("pk_contact")),
    )


def downgrade() -> None:
    op.drop_table("contact")
