"""Of each other log the newest checkpoint that was seen is kept; earlier ones go when the next comes."""

from alembic import op

revision = "0016"
down_revision = "0015"

_NOW = "Newest checkpoint of each other log, which was found consistent with all before, and cosigned."
_BEFORE = "Checkpoints of other logs that were found consistent with all before, and cosigned; all stay."


def upgrade() -> None:
    if op.get_bind().dialect.supports_comments:
        op.create_table_comment("log_witnessed", _NOW, existing_comment=_BEFORE)


def downgrade() -> None:
    if op.get_bind().dialect.supports_comments:
        op.create_table_comment("log_witnessed", _BEFORE, existing_comment=_NOW)
