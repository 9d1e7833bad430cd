"""The first tables of the node."""

from alembic import op

from services.node.storage.tables import NodeRows

revision = "0001"
down_revision = None


def upgrade() -> None:
    NodeRows.metadata.create_all(op.get_bind(), checkfirst=False)
