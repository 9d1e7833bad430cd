"""A hit has somebody who looks after it."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"

_COMMENT = "The pseudonymous id of who looks after it; none for nobody."


def upgrade() -> None:
    with op.batch_alter_table("hit_life", schema=None) as batch_op:
        batch_op.add_column(sa.Column("assignee", sa.String(length=16), nullable=True, comment=_COMMENT))
        batch_op.create_index(batch_op.f("ix_hit_life_assignee"), ["assignee"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("hit_life", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_hit_life_assignee"))
        batch_op.drop_column("assignee")
