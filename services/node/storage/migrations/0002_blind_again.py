"""Lists that 1.0.0 had blinded in part are blinded from their beginning.

1.0.0 blinded by multiplying (docs/adr/0084-blinding-by-adding.md). What it had signed is finalized as it was blinded;
no submission is blinded in both ways.
"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("UPDATE submission SET prepared = 0 WHERE state = 'preparing'")


def downgrade() -> None:
    pass
