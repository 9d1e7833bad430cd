"""A person refuses this party's answer to a query that an alarm holds back."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    with op.batch_alter_table("alarm", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "refused_at",
                sa.BigInteger(),
                nullable=True,
                comment="Seconds since 1970 when a person refused the answer; none otherwise.",
            )
        )
        batch_op.add_column(
            sa.Column(
                "refused_by",
                sa.String(length=16),
                nullable=True,
                comment="The pseudonymous id of who refused it.",
            )
        )
        batch_op.add_column(
            sa.Column("refused_because", sa.Text(), nullable=True, comment="Why, for this party's own people.")
        )
        batch_op.add_column(
            sa.Column(
                "refusal_signed",
                sa.Boolean(),
                server_default=sa.false(),
                nullable=False,
                comment="Whether the asker's statement of the refusal is signed.",
            )
        )


def downgrade() -> None:
    with op.batch_alter_table("alarm", schema=None) as batch_op:
        batch_op.drop_column("refusal_signed")
        batch_op.drop_column("refused_because")
        batch_op.drop_column("refused_by")
        batch_op.drop_column("refused_at")
