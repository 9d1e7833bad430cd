"""A hit of an urgent query is reported at once."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"

_COMMENT = "Whether it came from a query whose asker signed it as urgent."


def upgrade() -> None:
    with op.batch_alter_table("hit_life", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("urgent", sa.Boolean(), server_default=sa.false(), nullable=False, comment=_COMMENT)
        )


def downgrade() -> None:
    with op.batch_alter_table("hit_life", schema=None) as batch_op:
        batch_op.drop_column("urgent")
