"""The persons of a query are stored apart from the party's lists."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"

_COMMENT = "Whether it holds the persons of one query, and is no list of the party."


def upgrade() -> None:
    with op.batch_alter_table("import", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("for_query", sa.Boolean(), nullable=False, server_default=sa.false(), comment=_COMMENT)
        )
    with op.batch_alter_table("import", schema=None) as batch_op:
        batch_op.alter_column("for_query", existing_type=sa.Boolean(), server_default=None, existing_comment=_COMMENT)


def downgrade() -> None:
    with op.batch_alter_table("import", schema=None) as batch_op:
        batch_op.drop_column("for_query")
