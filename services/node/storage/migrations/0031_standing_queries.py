"""Standing queries, their requests, and hits that no round had before."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"

_KIND = "consent, submission, erasure, standing_query, proposal or abort."
_KIND_BEFORE = "consent, submission, erasure, proposal or abort."
_ROUND = "The round that it is about; empty of an erasure or a standing query."
_ROUND_BEFORE = "The round that it is about; empty of an erasure."


def upgrade() -> None:
    op.create_table(
        "standing_query",
        sa.Column("standing_id", sa.String(length=32), nullable=False, comment="Random identifier."),
        sa.Column("import_id", sa.String(length=32), nullable=False, comment="The list of its persons."),
        sa.Column(
            "records_digest",
            sa.String(length=64),
            nullable=False,
            comment="The digest of the approved records; of those that are left when one was erased.",
        ),
        sa.Column(
            "round_id",
            sa.String(length=32),
            nullable=False,
            comment="The round that had its terms when it was approved.",
        ),
        sa.Column(
            "terms",
            sa.JSON(),
            nullable=False,
            comment="Area, legal basis, purpose and category of the rounds in which it may be asked, and the parties.",
        ),
        sa.Column("justification", sa.JSON(), nullable=False, comment="Why it is lawful, and who asked for it."),
        sa.Column("approved_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.Column("until", sa.BigInteger(), nullable=False, comment="Until when it is asked; seconds since 1970."),
        sa.Column(
            "state",
            sa.String(length=16),
            nullable=False,
            comment="active, withdrawn, expired, replaced or emptied.",
        ),
        sa.Column("ended_at", sa.BigInteger(), nullable=True, comment="Seconds since 1970; none while it is active."),
        sa.Column("ended_by", sa.String(length=16), nullable=True, comment="The pseudonymous id of who withdrew it."),
        sa.Column("ended_because", sa.Text(), nullable=True, comment="Why it was withdrawn."),
        sa.PrimaryKeyConstraint("standing_id", name=op.f("pk_standing_query")),
    )
    with op.batch_alter_table("standing_query", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_standing_query_import_id"), ["import_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_standing_query_state"), ["state"], unique=False)
    with op.batch_alter_table("hit_life", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "first",
                sa.Boolean(),
                server_default=sa.false(),
                nullable=False,
                comment="Whether it came from a standing query, and no earlier round had this person and this party.",
            )
        )
    _comment("kind", sa.String(length=16), _KIND, _KIND_BEFORE)
    _comment("round_id", sa.String(length=32), _ROUND, _ROUND_BEFORE)


def downgrade() -> None:
    _comment("round_id", sa.String(length=32), _ROUND_BEFORE, _ROUND)
    _comment("kind", sa.String(length=16), _KIND_BEFORE, _KIND)
    with op.batch_alter_table("hit_life", schema=None) as batch_op:
        batch_op.drop_column("first")
    op.drop_table("standing_query")


def _comment(column: str, type_: sa.String, comment: str, before: str) -> None:
    if op.get_bind().dialect.supports_comments:
        op.alter_column(
            "approval", column, existing_type=type_, existing_nullable=False, comment=comment, existing_comment=before
        )
