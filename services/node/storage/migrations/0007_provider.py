"""Sign-ins at a provider that have begun."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "provider_sign_in",
        sa.Column("state_hash", sa.String(length=64), nullable=False, comment="SHA-256 of the state."),
        sa.Column("binding_hash", sa.String(length=64), nullable=False, comment="SHA-256 of what the browser keeps."),
        sa.Column("nonce", sa.String(length=64), nullable=False, comment="What the ID token must repeat."),
        sa.Column(
            "verifier", sa.String(length=64), nullable=False, comment="The PKCE verifier, for the provider alone."
        ),
        sa.Column("started_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_provider_sign_in")),
    )
    with op.batch_alter_table("provider_sign_in", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_provider_sign_in_started_at"), ["started_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("provider_sign_in", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_provider_sign_in_started_at"))

    op.drop_table("provider_sign_in")
