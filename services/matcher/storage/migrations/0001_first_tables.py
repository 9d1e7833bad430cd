"""The first tables of the matcher, and the key by which published numbers are rounded."""

import secrets

import sqlalchemy as sa
from alembic import op

from services.matcher.storage.tables import MatcherRows, RoundingKeyRow

revision = "0001"
down_revision = None


def upgrade() -> None:
    MatcherRows.metadata.create_all(op.get_bind(), checkfirst=False)
    op.execute(sa.insert(RoundingKeyRow).values(key_id=1, key=secrets.token_bytes(32)))
