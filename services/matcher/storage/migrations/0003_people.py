"""Accounts and sessions of people."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("person", sa.String(length=14), nullable=False, comment="Pseudonymous id, random."),
        sa.Column("login", sa.String(length=64), nullable=False, comment="What the person types to sign in."),
        sa.Column("roles", sa.JSON(), nullable=False, comment="Roles of the role table."),
        sa.Column("active", sa.Boolean(), nullable=False, comment="Whether the administrator lets it sign in."),
        sa.Column("created_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.Column(
            "password_hash", sa.String(length=256), nullable=True, comment="Argon2id; none before the enrolment."
        ),
        sa.Column(
            "totp_secret",
            sa.LargeBinary(),
            nullable=True,
            comment="The authenticator's secret, sealed under the key of people; none before the enrolment.",
        ),
        sa.Column(
            "totp_step",
            sa.BigInteger(),
            nullable=False,
            comment="The last time step whose code was accepted: no code counts twice.",
        ),
        sa.Column(
            "enrolment_hash", sa.String(length=64), nullable=True, comment="SHA-256 of the one-time enrolment code."
        ),
        sa.Column("enrolment_until", sa.BigInteger(), nullable=False, comment="Until when it counts."),
        sa.Column("attempts", sa.BigInteger(), nullable=False, comment="Sign-ins tried since one succeeded."),
        sa.Column("locked_until", sa.BigInteger(), nullable=False, comment="Until when no sign-in is looked at."),
        sa.Column("issuer", sa.String(length=400), nullable=True, comment="Who comes by OpenID Connect: the provider."),
        sa.Column("subject", sa.String(length=255), nullable=True, comment="The person's identifier at that provider."),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_account")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_account_issuer_subject")),
        sa.UniqueConstraint("login", name=op.f("uq_account_login")),
    )
    op.create_table(
        "session",
        sa.Column("token_hash", sa.String(length=64), nullable=False, comment="SHA-256 of the token."),
        sa.Column("session_id", sa.String(length=16), nullable=False, comment="By which the person ends it."),
        sa.Column("person", sa.String(length=14), nullable=False, comment="Whose session it is."),
        sa.Column("method", sa.String(length=8), nullable=False, comment="password or provider."),
        sa.Column("opened_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.Column("seen_at", sa.BigInteger(), nullable=False, comment="The last call, to within a minute."),
        sa.Column("ends_at", sa.BigInteger(), nullable=False, comment="When it ends whatever happens."),
        sa.ForeignKeyConstraint(["person"], ["account.person"], name=op.f("fk_session_person_account")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_session")),
        sa.UniqueConstraint("session_id", name=op.f("uq_session_session_id")),
    )
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_session_ends_at"), ["ends_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_session_person"), ["person"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_session_person"))
        batch_op.drop_index(batch_op.f("ix_session_ends_at"))

    op.drop_table("session")
    op.drop_table("account")
