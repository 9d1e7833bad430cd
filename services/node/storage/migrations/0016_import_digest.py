"""Imports have a digest of their records, and submissions that of the records that two persons approved."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    with op.batch_alter_table("import", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "digest",
                sa.String(length=64),
                nullable=True,
                comment="SHA-256 of its records in their order; none until it is needed again after an erasure.",
            )
        )
    with op.batch_alter_table("submission", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "records_digest",
                sa.String(length=64),
                nullable=True,
                comment="The digest of the list's records that was approved; none of earlier submissions.",
            )
        )


def downgrade() -> None:
    with op.batch_alter_table("submission", schema=None) as batch_op:
        batch_op.drop_column("records_digest")
    with op.batch_alter_table("import", schema=None) as batch_op:
        batch_op.drop_column("digest")
