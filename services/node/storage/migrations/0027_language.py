"""An account keeps the language in which its person reads the pages."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

_COMMENT = "In which the person reads the pages; none chosen."


def upgrade() -> None:
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.add_column(sa.Column("language", sa.String(length=16), nullable=True, comment=_COMMENT))


def downgrade() -> None:
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.drop_column("language")
