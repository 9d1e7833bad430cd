"""The first tables of the node: those of the models, until the release of 1.0.0 writes them out (RELEASING.md)."""

from alembic import op

from services.node.storage.tables import NodeRows

revision = "0001"
down_revision = None


def upgrade() -> None:
    NodeRows.metadata.create_all(op.get_bind())
