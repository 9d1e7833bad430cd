"""The first tables of the matcher: those of the models, until the release of 1.0.0 writes them out (RELEASING.md)."""

import secrets

from alembic import op
from sqlalchemy import insert

from services.matcher.storage.tables import MatcherRows, RoundingKeyRow

revision = "0001"
down_revision = None


def upgrade() -> None:
    MatcherRows.metadata.create_all(op.get_bind())
    op.execute(insert(RoundingKeyRow).values(key_id=1, key=secrets.token_bytes(32)))
