"""The first tables of the matcher."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


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
            "token_hash",
            sa.String(length=64),
            nullable=True,
            comment="Of a program: SHA-256 of its token. A person's account has none.",
        ),
        sa.Column("token_until", sa.BigInteger(), nullable=True, comment="Of a program: until when its token counts."),
        sa.Column(
            "networks",
            sa.JSON(),
            nullable=True,
            comment="Of a program: the addresses and networks from which its token counts.",
        ),
        sa.Column(
            "changed_by",
            sa.BigInteger(),
            nullable=False,
            comment="The index of the newest entry of the log that says that it was changed.",
        ),
        sa.Column(
            "seal", sa.LargeBinary(), nullable=True, comment="HMAC of what of it counts, under a key of the home."
        ),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_account")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_account_issuer_subject")),
        sa.UniqueConstraint("login", name=op.f("uq_account_login")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_account_token_hash")),
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
        sa.Column(
            "urgent", sa.Boolean(), nullable=False, comment="Whether its justification says so: approvers are told."
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
        sa.PrimaryKeyConstraint("approval_id", name=op.f("pk_approval")),
    )
    op.create_index(op.f("ix_approval_round_id"), "approval", ["round_id"], unique=False)
    op.create_index(op.f("ix_approval_state"), "approval", ["state"], unique=False)
    op.create_index(op.f("ix_approval_subject"), "approval", ["subject"], unique=False)
    op.create_table(
        "contact",
        sa.Column("party", sa.String(length=2), nullable=False, comment="Who called."),
        sa.Column("called_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970, to the minute."),
        sa.Column(
            "release", sa.String(length=32), nullable=False, comment="Which release it said that it runs, or nothing."
        ),
        sa.PrimaryKeyConstraint("party", name=op.f("pk_contact")),
    )
    op.create_table(
        "kept_answer",
        sa.Column("person", sa.String(length=14), nullable=False, comment="Whose key it is."),
        sa.Column("key", sa.String(length=64), nullable=False, comment="SHA-256 of the key."),
        sa.Column("began_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.Column(
            "call_digest",
            sa.String(length=64),
            nullable=True,
            comment="SHA-256 of the call, once it is over; none while it is done, or after a crash in it.",
        ),
        sa.Column("status", sa.BigInteger(), nullable=False, comment="The HTTP status of its answer."),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="The answer."),
        sa.PrimaryKeyConstraint("person", "key", name=op.f("pk_kept_answer")),
    )
    op.create_index(op.f("ix_kept_answer_began_at"), "kept_answer", ["began_at"], unique=False)
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
        sa.PrimaryKeyConstraint("alarm_id", name=op.f("pk_log_alarm")),
        comment="Logs that were found rewritten, with both checkpoints as evidence.",
    )
    op.create_index(op.f("ix_log_alarm_origin"), "log_alarm", ["origin"], unique=False)
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
        sa.PrimaryKeyConstraint("size", name=op.f("pk_log_checkpoint")),
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
        sa.PrimaryKeyConstraint("edge_id", name=op.f("pk_log_edge")),
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
        sa.Column("account", sa.String(length=14), nullable=True, comment="The account that it says was changed."),
        sa.Column(
            "seal", sa.LargeBinary(), nullable=True, comment="HMAC of what of it counts, under a key of the home."
        ),
        sa.PrimaryKeyConstraint("index", name=op.f("pk_log_entry")),
        comment="The log: one row for each entry, only ever added to; retention empties contents.",
    )
    op.create_index(op.f("ix_log_entry_account"), "log_entry", ["account"], unique=False)
    op.create_index(op.f("ix_log_entry_round_id"), "log_entry", ["round_id"], unique=False)
    op.create_index(op.f("ix_log_entry_time"), "log_entry", ["time"], unique=False)
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
        sa.PrimaryKeyConstraint("level", "number", name=op.f("pk_log_node")),
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
        sa.PrimaryKeyConstraint("origin", "size", name=op.f("pk_log_witnessed")),
        comment="Newest checkpoint of each other log, which was found consistent with all before, and cosigned.",
    )
    op.create_table(
        "outage",
        sa.Column("peer", sa.String(length=8), nullable=False, comment="matcher, or the party's code."),
        sa.Column("began_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.Column("ended_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.PrimaryKeyConstraint("peer", "began_at", name=op.f("pk_outage")),
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
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_provider_sign_in")),
    )
    op.create_index(op.f("ix_provider_sign_in_started_at"), "provider_sign_in", ["started_at"], unique=False)
    op.create_table(
        "registry_acceptance",
        sa.Column("party", sa.String(length=2), nullable=False, comment="Who accepted."),
        sa.Column("number", sa.Integer(), nullable=False, comment="The number of the statement."),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of the statement."),
        sa.Column("envelope", sa.Text(), nullable=False, comment="The acceptance in the party's envelope."),
        sa.PrimaryKeyConstraint("party", name=op.f("pk_registry_acceptance")),
    )
    op.create_table(
        "registry_statement",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False, comment="Its number, from 1."),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of what was signed."),
        sa.Column("envelope", sa.Text(), nullable=False, comment="The statement in the matcher's envelope."),
        sa.Column(
            "accepted_at",
            sa.BigInteger(),
            nullable=True,
            comment="Seconds since 1970 when it came into force here; nothing while it has not.",
        ),
        sa.PrimaryKeyConstraint("number", "digest", name=op.f("pk_registry_statement")),
    )
    op.create_table(
        "round",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Random id of the round."),
        sa.Column("manifest", sa.LargeBinary(), nullable=False, comment="The manifest in the matcher's envelope."),
        sa.Column(
            "phase", sa.String(length=16), nullable=False, comment="Where the round stands, as the last event left it."
        ),
        sa.Column("created_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970 of the proposal."),
        sa.Column("ended_at", sa.BigInteger(), nullable=True, comment="Seconds since 1970 of the ending's signature."),
        sa.Column(
            "finished_at",
            sa.BigInteger(),
            nullable=True,
            comment="Seconds since 1970 when all chunks, tokens and reports were gone.",
        ),
        sa.Column(
            "wish", sa.String(length=8), nullable=True, comment="How it shall end: `closed` or `aborted`, or nothing."
        ),
        sa.Column("reason", sa.Text(), nullable=True, comment="Why it shall end so; part of the signed ending."),
        sa.Column(
            "evaluation_bytes",
            sa.BigInteger(),
            nullable=False,
            comment="Bytes of evaluations that their origins have not acknowledged, for the quota.",
        ),
        sa.Column(
            "seal", sa.LargeBinary(), nullable=True, comment="HMAC of what of it counts, under a key of the home."
        ),
        sa.PrimaryKeyConstraint("round_id", name=op.f("pk_round")),
    )
    op.create_index(op.f("ix_round_created_at"), "round", ["created_at"], unique=False)
    op.create_index(op.f("ix_round_ended_at"), "round", ["ended_at"], unique=False)
    op.create_table(
        "rounding_key",
        sa.Column("key_id", sa.Integer(), autoincrement=False, nullable=False, comment="Always 1."),
        sa.Column("key", sa.LargeBinary(), nullable=False, comment="Random bytes, secret as the counts are."),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_rounding_key")),
    )
    op.create_table(
        "spent_nonce",
        sa.Column(
            "key_id", sa.String(length=64), nullable=False, comment="Fingerprint of the key that signed the call."
        ),
        sa.Column("nonce", sa.String(length=64), nullable=False, comment="Nonce of the call, as signed."),
        sa.Column("keep_until", sa.BigInteger(), nullable=False, comment="Seconds since 1970; may be deleted after."),
        sa.PrimaryKeyConstraint("key_id", "nonce", name=op.f("pk_spent_nonce")),
        comment="Nonces of signed calls, kept for as long as the call's time would still be accepted.",
    )
    op.create_index(op.f("ix_spent_nonce_keep_until"), "spent_nonce", ["keep_until"], unique=False)
    op.create_table(
        "unknown_login",
        sa.Column("row_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="1."),
        sa.Column("attempts", sa.BigInteger(), nullable=False, comment="How many there were."),
        sa.Column("last_at", sa.BigInteger(), nullable=False, comment="The last one, seconds since 1970."),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_unknown_login")),
    )
    op.create_table(
        "chunk",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Round that it belongs to."),
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="Submission of the chunk."),
        sa.Column("what", sa.String(length=16), nullable=False, comment="blinded, evaluation or tokens."),
        sa.Column(
            "party", sa.String(length=2), nullable=False, comment="Who sent it; of tokens, for whom their column is."
        ),
        sa.Column(
            "chunk_index", sa.BigInteger(), nullable=False, comment="Place in the submission, or in the column, from 0."
        ),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="Bytes."),
        sa.Column(
            "digest", sa.String(length=64), nullable=False, comment="SHA-256 of the bytes, as its sender signed it."
        ),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True, comment="Seconds since 1970 when the bytes were gone."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_chunk_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "submission_id", "what", "party", "chunk_index", name=op.f("pk_chunk")),
    )
    op.create_table(
        "event",
        sa.Column(
            "event_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="Ascends in the order of commits.",
        ),
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Round that it belongs to."),
        sa.Column(
            "kind",
            sa.String(length=16),
            nullable=False,
            comment="statement, or bytes that came: blinded, evaluation, tokens.",
        ),
        sa.Column(
            "party",
            sa.String(length=8),
            nullable=False,
            comment="Who said it, whose bytes came, or for whom a report or token bytes are.",
        ),
        sa.Column("audience", sa.String(length=8), nullable=False, comment="Who may see it: all, reader, or nobody."),
        sa.Column("reader", sa.String(length=255), nullable=True, comment="The parties that may see it, of bytes."),
        sa.Column(
            "counterpart",
            sa.String(length=2),
            nullable=True,
            comment="The other party of a report, its receipt, tokens or an evaluation.",
        ),
        sa.Column("statement", sa.String(length=16), nullable=True, comment="Type of the statement, lower case."),
        sa.Column("digest", sa.String(length=64), nullable=True, comment="SHA-256 of what was signed, hexadecimal."),
        sa.Column(
            "log_index",
            sa.BigInteger(),
            nullable=True,
            comment="Place of the statement's entry in the log; none of those that were taken before.",
        ),
        sa.Column(
            "envelope",
            sa.Text(),
            nullable=True,
            comment="The statement's envelope; nothing for bytes, and for a report that its party has.",
        ),
        sa.Column("submission_id", sa.String(length=32), nullable=True, comment="Submission that it is about."),
        sa.Column("chunk_index", sa.BigInteger(), nullable=True, comment="Chunk that it is about, from 0."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_event_round_id_round")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_event")),
    )
    op.create_index(op.f("ix_event_digest"), "event", ["digest"], unique=False)
    op.create_index(
        "ix_event_notes",
        "event",
        ["round_id"],
        unique=False,
        sqlite_where=sa.text("statement = 'notes' AND envelope IS NOT NULL"),
        postgresql_where=sa.text("statement = 'notes' AND envelope IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_event_reader_statement_round_id"), "event", ["reader", "statement", "round_id"], unique=False
    )
    op.create_index(op.f("ix_event_round_id_event_id"), "event", ["round_id", "event_id"], unique=False)
    op.create_table(
        "evidence",
        sa.Column(
            "evidence_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="Number.",
        ),
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Round that it belongs to."),
        sa.Column("party", sa.String(length=2), nullable=False, comment="Who signed both."),
        sa.Column(
            "digest", sa.String(length=64), nullable=False, comment="SHA-256 of the refused envelope, to keep it once."
        ),
        sa.Column("accepted", sa.Text(), nullable=True, comment="Envelope of the statement that counts."),
        sa.Column("refused", sa.Text(), nullable=False, comment="Envelope of the one that was refused."),
        sa.Column("found_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_evidence_round_id_round")),
        sa.PrimaryKeyConstraint("evidence_id", name=op.f("pk_evidence")),
    )
    op.create_table(
        "fault",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Round that it belongs to."),
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="The list or query."),
        sa.Column("counterpart", sa.String(length=2), nullable=False, comment="For whom the column is."),
        sa.Column("sentence", sa.Text(), nullable=False, comment="What is wrong, as a sentence for the operator."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_fault_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "submission_id", "counterpart", name=op.f("pk_fault")),
    )
    op.create_table(
        "flag",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Round that it belongs to."),
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="Whose tokens."),
        sa.Column(
            "number", sa.Integer(), autoincrement=False, nullable=False, comment="Place among its flags, from 0."
        ),
        sa.Column("sentence", sa.Text(), nullable=False, comment="What it is, in words: rules and counts alone."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_flag_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "submission_id", "number", name=op.f("pk_flag")),
    )
    op.create_table(
        "held_report",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Round that it belongs to."),
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="The query."),
        sa.Column("owner", sa.String(length=2), nullable=False, comment="The owner of the list."),
        sa.Column("envelope", sa.Text(), nullable=False, comment="The signed report to the query's origin."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_held_report_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "submission_id", "owner", name=op.f("pk_held_report")),
    )
    op.create_table(
        "hit_count",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Round that it belongs to."),
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="The query; empty for the lists."),
        sa.Column("left", sa.String(length=2), nullable=False, comment="The one party."),
        sa.Column("right", sa.String(length=2), nullable=False, comment="The other, later in the alphabet."),
        sa.Column("certainty", sa.String(length=8), nullable=False, comment="Published level."),
        sa.Column("hits", sa.BigInteger(), nullable=False, comment="Pairs of records."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_hit_count_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "submission_id", "left", "right", "certainty", name=op.f("pk_hit_count")),
    )
    op.create_table(
        "known_count",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Round that it belongs to."),
        sa.Column(
            "certainty", sa.String(length=8), nullable=False, comment="Least level of the hits that join a person."
        ),
        sa.Column(
            "parties", sa.Integer(), autoincrement=False, nullable=False, comment="To how many parties: 2, 3, ..."
        ),
        sa.Column("persons", sa.BigInteger(), nullable=False, comment="How many."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_known_count_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "certainty", "parties", name=op.f("pk_known_count")),
    )
    op.create_table(
        "list_count",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Round that it belongs to."),
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="The list or query."),
        sa.Column("party", sa.String(length=2), nullable=False, comment="Whose it is."),
        sa.Column("kind", sa.String(length=8), nullable=False, comment="list or query."),
        sa.Column("records", sa.BigInteger(), nullable=False, comment="Records, padding included."),
        sa.Column("matched_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_list_count_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "submission_id", name=op.f("pk_list_count")),
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
        sa.ForeignKeyConstraint(["person"], ["account.person"], name=op.f("fk_notification_person_account")),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_notification")),
    )
    op.create_table(
        "outcome_count",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Round that it belongs to."),
        sa.Column("party", sa.String(length=2), nullable=False, comment="Who says so."),
        sa.Column("counterpart", sa.String(length=2), nullable=False, comment="The other party of the hits."),
        sa.Column("certainty", sa.String(length=8), nullable=False, comment="Published level."),
        sa.Column(
            "outcome",
            sa.String(length=16),
            nullable=False,
            comment="confirmed, refuted, unresolved, withdrawn or open.",
        ),
        sa.Column("hits", sa.BigInteger(), nullable=False, comment="How many."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_outcome_count_round_id_round")),
        sa.PrimaryKeyConstraint(
            "round_id", "party", "counterpart", "certainty", "outcome", name=op.f("pk_outcome_count")
        ),
    )
    op.create_table(
        "refused_statement",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Round that it belongs to."),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of what was signed."),
        sa.Column("party", sa.String(length=2), nullable=False, comment="Who signed it."),
        sa.Column(
            "envelope",
            sa.Text(),
            nullable=True,
            comment="The statement, so that an auditor can judge it again; nothing for sealed notes.",
        ),
        sa.Column("refused_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_refused_statement_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "digest", name=op.f("pk_refused_statement")),
    )
    op.create_table(
        "reminder",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Round that it belongs to."),
        sa.Column("party", sa.String(length=2), nullable=False, comment="Who is reminded."),
        sa.Column(
            "occasion",
            sa.String(length=32),
            nullable=False,
            comment="`asked` and when, or the deadline and how long before it.",
        ),
        sa.Column("sent_at", sa.BigInteger(), nullable=True, comment="Seconds since 1970 when it was handed over."),
        sa.Column(
            "retry_at", sa.BigInteger(), nullable=False, comment="When it is tried again; 0 where nothing failed."
        ),
        sa.Column(
            "failure", sa.String(length=16), nullable=True, comment="Why it could not be handed over the last time."
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_reminder_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "party", "occasion", name=op.f("pk_reminder")),
    )
    op.create_table(
        "repeated_statement",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Round that it belongs to."),
        sa.Column("party", sa.String(length=2), nullable=False, comment="Who signed them."),
        sa.Column("statements", sa.BigInteger(), nullable=False, comment="How many."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_repeated_statement_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "party", name=op.f("pk_repeated_statement")),
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
        sa.ForeignKeyConstraint(["person"], ["account.person"], name=op.f("fk_session_person_account")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_session")),
        sa.UniqueConstraint("session_id", name=op.f("uq_session_session_id")),
    )
    op.create_index(op.f("ix_session_ends_at"), "session", ["ends_at"], unique=False)
    op.create_index(op.f("ix_session_person"), "session", ["person"], unique=False)
    op.create_table(
        "sure_pair",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Round that it belongs to."),
        sa.Column("left", sa.String(length=2), nullable=False, comment="The one party."),
        sa.Column("right", sa.String(length=2), nullable=False, comment="The other, later in the alphabet."),
        sa.Column(
            "records",
            sa.LargeBinary(),
            nullable=False,
            comment="Of each hit that counts as a person: its level, and the handles of both records.",
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_sure_pair_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "left", "right", name=op.f("pk_sure_pair")),
    )
    key = sa.table("rounding_key", sa.column("key_id"), sa.column("key"))
    op.execute(sa.insert(key).values(key_id=1, key=secrets.token_bytes(32)))
