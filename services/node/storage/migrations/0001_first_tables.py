"""The first tables of the node."""

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
        "change",
        sa.Column(
            "change_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="Never used again.",
        ),
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("kind", sa.String(length=8), nullable=False, comment="round, query or hit."),
        sa.Column(
            "subject",
            sa.String(length=32),
            nullable=False,
            comment="The id of the query or the hit; empty for the round.",
        ),
        sa.PrimaryKeyConstraint("change_id", name=op.f("pk_change")),
        sa.UniqueConstraint("round_id", "kind", "subject", name=op.f("uq_change_round_id_kind_subject")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "chosen_columns",
        sa.Column("headings", sa.String(length=64), nullable=False, comment="SHA-256 of the headings in sorted order."),
        sa.Column("columns", sa.JSON(), nullable=False, comment="The field of each sorted heading, or null."),
        sa.PrimaryKeyConstraint("headings", name=op.f("pk_chosen_columns")),
    )
    op.create_table(
        "erased",
        sa.Column(
            "record_digest",
            sa.String(length=64),
            nullable=False,
            comment="SHA-256 of a label and the record's identifier.",
        ),
        sa.Column("erased_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.PrimaryKeyConstraint("record_digest", name=op.f("pk_erased")),
    )
    op.create_table(
        "import",
        sa.Column("import_id", sa.String(length=32), nullable=False, comment="Random identifier."),
        sa.Column("name", sa.Text(), nullable=False, comment="The operator's name for it."),
        sa.Column("format", sa.String(length=8), nullable=False, comment="csv, ftm, xlsx or ods."),
        sa.Column("records", sa.BigInteger(), nullable=False, comment="Records stored."),
        sa.Column("refused", sa.BigInteger(), nullable=False, comment="Rows that could not be used."),
        sa.Column("imported_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.Column(
            "complete",
            sa.Boolean(),
            nullable=False,
            comment="Whether all records are there; an incomplete one is deleted.",
        ),
        sa.Column(
            "digest",
            sa.String(length=64),
            nullable=True,
            comment="SHA-256 of its records in order; none after an erasure, until needed.",
        ),
        sa.Column("for_query", sa.Boolean(), nullable=False, comment="Whether it holds the persons of one query."),
        sa.Column(
            "filled",
            sa.JSON(),
            nullable=True,
            comment="How many of its records have each field; none after an erasure, until needed.",
        ),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_import")),
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
        "named_entries",
        sa.Column("row_id", sa.Integer(), autoincrement=False, nullable=False, comment="Always 1."),
        sa.Column("judged", sa.BigInteger(), nullable=False, comment="Up to which entry nothing is open."),
        sa.Column(
            "waiting_since",
            sa.BigInteger(),
            nullable=True,
            comment="Since when an entry waits for its explanation by the feed.",
        ),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_named_entries")),
    )
    op.create_table(
        "named_head",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False, comment="Entries that the log had."),
        sa.Column("root", sa.String(length=64), nullable=False, comment="The head over them, hexadecimal."),
        sa.Column("party", sa.String(length=16), nullable=False, comment="Who named it first here."),
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="In which round."),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="Digest of the statement that names it."),
        sa.Column(
            "verified_at", sa.BigInteger(), nullable=True, comment="When it was found to be of the log shown here."
        ),
        sa.PrimaryKeyConstraint("size", "root", name=op.f("pk_named_head")),
    )
    op.create_index(op.f("ix_named_head_verified_at"), "named_head", ["verified_at"], unique=False)
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
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="From the manifest."),
        sa.Column("manifest", sa.LargeBinary(), nullable=False, comment="The manifest in the matcher's envelope."),
        sa.Column("manifest_digest", sa.String(length=64), nullable=False, comment="Digest of the manifest as signed."),
        sa.Column("discovered_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.Column("cursor", sa.BigInteger(), nullable=False, comment="The last event of the matcher that is stored."),
        sa.Column(
            "phase", sa.String(length=16), nullable=False, comment="Phase of the round as far as this node knows."
        ),
        sa.Column(
            "state",
            sa.Enum("active", "destroying", "destroyed", name="localroundstate", native_enum=False, length=16),
            nullable=False,
            comment="active, destroying (keys and files go) or destroyed.",
        ),
        sa.Column("outcome", sa.Text(), nullable=True, comment="Why it is being destroyed."),
        sa.Column("consent_digest", sa.String(length=64), nullable=True, comment="Digest of this node's own consent."),
        sa.Column("consent_wished", sa.Boolean(), nullable=False, comment="The operator wants to consent."),
        sa.Column(
            "declared_full",
            sa.BigInteger(),
            nullable=False,
            comment="Elements of class full that the consent declares.",
        ),
        sa.Column("declared_partial", sa.BigInteger(), nullable=False, comment="The same of the class partial."),
        sa.Column("declared_coarse", sa.BigInteger(), nullable=False, comment="The same of the class coarse."),
        sa.Column("close_wished", sa.Boolean(), nullable=False, comment="The operator wants the keys destroyed."),
        sa.Column("abort_reason", sa.Text(), nullable=True, comment="The operator wants to leave the round, and why."),
        sa.Column("refused", sa.Text(), nullable=True, comment="Why this node takes no further part, for good."),
        sa.Column(
            "outcomes_changed_at",
            sa.BigInteger(),
            nullable=True,
            comment="When the first outcome came that the matcher was not told.",
        ),
        sa.Column(
            "follow_ups_at",
            sa.BigInteger(),
            nullable=True,
            comment="When counterparts are told of hits that were confirmed, or asked about.",
        ),
        sa.Column(
            "hits_erased_at", sa.BigInteger(), nullable=True, comment="When retention erased its hits and statements."
        ),
        sa.Column(
            "kept_until", sa.BigInteger(), nullable=False, comment="Until when its manifest keeps hits and statements."
        ),
        sa.Column(
            "seal", sa.LargeBinary(), nullable=True, comment="HMAC of what of it counts, under a key of the home."
        ),
        sa.PrimaryKeyConstraint("round_id", name=op.f("pk_round")),
    )
    op.create_index(op.f("ix_round_discovered_at"), "round", ["discovered_at"], unique=False)
    op.create_index(op.f("ix_round_outcomes_changed_at"), "round", ["outcomes_changed_at"], unique=False)
    op.create_index(op.f("ix_round_state_phase"), "round", ["state", "phase"], unique=False)
    op.create_table(
        "spent_day",
        sa.Column("origin", sa.String(length=16), nullable=False, comment="For whom."),
        sa.Column("input_class", sa.String(length=8), nullable=False, comment="full, partial or coarse."),
        sa.Column("day", sa.BigInteger(), autoincrement=False, nullable=False, comment="Days since 1970 in UTC."),
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="In which round."),
        sa.Column("elements", sa.BigInteger(), nullable=False, comment="How many, padding included."),
        sa.Column("declared", sa.BigInteger(), nullable=False, comment="How many the party declared in that round."),
        sa.PrimaryKeyConstraint("origin", "input_class", "day", "round_id", name=op.f("pk_spent_day")),
    )
    op.create_table(
        "standing_query",
        sa.Column("standing_id", sa.String(length=32), nullable=False, comment="Random identifier."),
        sa.Column("import_id", sa.String(length=32), nullable=False, comment="The list of its persons."),
        sa.Column(
            "records_digest",
            sa.String(length=64),
            nullable=False,
            comment="Digest of the approved records, less those erased.",
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
            comment="Area, legal basis, purpose, category and parties of the rounds in which it may be asked.",
        ),
        sa.Column("justification", sa.JSON(), nullable=False, comment="Why it is lawful, and who asked for it."),
        sa.Column("approved_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.Column("until", sa.BigInteger(), nullable=False, comment="Until when it is asked; seconds since 1970."),
        sa.Column(
            "state",
            sa.Enum(
                "active",
                "withdrawn",
                "expired",
                "replaced",
                "emptied",
                name="standingquerystate",
                native_enum=False,
                length=16,
            ),
            nullable=False,
            comment="active, withdrawn, expired, replaced or emptied.",
        ),
        sa.Column("ended_at", sa.BigInteger(), nullable=True, comment="Seconds since 1970; none while it is active."),
        sa.Column("ended_by", sa.String(length=16), nullable=True, comment="The pseudonymous id of who withdrew it."),
        sa.Column("ended_because", sa.Text(), nullable=True, comment="Why it was withdrawn."),
        sa.Column(
            "seal", sa.LargeBinary(), nullable=True, comment="HMAC of what of it counts, under a key of the home."
        ),
        sa.PrimaryKeyConstraint("standing_id", name=op.f("pk_standing_query")),
    )
    op.create_index(op.f("ix_standing_query_import_id"), "standing_query", ["import_id"], unique=False)
    op.create_index(op.f("ix_standing_query_state"), "standing_query", ["state"], unique=False)
    op.create_table(
        "subject_request",
        sa.Column(
            "search_id", sa.String(length=32), nullable=False, comment="Of the search that came before the answer."
        ),
        sa.Column(
            "file_number", sa.String(length=60), nullable=False, comment="The party's own number of the request."
        ),
        sa.Column("received_on", sa.String(length=10), nullable=False, comment="The day on which it came."),
        sa.Column("due_on", sa.String(length=10), nullable=False, comment="The day on which the answer was due."),
        sa.Column("answered_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.Column("answered_by", sa.String(length=16), nullable=False, comment="The pseudonymous id of who answered."),
        sa.Column(
            "answer",
            sa.String(length=32),
            nullable=False,
            comment="given, nothing, or the ground on which something is withheld.",
        ),
        sa.Column("counts", sa.JSON(), nullable=False, comment="How much the search found, by place."),
        sa.PrimaryKeyConstraint("search_id", name=op.f("pk_subject_request")),
    )
    op.create_index(op.f("ix_subject_request_answered_at"), "subject_request", ["answered_at"], unique=False)
    op.create_table(
        "unknown_login",
        sa.Column("row_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="1."),
        sa.Column("attempts", sa.BigInteger(), nullable=False, comment="How many there were."),
        sa.Column("last_at", sa.BigInteger(), nullable=False, comment="The last one, seconds since 1970."),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_unknown_login")),
    )
    op.create_table(
        "alarm",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="The query."),
        sa.Column("asker", sa.String(length=16), nullable=False, comment="Whose query it is."),
        sa.Column("hits", sa.BigInteger(), nullable=False, comment="How many own records it hit."),
        sa.Column("expected", sa.BigInteger(), nullable=False, comment="How many the sizes explain, in thousandths."),
        sa.Column("raised_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.Column("released_at", sa.BigInteger(), nullable=True, comment="Seconds since 1970; none while it waits."),
        sa.Column(
            "released_by", sa.String(length=16), nullable=True, comment="The pseudonymous id of who released it."
        ),
        sa.Column("acknowledged", sa.Boolean(), nullable=False, comment="Whether the receipt is signed."),
        sa.Column(
            "refused_at", sa.BigInteger(), nullable=True, comment="When a person refused the answer; none otherwise."
        ),
        sa.Column("refused_by", sa.String(length=16), nullable=True, comment="The pseudonymous id of who refused it."),
        sa.Column("refused_because", sa.Text(), nullable=True, comment="Why, for this party's own people."),
        sa.Column("refusal_signed", sa.Boolean(), nullable=False, comment="Whether the refusal is signed."),
        sa.Column(
            "seal", sa.LargeBinary(), nullable=True, comment="HMAC of what of it counts, under a key of the home."
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_alarm_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "submission_id", name=op.f("pk_alarm")),
    )
    op.create_index(op.f("ix_alarm_round_id"), "alarm", ["round_id"], unique=False)
    op.create_table(
        "chunk_download",
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="Of which submission."),
        sa.Column("index", sa.BigInteger(), nullable=False, comment="Which chunk."),
        sa.Column(
            "state",
            sa.Enum("waiting", "evaluated", "failed", name="chunkdownloadstate", native_enum=False, length=16),
            nullable=False,
            comment="waiting, evaluated or failed.",
        ),
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("attempts", sa.BigInteger(), nullable=False, comment="Fetches that gave other bytes than signed."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_chunk_download_round_id_round")),
        sa.PrimaryKeyConstraint("submission_id", "index", name=op.f("pk_chunk_download")),
    )
    op.create_index(op.f("ix_chunk_download_round_id"), "chunk_download", ["round_id"], unique=False)
    op.create_table(
        "due_statement",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("kind", sa.String(length=8), nullable=False, comment="receipt or closing."),
        sa.Column(
            "submission_id",
            sa.String(length=32),
            nullable=False,
            comment="A receipt's query; empty for lists and a closing.",
        ),
        sa.Column(
            "counterpart", sa.String(length=16), nullable=False, comment="A receipt's other party; empty for a closing."
        ),
        sa.Column("hits", sa.BigInteger(), nullable=False, comment="How many hits a closing will say."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_due_statement_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "kind", "submission_id", "counterpart", name=op.f("pk_due_statement")),
    )
    op.create_index(op.f("ix_due_statement_round_id"), "due_statement", ["round_id"], unique=False)
    op.create_table(
        "evaluation",
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="Of which submission."),
        sa.Column("index", sa.BigInteger(), nullable=False, comment="Which chunk."),
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("origin", sa.String(length=16), nullable=False, comment="Whose submission it is."),
        sa.Column("input_class", sa.String(length=8), nullable=False, comment="full, partial or coarse."),
        sa.Column("elements", sa.BigInteger(), nullable=False, comment="How many elements were evaluated."),
        sa.Column("output_digest", sa.String(length=64), nullable=False, comment="SHA-256 of the evaluated elements."),
        sa.Column("sent", sa.Boolean(), nullable=False, comment="Whether the matcher has them."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_evaluation_round_id_round")),
        sa.PrimaryKeyConstraint("submission_id", "index", name=op.f("pk_evaluation")),
    )
    op.create_index(op.f("ix_evaluation_round_id"), "evaluation", ["round_id"], unique=False)
    op.create_table(
        "evaluation_download",
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="Of which submission."),
        sa.Column("index", sa.BigInteger(), nullable=False, comment="Which chunk."),
        sa.Column("party", sa.String(length=16), nullable=False, comment="Who evaluated it."),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "verified",
                "acknowledged",
                "failed",
                name="evaluationdownloadstate",
                native_enum=False,
                length=16,
            ),
            nullable=False,
            comment="waiting, verified, acknowledged or failed.",
        ),
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("attempts", sa.BigInteger(), nullable=False, comment="Fetches that gave other bytes than signed."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_evaluation_download_round_id_round")),
        sa.PrimaryKeyConstraint("submission_id", "index", "party", name=op.f("pk_evaluation_download")),
    )
    op.create_index(op.f("ix_evaluation_download_round_id"), "evaluation_download", ["round_id"], unique=False)
    op.create_table(
        "exchange",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("hit_id", sa.String(length=32), nullable=False, comment="The same on both sides."),
        sa.Column("counterpart", sa.String(length=16), nullable=False, comment="The other party."),
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="The query; empty for the lists."),
        sa.Column(
            "reference",
            sa.String(length=20),
            nullable=False,
            comment="This party's own number of the hit, drawn at random.",
        ),
        sa.Column(
            "opening",
            sa.LargeBinary(),
            nullable=True,
            comment="What opens the other's note, sealed under the note key; none when over.",
        ),
        sa.Column(
            "verified", sa.Boolean(), nullable=False, comment="Whether the counterpart's note was verified here."
        ),
        sa.Column(
            "accepted", sa.Boolean(), nullable=False, comment="Whether the counterpart verified this party's note."
        ),
        sa.Column(
            "fault", sa.String(length=16), nullable=True, comment="What is wrong with the hit, where it is refuted."
        ),
        sa.Column("blamed_by", sa.String(length=16), nullable=True, comment="Which party found the fault."),
        sa.Column("rules", sa.JSON(), nullable=True, comment="Numbers of the rules that met, once verified."),
        sa.Column("note", sa.JSON(), nullable=True, comment="What the counterpart's note says."),
        sa.Column(
            "met",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="Mask of the rules that met, as reported.",
        ),
        sa.Column(
            "whole",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="Of these, where all tokens of the own record met.",
        ),
        sa.Column(
            "their_state", sa.String(length=16), nullable=True, comment="The counterpart's follow-up, as it told last."
        ),
        sa.Column("told_at", sa.BigInteger(), nullable=True, comment="Seconds since 1970 when it came."),
        sa.Column(
            "their_third",
            sa.JSON(),
            nullable=True,
            comment="By third party that has the person too: mask of rules, the counterpart's number of that hit.",
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_exchange_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "hit_id", name=op.f("pk_exchange")),
    )
    op.create_index(op.f("ix_exchange_round_id"), "exchange", ["round_id"], unique=False)
    op.create_table(
        "finding",
        sa.Column("import_id", sa.String(length=32), nullable=False, comment="The list."),
        sa.Column("number", sa.BigInteger(), nullable=False, comment="Place among its findings, from 0."),
        sa.Column("line", sa.BigInteger(), nullable=False, comment="The line of the file on which the row begins."),
        sa.Column("field", sa.Text(), nullable=False, comment="The column, or empty where the whole row is meant."),
        sa.Column("severity", sa.String(length=16), nullable=False, comment="warning or refusal."),
        sa.Column("reason", sa.Text(), nullable=False, comment="What is wrong and what to do."),
        sa.Column("record_id", sa.Text(), nullable=False, comment="The party's own identifier, or empty."),
        sa.ForeignKeyConstraint(["import_id"], ["import.import_id"], name=op.f("fk_finding_import_id_import")),
        sa.PrimaryKeyConstraint("import_id", "number", name=op.f("pk_finding")),
    )
    op.create_index(op.f("ix_finding_record_id"), "finding", ["record_id"], unique=False)
    op.create_table(
        "hit",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("hit_id", sa.String(length=32), nullable=False, comment="The same on both sides."),
        sa.Column("import_id", sa.String(length=32), nullable=False, comment="The import of the own record."),
        sa.Column("position", sa.BigInteger(), nullable=False, comment="The own record's place in the import."),
        sa.Column("record_id", sa.Text(), nullable=False, comment="The own record's identifier."),
        sa.Column("counterpart", sa.String(length=16), nullable=False, comment="The other party."),
        sa.Column("certainty", sa.String(length=8), nullable=False, comment="low, medium or high."),
        sa.Column("families", sa.JSON(), nullable=False, comment="Evidence families that agree."),
        sa.Column("submission_id", sa.String(length=32), nullable=True, comment="The query, or none for the lists."),
        sa.Column(
            "handling_code", sa.String(length=2), nullable=True, comment="The own record's handling code, or none."
        ),
        sa.Column(
            "indicators",
            sa.String(length=40),
            nullable=True,
            comment="The own record's indicators, with a blank before and behind each; or none.",
        ),
        sa.Column(
            "person",
            sa.String(length=64),
            nullable=True,
            comment="SHA-256 of the own record's number, names and birth.",
        ),
        sa.Column(
            "seal", sa.LargeBinary(), nullable=True, comment="HMAC of what of it counts, under a key of the home."
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_hit_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "hit_id", name=op.f("pk_hit")),
    )
    op.create_index(op.f("ix_hit_person"), "hit", ["person"], unique=False)
    op.create_index(op.f("ix_hit_record_id"), "hit", ["record_id"], unique=False)
    op.create_index(op.f("ix_hit_round_id"), "hit", ["round_id"], unique=False)
    op.create_table(
        "note_batch",
        sa.Column(
            "batch_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="Number.",
        ),
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("counterpart", sa.String(length=16), nullable=False, comment="The other party."),
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="The query; empty for the lists."),
        sa.Column(
            "index", sa.BigInteger(), nullable=False, comment="Its place among the batches of its report, from 0."
        ),
        sa.Column("own", sa.Boolean(), nullable=False, comment="Whether this node makes it."),
        sa.Column("hits", sa.JSON(), nullable=False, comment="Of an own one: its hits."),
        sa.Column(
            "entries",
            sa.LargeBinary(),
            nullable=True,
            comment="The own sealed notes, under the note key, until signed.",
        ),
        sa.Column("digest", sa.String(length=64), nullable=True, comment="Digest of its statement, once signed."),
        sa.Column("done", sa.Boolean(), nullable=False, comment="Whether its receiver has confirmed it."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_note_batch_round_id_round")),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_note_batch")),
    )
    op.create_index(op.f("ix_note_batch_digest"), "note_batch", ["digest"], unique=False)
    op.create_index(op.f("ix_note_batch_round_id"), "note_batch", ["round_id"], unique=False)
    op.create_index(
        "ix_note_batch_unconfirmed",
        "note_batch",
        ["round_id"],
        unique=False,
        sqlite_where=sa.text("own = 1 AND done = 0"),
        postgresql_where=sa.text("own AND NOT done"),
    )
    op.create_table(
        "note_secret",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="Nonce, ciphertext and tag."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_note_secret_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", name=op.f("pk_note_secret")),
    )
    op.create_index(op.f("ix_note_secret_round_id"), "note_secret", ["round_id"], unique=False)
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
        "pair_check",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="The query; empty for the lists."),
        sa.Column("counterpart", sa.String(length=16), nullable=False, comment="The other party."),
        sa.Column(
            "met", sa.String(length=64), nullable=True, comment="Digest of the tags that met; none where none was told."
        ),
        sa.Column("below", sa.BigInteger(), nullable=False, comment="How many pairs were told that nearly are hits."),
        sa.Column(
            "fault", sa.String(length=16), nullable=True, comment="What is wrong; none where nothing was left out."
        ),
        sa.Column("checked_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970 of the last look at it."),
        sa.Column(
            "agreed", sa.Boolean(), nullable=True, comment="Whether the other side found the same, once it said."
        ),
        sa.Column(
            "their_fault",
            sa.String(length=16),
            nullable=True,
            comment="What is wrong by the other side's word, if anything.",
        ),
        sa.Column(
            "below_met",
            sa.JSON(),
            nullable=False,
            comment="Of lists, of each pair that nearly is a hit: first digits of the person's digest, mask of rules.",
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_pair_check_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "submission_id", "counterpart", name=op.f("pk_pair_check")),
    )
    op.create_index(op.f("ix_pair_check_round_id"), "pair_check", ["round_id"], unique=False)
    op.create_table(
        "prepared_report",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="The query; empty for the lists."),
        sa.Column("counterpart", sa.String(length=16), nullable=False, comment="The other party."),
        sa.Column("follow_up_key", sa.LargeBinary(), nullable=True, comment="Of lists: the pair's key of follow-ups."),
        sa.Column(
            "follow_ups", sa.JSON(), nullable=True, comment="By part of the follow-up, SHA-256 of what was told last."
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_prepared_report_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "submission_id", "counterpart", name=op.f("pk_prepared_report")),
    )
    op.create_index(op.f("ix_prepared_report_round_id"), "prepared_report", ["round_id"], unique=False)
    op.create_table(
        "problem",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("place", sa.String(length=200), nullable=False, comment="What it is about; one problem each."),
        sa.Column("sentence", sa.Text(), nullable=False, comment="The problem in words, without personal data."),
        sa.Column("noted_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_problem_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "place", name=op.f("pk_problem")),
    )
    op.create_index(op.f("ix_problem_round_id"), "problem", ["round_id"], unique=False)
    op.create_table(
        "query_hits",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="The query."),
        sa.Column("asker", sa.String(length=2), nullable=False, comment="Whose it is."),
        sa.Column(
            "hits",
            sa.BigInteger(),
            nullable=False,
            comment="How many of this node's records it hit that its asker was not told of.",
        ),
        sa.Column("expected", sa.BigInteger(), nullable=False, comment="How many hits persons explain, in millionths."),
        sa.Column("persons", sa.BigInteger(), nullable=False, comment="How many persons it asked for, at least."),
        sa.Column("reported_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.Column(
            "explained", sa.Boolean(), nullable=False, comment="Whether a later release explains it: it counts no more."
        ),
        sa.Column(
            "below",
            sa.JSON(),
            nullable=False,
            comment="Of each record that it nearly hit, the first digits of the person's digest: of no use otherwise.",
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_query_hits_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "submission_id", name=op.f("pk_query_hits")),
    )
    op.create_index(op.f("ix_query_hits_asker"), "query_hits", ["asker"], unique=False)
    op.create_index(op.f("ix_query_hits_round_id"), "query_hits", ["round_id"], unique=False)
    op.create_table(
        "record",
        sa.Column("import_id", sa.String(length=32), nullable=False, comment="Of which import."),
        sa.Column("position", sa.BigInteger(), nullable=False, comment="Place in the import, from 0."),
        sa.Column("record_id", sa.Text(), nullable=False, comment="The party's own identifier."),
        sa.Column(
            "content", sa.LargeBinary(), nullable=False, comment="The record as JSON: the party's own personal data."
        ),
        sa.Column("words", sa.Text(), nullable=False, comment="The folded words of its names, for searches."),
        sa.ForeignKeyConstraint(["import_id"], ["import.import_id"], name=op.f("fk_record_import_id_import")),
        sa.PrimaryKeyConstraint("import_id", "position", name=op.f("pk_record")),
    )
    op.create_index(
        op.f("ix_record_import_id_position_words"), "record", ["import_id", "position", "words"], unique=False
    )
    op.create_index(op.f("ix_record_record_id"), "record", ["record_id"], unique=False)
    op.create_table(
        "saved_view",
        sa.Column("view_id", sa.String(length=32), nullable=False, comment="Random identifier."),
        sa.Column("person", sa.String(length=14), nullable=False, comment="Whose view it is."),
        sa.Column("name", sa.String(length=60), nullable=False, comment="The person's own word for it."),
        sa.Column("shows", sa.JSON(), nullable=False, comment="The filter; no word of a record."),
        sa.ForeignKeyConstraint(["person"], ["account.person"], name=op.f("fk_saved_view_person_account")),
        sa.PrimaryKeyConstraint("view_id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint("person", "name", name=op.f("uq_saved_view_person_name")),
    )
    op.create_table(
        "secret",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("name", sa.String(length=64), nullable=False, comment="What it is."),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="Nonce, ciphertext and tag."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_secret_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "name", name=op.f("pk_secret")),
    )
    op.create_index(op.f("ix_secret_round_id"), "secret", ["round_id"], unique=False)
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
        "spent",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("origin", sa.String(length=16), nullable=False, comment="For whom."),
        sa.Column("input_class", sa.String(length=8), nullable=False, comment="full, partial or coarse."),
        sa.Column("elements", sa.BigInteger(), nullable=False, comment="How many, padding included."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_spent_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "origin", "input_class", name=op.f("pk_spent")),
    )
    op.create_index(op.f("ix_spent_round_id"), "spent", ["round_id"], unique=False)
    op.create_table(
        "statement",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="Digest of the payload as signed."),
        sa.Column(
            "event_id",
            sa.BigInteger(),
            nullable=True,
            comment="Place in the matcher's feed; none while an own one is not back.",
        ),
        sa.Column("party", sa.String(length=16), nullable=False, comment="Who signed it: a party's code, or matcher."),
        sa.Column("sequence", sa.BigInteger(), nullable=True, comment="The party's number for it."),
        sa.Column("kind", sa.String(length=16), nullable=False, comment="The kind of message."),
        sa.Column("envelope", sa.LargeBinary(), nullable=False, comment="The DSSE envelope."),
        sa.Column("own", sa.Boolean(), nullable=False, comment="Whether this node signed it."),
        sa.Column("sent", sa.Boolean(), nullable=False, comment="Of an own one: whether the matcher has it."),
        sa.Column("refusal", sa.Text(), nullable=True, comment="Of an own one: why the matcher will never take it."),
        sa.Column(
            "taken_at", sa.BigInteger(), nullable=True, comment="Seconds since 1970 when it was signed or taken here."
        ),
        sa.Column(
            "erased_at",
            sa.BigInteger(),
            nullable=True,
            comment="When its justification was erased, which leaves it unsigned.",
        ),
        sa.Column(
            "promise",
            sa.Enum("signed", "promised", "proved", "excused", name="promise", native_enum=False),
            nullable=True,
            comment="signed, promised, proved or excused: whether the matcher's log holds it.",
        ),
        sa.Column(
            "log_index", sa.BigInteger(), nullable=True, comment="Its place in the matcher's log, once that was proved."
        ),
        sa.Column(
            "unproved", sa.BigInteger(), nullable=False, comment="How many looks at the matcher's log did not prove it."
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_statement_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "digest", name=op.f("pk_statement")),
    )
    op.create_index(
        "ix_statement_own_receipts",
        "statement",
        ["round_id"],
        unique=False,
        sqlite_where=sa.text("own = 1 AND kind = 'receipt'"),
        postgresql_where=sa.text("own AND kind = 'receipt'"),
    )
    op.create_index(op.f("ix_statement_promise"), "statement", ["promise"], unique=False)
    op.create_index(op.f("ix_statement_round_id"), "statement", ["round_id"], unique=False)
    op.create_index(
        op.f("ix_statement_round_id_own_sequence"), "statement", ["round_id", "own", "sequence"], unique=False
    )
    op.create_index(
        "ix_statement_unsent",
        "statement",
        ["round_id"],
        unique=False,
        sqlite_where=sa.text("own = 1 AND sent = 0"),
        postgresql_where=sa.text("own AND NOT sent"),
    )
    op.create_table(
        "submission",
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="Random identifier."),
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("import_id", sa.String(length=32), nullable=False, comment="The import that it is made of."),
        sa.Column(
            "records_digest",
            sa.String(length=64),
            nullable=False,
            comment="Digest of the approved records of the list.",
        ),
        sa.Column("kind", sa.String(length=8), nullable=False, comment="list or query."),
        sa.Column("justification", sa.JSON(), nullable=False, comment="Why it is lawful; empty after three years."),
        sa.Column(
            "wished_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970 when two persons wanted it."
        ),
        sa.Column(
            "state",
            sa.Enum(
                "wished",
                "preparing",
                "submitted",
                "finalized",
                "tokens_sent",
                "failed",
                name="submissionstate",
                native_enum=False,
                length=16,
            ),
            nullable=False,
            comment="wished, preparing, submitted, finalized or failed; tokens_sent when all is done.",
        ),
        sa.Column("records", sa.BigInteger(), nullable=False, comment="Records, dummies included."),
        sa.Column("batches", sa.BigInteger(), nullable=False, comment="Batches of records to blind."),
        sa.Column("prepared", sa.BigInteger(), nullable=False, comment="Batches whose runs are on the disk."),
        sa.Column("held_back", sa.JSON(), nullable=False, comment="By rule number, inputs that were not sent."),
        sa.Column(
            "seal", sa.LargeBinary(), nullable=True, comment="HMAC of what of it counts, under a key of the home."
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_submission_round_id_round")),
        sa.PrimaryKeyConstraint("submission_id", name=op.f("pk_submission")),
    )
    op.create_index(op.f("ix_submission_round_id"), "submission", ["round_id"], unique=False)
    op.create_table(
        "tally",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("counterpart", sa.String(length=16), nullable=False, comment="The other party."),
        sa.Column("certainty", sa.String(length=8), nullable=False, comment="low, medium or high."),
        sa.Column(
            "outcome", sa.String(length=16), nullable=False, comment="confirmed, refuted, unresolved, withdrawn or open"
        ),
        sa.Column("hits", sa.BigInteger(), nullable=False, comment="How many."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_tally_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "counterpart", "certainty", "outcome", name=op.f("pk_tally")),
    )
    op.create_index(op.f("ix_tally_round_id"), "tally", ["round_id"], unique=False)
    op.create_table(
        "withdrawal",
        sa.Column(
            "withdrawal_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="Number.",
        ),
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("hit_id", sa.String(length=32), nullable=False, comment="The hit, the same on both sides."),
        sa.Column("counterpart", sa.String(length=16), nullable=False, comment="The other party."),
        sa.Column("own", sa.Boolean(), nullable=False, comment="Whether this party withdrew it, or the counterpart."),
        sa.Column("ground", sa.String(length=16), nullable=False, comment="incorrect, unlawful, not_needed or erased."),
        sa.Column("late", sa.Boolean(), nullable=False, comment="Whether it came after the correction duty's hours."),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="Seconds since 1970 when it was asked for, or taken."),
        sa.Column("known", sa.Boolean(), nullable=False, comment="Whether this node held the hit."),
        sa.Column("digest", sa.String(length=64), nullable=True, comment="Digest of the statement, once signed."),
        sa.Column(
            "acknowledged_at",
            sa.BigInteger(),
            nullable=True,
            comment="When the acknowledgement came, or ours was signed.",
        ),
        sa.Column(
            "seal", sa.LargeBinary(), nullable=True, comment="HMAC of what of it counts, under a key of the home."
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_withdrawal_round_id_round")),
        sa.PrimaryKeyConstraint("withdrawal_id", name=op.f("pk_withdrawal")),
    )
    op.create_index(op.f("ix_withdrawal_digest"), "withdrawal", ["digest"], unique=False)
    op.create_index(op.f("ix_withdrawal_hit_id"), "withdrawal", ["hit_id"], unique=False)
    op.create_index(op.f("ix_withdrawal_round_id"), "withdrawal", ["round_id"], unique=False)
    op.create_table(
        "work",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column(
            "step",
            sa.Enum("look", "follow_up", "work", name="step", native_enum=False, length=16),
            nullable=False,
            comment="look, follow_up or work.",
        ),
        sa.Column(
            "not_before",
            sa.BigInteger(),
            nullable=True,
            comment="Seconds since 1970 from which it is due; none while it waits for news or a person.",
        ),
        sa.Column("attempts", sa.BigInteger(), nullable=False, comment="How often it has failed in a row."),
        sa.Column(
            "wakes", sa.BigInteger(), nullable=False, comment="How often it was woken: also while it is being taken."
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_work_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "step", name=op.f("pk_work")),
    )
    op.create_index(op.f("ix_work_round_id"), "work", ["round_id"], unique=False)
    op.create_table(
        "chunk",
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="Of which submission."),
        sa.Column("index", sa.BigInteger(), nullable=False, comment="Its place, from 0."),
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("input_class", sa.String(length=8), nullable=False, comment="full, partial or coarse."),
        sa.Column("elements", sa.BigInteger(), nullable=False, comment="How many elements it has."),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of the blinded elements."),
        sa.Column("sent", sa.Boolean(), nullable=False, comment="Whether the matcher has the blinded elements."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_chunk_round_id_round")),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.submission_id"], name=op.f("fk_chunk_submission_id_submission")
        ),
        sa.PrimaryKeyConstraint("submission_id", "index", name=op.f("pk_chunk")),
    )
    op.create_index(op.f("ix_chunk_round_id"), "chunk", ["round_id"], unique=False)
    op.create_table(
        "hit_life",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("hit_id", sa.String(length=32), nullable=False, comment="Which hit."),
        sa.Column("arrived_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970 when it was stored."),
        sa.Column(
            "stage",
            sa.String(length=16),
            nullable=False,
            comment="new, replaced, known, acknowledged, decided, follow_up, closed or withdrawn.",
        ),
        sa.Column("decision", sa.String(length=16), nullable=True, comment="What the analyst says, once decided."),
        sa.Column("outcome", sa.String(length=16), nullable=True, comment="What came of it, once closed."),
        sa.Column("due_at", sa.BigInteger(), nullable=True, comment="Seconds since 1970 when the next step is due."),
        sa.Column(
            "undo_person",
            sa.String(length=16),
            nullable=True,
            comment="Whose decision is the last step and can be undone.",
        ),
        sa.Column("assignee", sa.String(length=16), nullable=True, comment="Pseudonymous id of who looks after it."),
        sa.Column(
            "known",
            sa.String(length=16),
            nullable=True,
            comment="Of a known pair: unchanged, changed_level or changed_evidence.",
        ),
        sa.Column(
            "earlier_round_id",
            sa.String(length=32),
            nullable=True,
            comment="Round of the hit whose decision it carries; it may be erased.",
        ),
        sa.Column("earlier_hit_id", sa.String(length=32), nullable=True, comment="That hit."),
        sa.Column("undo_number", sa.BigInteger(), nullable=True, comment="The first of the steps taken together."),
        sa.Column("urgent", sa.Boolean(), nullable=False, comment="Whether its query was signed as urgent."),
        sa.Column(
            "first", sa.Boolean(), nullable=False, comment="Whether a standing query found it for the first time."
        ),
        sa.Column(
            "seal", sa.LargeBinary(), nullable=True, comment="HMAC of what of it counts, under a key of the home."
        ),
        sa.ForeignKeyConstraint(
            ["round_id", "hit_id"], ["hit.round_id", "hit.hit_id"], name=op.f("fk_hit_life_round_id_hit_id_hit")
        ),
        sa.PrimaryKeyConstraint("round_id", "hit_id", name=op.f("pk_hit_life")),
    )
    op.create_index(op.f("ix_hit_life_arrived_at"), "hit_life", ["arrived_at"], unique=False)
    op.create_index(op.f("ix_hit_life_assignee"), "hit_life", ["assignee"], unique=False)
    op.create_index(op.f("ix_hit_life_due_at"), "hit_life", ["due_at"], unique=False)
    op.create_index(op.f("ix_hit_life_stage_arrived_at"), "hit_life", ["stage", "arrived_at"], unique=False)
    op.create_index(
        op.f("ix_hit_life_undo_person_undo_number"), "hit_life", ["undo_person", "undo_number"], unique=False
    )
    op.create_table(
        "hit_step",
        sa.Column(
            "step_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="Ascends in time.",
        ),
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("hit_id", sa.String(length=32), nullable=False, comment="Which hit."),
        sa.Column("kind", sa.String(length=16), nullable=False, comment="What was done."),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.Column(
            "person",
            sa.String(length=16),
            nullable=False,
            comment="The person's pseudonymous id, or the party whose statement it was.",
        ),
        sa.Column("value", sa.String(length=16), nullable=False, comment="The decision, channel, outcome or ground."),
        sa.Column("reference", sa.Text(), nullable=False, comment="The channel's own number, or that of a permission."),
        sa.Column("urgency", sa.String(length=8), nullable=True, comment="Of a follow-up: urgent or normal."),
        sa.Column("remark", sa.Text(), nullable=False, comment="The analyst's own words, which stay at this node."),
        sa.Column(
            "seal", sa.LargeBinary(), nullable=True, comment="HMAC of what of it counts, under a key of the home."
        ),
        sa.ForeignKeyConstraint(
            ["round_id", "hit_id"], ["hit.round_id", "hit.hit_id"], name=op.f("fk_hit_step_round_id_hit_id_hit")
        ),
        sa.PrimaryKeyConstraint("step_id", name=op.f("pk_hit_step")),
    )
    op.create_index(op.f("ix_hit_step_round_id_hit_id"), "hit_step", ["round_id", "hit_id"], unique=False)
    op.create_table(
        "token_part",
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="Of which submission."),
        sa.Column("counterpart", sa.String(length=8), nullable=False, comment="For whom the column is."),
        sa.Column("index", sa.BigInteger(), nullable=False, comment="Its place in the column, from 0."),
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("is_rows", sa.Boolean(), nullable=False, comment="Whether it has token rows, or tags."),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="Bytes."),
        sa.Column("sent", sa.Boolean(), nullable=False, comment="Whether the matcher has it."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_token_part_round_id_round")),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.submission_id"], name=op.f("fk_token_part_submission_id_submission")
        ),
        sa.PrimaryKeyConstraint("submission_id", "counterpart", "index", name=op.f("pk_token_part")),
    )
    op.create_index(op.f("ix_token_part_round_id"), "token_part", ["round_id"], unique=False)
