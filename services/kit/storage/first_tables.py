"""The tables that both services have, as their first migrations make them. Frozen: a change is a new migration."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def create_common_tables() -> None:
    """Create, in a migration, the tables of the log, the accounts, the approvals and the registry."""
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
        sa.Column(
            "admitted",
            sa.Boolean(),
            nullable=False,
            comment="Whether an administrator let it in, where it came by OpenID Connect.",
        ),
        sa.Column(
            "name",
            sa.String(length=200),
            nullable=True,
            comment="Whom the provider says it is, for the administrator; none of a local account.",
        ),
        sa.Column(
            "language", sa.String(length=16), nullable=True, comment="In which the person reads the pages; none chosen."
        ),
        sa.Column("issuer", sa.String(length=400), nullable=True, comment="Who comes by OpenID Connect: the provider."),
        sa.Column("subject", sa.String(length=255), nullable=True, comment="The person's identifier at that provider."),
        sa.Column(
            "seal", sa.LargeBinary(), nullable=True, comment="HMAC of what of it counts, under a key of the home."
        ),
        sa.PrimaryKeyConstraint("person", name="pk_account"),
        sa.UniqueConstraint("issuer", "subject", name="uq_account_issuer_subject"),
        sa.UniqueConstraint("login", name="uq_account_login"),
    )
    op.create_table(
        "approval",
        sa.Column("approval_id", sa.String(length=32), nullable=False, comment="Random identifier."),
        sa.Column(
            "kind",
            sa.String(length=16),
            nullable=False,
            comment="consent, submission, erasure, standing_query, proposal, abort or registry.",
        ),
        sa.Column(
            "round_id",
            sa.String(length=32),
            nullable=False,
            comment="The round that it is about; empty of an erasure, standing query or registry.",
        ),
        sa.Column(
            "content",
            sa.LargeBinary(),
            nullable=False,
            comment="Canonical JSON of what shall take effect; empty once retention has erased it.",
        ),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of the content."),
        sa.Column(
            "subject",
            sa.String(length=64),
            nullable=False,
            comment="SHA-256 of what was asked for; none of earlier requests.",
        ),
        sa.Column("author", sa.String(length=14), nullable=False, comment="Who asked; pseudonymous id."),
        sa.Column("asked_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.Column("expires_at", sa.BigInteger(), nullable=False, comment="Until when it may be approved."),
        sa.Column(
            "state", sa.String(length=16), nullable=False, comment="waiting, approved, refused, withdrawn or expired."
        ),
        sa.Column("decided_by", sa.String(length=14), nullable=True, comment="Who decided; pseudonymous id."),
        sa.Column("decided_at", sa.BigInteger(), nullable=True, comment="Seconds since 1970."),
        sa.Column("reason", sa.Text(), nullable=True, comment="Why it was refused."),
        sa.Column(
            "seal", sa.LargeBinary(), nullable=True, comment="HMAC of what of it counts, under a key of the home."
        ),
        sa.PrimaryKeyConstraint("approval_id", name="pk_approval"),
    )
    op.create_index("ix_approval_round_id", "approval", ["round_id"], unique=False)
    op.create_index("ix_approval_state", "approval", ["state"], unique=False)
    op.create_index("ix_approval_subject", "approval", ["subject"], unique=False)
    op.create_table(
        "log_alarm",
        sa.Column(
            "alarm_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="Number.",
        ),
        sa.Column("origin", sa.String(length=128), nullable=False, comment="Whose log does not hold together."),
        sa.Column("what", sa.String(length=16), nullable=False, comment="fork, shrunk, missing, false or signature."),
        sa.Column("sentence", sa.Text(), nullable=False, comment="What is wrong, in words."),
        sa.Column("seen", sa.LargeBinary(), nullable=True, comment="The note that was seen before; evidence."),
        sa.Column("got", sa.LargeBinary(), nullable=False, comment="The note that contradicts it; evidence."),
        sa.Column("found_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.Column(
            "acknowledged_at",
            sa.BigInteger(),
            nullable=True,
            comment="Seconds since 1970 when an administrator let work go on.",
        ),
        sa.Column(
            "acknowledged_by", sa.String(length=16), nullable=True, comment="The administrator's pseudonymous id."
        ),
        sa.PrimaryKeyConstraint("alarm_id", name="pk_log_alarm"),
        comment="Logs that were found rewritten, with both checkpoints as evidence.",
    )
    op.create_index("ix_log_alarm_origin", "log_alarm", ["origin"], unique=False)
    op.create_table(
        "log_checkpoint",
        sa.Column(
            "size",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
            comment="Entries that it covers.",
        ),
        sa.Column(
            "note", sa.LargeBinary(), nullable=False, comment="The signed note, with the cosignatures that came."
        ),
        sa.Column("signed_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.PrimaryKeyConstraint("size", name="pk_log_checkpoint"),
        comment="Checkpoints that this log signed; all stay.",
    )
    op.create_table(
        "log_edge",
        sa.Column("edge_id", sa.Integer(), autoincrement=False, nullable=False, comment="1: there is one edge."),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="Entries of the log."),
        sa.Column(
            "peaks",
            sa.LargeBinary(),
            nullable=False,
            comment="Roots of its perfect trees, largest first, 32 bytes each.",
        ),
        sa.PrimaryKeyConstraint("edge_id", name="pk_log_edge"),
        comment="The right edge of the log's tree.",
    )
    op.create_table(
        "log_entry",
        sa.Column(
            "index",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
            comment="The entry's place in the log, from 0.",
        ),
        sa.Column(
            "leaf_hash",
            sa.LargeBinary(),
            nullable=False,
            comment="Hash of the entry's leaf; stays when its content goes.",
        ),
        sa.Column(
            "content",
            sa.LargeBinary(),
            nullable=True,
            comment="The entry's canonical JSON; nothing once retention has erased it.",
        ),
        sa.Column("kind", sa.String(length=32), nullable=False, comment="What happened."),
        sa.Column("time", sa.BigInteger(), nullable=False, comment="Seconds since 1970, as the entry says."),
        sa.Column("round_id", sa.String(length=32), nullable=True, comment="The round that the entry names."),
        sa.Column(
            "seal", sa.LargeBinary(), nullable=True, comment="HMAC of what of it counts, under a key of the home."
        ),
        sa.PrimaryKeyConstraint("index", name="pk_log_entry"),
        comment="The log: one row for each entry, only ever added to; retention empties contents.",
    )
    op.create_index("ix_log_entry_round_id", "log_entry", ["round_id"], unique=False)
    op.create_index("ix_log_entry_time", "log_entry", ["time"], unique=False)
    op.create_table(
        "log_node",
        sa.Column(
            "level", sa.Integer(), autoincrement=False, nullable=False, comment="Tile level, from 1: 256 to its power."
        ),
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
            comment="Place at that level, from 0.",
        ),
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="Root of the perfect tree."),
        sa.PrimaryKeyConstraint("level", "number", name="pk_log_node"),
        comment="Roots over 256, 65,536, ... entries, so that proofs need few rows.",
    )
    op.create_table(
        "log_witnessed",
        sa.Column("origin", sa.String(length=128), nullable=False, comment="Which other log."),
        sa.Column(
            "size",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
            comment="Entries that it covers.",
        ),
        sa.Column("note", sa.LargeBinary(), nullable=False, comment="The note as it came, with the own cosignature."),
        sa.Column("seen_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.PrimaryKeyConstraint("origin", "size", name="pk_log_witnessed"),
        comment="Newest checkpoint of each other log, which was found consistent with all before, and cosigned.",
    )
    op.create_table(
        "provider_sign_in",
        sa.Column("state_hash", sa.String(length=64), nullable=False, comment="SHA-256 of the state."),
        sa.Column("binding_hash", sa.String(length=64), nullable=False, comment="SHA-256 of what the browser keeps."),
        sa.Column("nonce", sa.String(length=64), nullable=False, comment="What the ID token must repeat."),
        sa.Column(
            "verifier", sa.String(length=64), nullable=False, comment="The PKCE verifier, for the provider alone."
        ),
        sa.Column("started_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.PrimaryKeyConstraint("state_hash", name="pk_provider_sign_in"),
    )
    op.create_index("ix_provider_sign_in_started_at", "provider_sign_in", ["started_at"], unique=False)
    op.create_table(
        "registry_acceptance",
        sa.Column("party", sa.String(length=2), nullable=False, comment="Who accepted."),
        sa.Column("number", sa.Integer(), nullable=False, comment="The number of the statement."),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of the statement."),
        sa.Column("envelope", sa.Text(), nullable=False, comment="The acceptance in the party's envelope."),
        sa.PrimaryKeyConstraint("party", name="pk_registry_acceptance"),
    )
    op.create_table(
        "registry_statement",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False, comment="Its number, from 1."),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of what was signed."),
        sa.Column("envelope", sa.Text(), nullable=False, comment="The statement in the matcher's envelope."),
        sa.Column(
            "stored_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970 when it was signed here, or came."
        ),
        sa.Column(
            "accepted_at",
            sa.BigInteger(),
            nullable=True,
            comment="Seconds since 1970 when it came into force here; nothing while it has not.",
        ),
        sa.PrimaryKeyConstraint("number", "digest", name="pk_registry_statement"),
    )
    op.create_table(
        "unknown_login",
        sa.Column("row_id", sa.Integer(), autoincrement=False, nullable=False, comment="1."),
        sa.Column("attempts", sa.BigInteger(), nullable=False, comment="How many there were."),
        sa.Column("last_at", sa.BigInteger(), nullable=False, comment="The last one, seconds since 1970."),
        sa.PrimaryKeyConstraint("row_id", name="pk_unknown_login"),
    )
    op.create_table(
        "notification",
        sa.Column("person", sa.String(length=14), nullable=False, comment="Who."),
        sa.Column("channel", sa.String(length=8), nullable=False, comment="mail or command."),
        sa.Column(
            "address",
            sa.String(length=254),
            nullable=False,
            comment="The mail address, or what the command takes for one.",
        ),
        sa.Column("language", sa.String(length=16), nullable=False, comment="In which notifications are written."),
        sa.Column(
            "told",
            sa.JSON(),
            nullable=True,
            comment="The counts and times that were told last; none before the first notification.",
        ),
        sa.Column("told_at", sa.BigInteger(), nullable=False, comment="When, in seconds since 1970."),
        sa.Column("told_day", sa.BigInteger(), nullable=False, comment="The day of the last daily notification."),
        sa.Column("attempts", sa.BigInteger(), nullable=False, comment="Deliveries that failed since one succeeded."),
        sa.Column("retry_at", sa.BigInteger(), nullable=False, comment="Before when none is tried again."),
        sa.Column("failing_since", sa.BigInteger(), nullable=True, comment="When the first of them failed."),
        sa.Column("failure", sa.String(length=16), nullable=True, comment="Why the last of them failed."),
        sa.ForeignKeyConstraint(["person"], ["account.person"], name="fk_notification_person_account"),
        sa.PrimaryKeyConstraint("person", name="pk_notification"),
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
        sa.Column(
            "seal", sa.LargeBinary(), nullable=True, comment="HMAC of what of it counts, under a key of the home."
        ),
        sa.ForeignKeyConstraint(["person"], ["account.person"], name="fk_session_person_account"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_session"),
        sa.UniqueConstraint("session_id", name="uq_session_session_id"),
    )
    op.create_index("ix_session_ends_at", "session", ["ends_at"], unique=False)
    op.create_index("ix_session_person", "session", ["person"], unique=False)
