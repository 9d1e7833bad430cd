"""Hits on pairs that were decided on in an earlier round carry that decision."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

_NOW = "new, known, acknowledged, decided, follow_up, closed or withdrawn."
_BEFORE = "new, acknowledged, decided, follow_up, closed or withdrawn."
_COLUMNS = (
    ("known", 16, "Of a known pair: unchanged, changed_level or changed_evidence since the earlier hit."),
    ("earlier_round_id", 32, "Of a known pair: the round of the hit whose decision it carries; it may be erased."),
    ("earlier_hit_id", 32, "That hit."),
)


def upgrade() -> None:
    with op.batch_alter_table("hit_life", schema=None) as batch_op:
        for name, length, comment in _COLUMNS:
            batch_op.add_column(sa.Column(name, sa.String(length=length), nullable=True, comment=comment))
        batch_op.alter_column(
            "stage", existing_type=sa.String(length=16), existing_nullable=False, comment=_NOW, existing_comment=_BEFORE
        )


def downgrade() -> None:
    with op.batch_alter_table("hit_life", schema=None) as batch_op:
        batch_op.alter_column(
            "stage", existing_type=sa.String(length=16), existing_nullable=False, comment=_BEFORE, existing_comment=_NOW
        )
        for name, *_ in reversed(_COLUMNS):
            batch_op.drop_column(name)
