"""Requests that wait for a second person; when a submission was wanted."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "approval",
        sa.Column("approval_id", sa.String(length=32), nullable=False, comment="Random identifier."),
        sa.Column("kind", sa.String(length=16), nullable=False, comment="consent, submission, proposal or abort."),
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="The round that it is about."),
        sa.Column(
            "content",
            sa.LargeBinary(),
            nullable=False,
            comment="Canonical JSON of what shall take effect; empty once retention has erased it.",
        ),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of the content."),
        sa.Column("author", sa.String(length=14), nullable=False, comment="Who asked; pseudonymous id."),
        sa.Column("asked_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.Column("expires_at", sa.BigInteger(), nullable=False, comment="Until when it may be approved."),
        sa.Column(
            "state", sa.String(length=16), nullable=False, comment="waiting, approved, refused, withdrawn or expired."
        ),
        sa.Column("decided_by", sa.String(length=14), nullable=True, comment="Who decided; pseudonymous id."),
        sa.Column("decided_at", sa.BigInteger(), nullable=True, comment="Seconds since 1970."),
        sa.Column("reason", sa.Text(), nullable=True, comment="Why it was refused."),
        sa.PrimaryKeyConstraint("approval_id", name=op.f("pk_approval")),
    )
    with op.batch_alter_table("approval", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_approval_round_id"), ["round_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_state"), ["state"], unique=False)

    with op.batch_alter_table("submission", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "wished_at",
                sa.BigInteger(),
                nullable=False,
                server_default="0",
                comment="Seconds since 1970 when two persons wanted it.",
            )
        )
        batch_op.alter_column(
            "justification",
            existing_type=sa.JSON(),
            existing_nullable=False,
            comment="Why it is lawful; empty once its three years are over.",
            existing_comment="Why it is lawful.",
        )
    # Of a submission from before this column the round's discovery is known, which was earlier.
    op.execute(
        "UPDATE submission SET wished_at = (SELECT discovered_at FROM round WHERE round.round_id = submission.round_id)"
    )
    with op.batch_alter_table("submission", schema=None) as batch_op:
        batch_op.alter_column("wished_at", existing_type=sa.BigInteger(), existing_nullable=False, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("submission", schema=None) as batch_op:
        batch_op.drop_column("wished_at")

    with op.batch_alter_table("approval", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_approval_state"))
        batch_op.drop_index(batch_op.f("ix_approval_round_id"))

    op.drop_table("approval")
