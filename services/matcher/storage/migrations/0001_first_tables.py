"""The first tables of the matcher."""

import secrets

import sqlalchemy as sa
from alembic import op

from services.kit.storage.first_tables import create_common_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_common_tables()
    op.create_table(
        "contact",
        sa.Column("party", sa.String(length=2), nullable=False, comment="Who called."),
        sa.Column("called_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970, to the minute."),
        sa.Column(
            "release", sa.String(length=32), nullable=False, comment="Which release it said that it runs, or nothing."
        ),
        sa.PrimaryKeyConstraint("party", name="pk_contact"),
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
        sa.Column("problem", sa.Text(), nullable=True, comment="What went wrong, as a sentence for the operator."),
        sa.Column(
            "evaluation_bytes",
            sa.BigInteger(),
            nullable=False,
            comment="Bytes of evaluations that their origins have not acknowledged, for the quota.",
        ),
        sa.Column(
            "seal", sa.LargeBinary(), nullable=True, comment="HMAC of what of it counts, under a key of the home."
        ),
        sa.PrimaryKeyConstraint("round_id", name="pk_round"),
    )
    op.create_index("ix_round_created_at", "round", ["created_at"], unique=False)
    op.create_index("ix_round_ended_at", "round", ["ended_at"], unique=False)
    rounding_key = op.create_table(
        "rounding_key",
        sa.Column("key_id", sa.Integer(), autoincrement=False, nullable=False, comment="Always 1."),
        sa.Column("key", sa.LargeBinary(), nullable=False, comment="Random bytes, secret as the counts are."),
        sa.PrimaryKeyConstraint("key_id", name="pk_rounding_key"),
    )
    op.create_table(
        "spent_nonce",
        sa.Column(
            "key_id", sa.String(length=64), nullable=False, comment="Fingerprint of the key that signed the call."
        ),
        sa.Column("nonce", sa.String(length=64), nullable=False, comment="Nonce of the call, as signed."),
        sa.Column("keep_until", sa.BigInteger(), nullable=False, comment="Seconds since 1970; may be deleted after."),
        sa.PrimaryKeyConstraint("key_id", "nonce", name="pk_spent_nonce"),
        comment="Nonces of signed calls, kept for as long as the call's time would still be accepted.",
    )
    op.create_index("ix_spent_nonce_keep_until", "spent_nonce", ["keep_until"], unique=False)
    op.create_table(
        "chunk",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Round that it belongs to."),
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="Submission of the chunk."),
        sa.Column("what", sa.String(length=16), nullable=False, comment="blinded, evaluation or tokens."),
        sa.Column("party", sa.String(length=2), nullable=False, comment="Who sent it."),
        sa.Column("chunk_index", sa.BigInteger(), nullable=False, comment="Place in the submission, from 0."),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="Bytes."),
        sa.Column(
            "digest", sa.String(length=64), nullable=False, comment="SHA-256 of the bytes, as its sender signed it."
        ),
        sa.Column(
            "stored_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970 when the bytes were on the disk."
        ),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True, comment="Seconds since 1970 when the bytes were gone."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_chunk_round_id_round"),
        sa.PrimaryKeyConstraint("round_id", "submission_id", "what", "party", "chunk_index", name="pk_chunk"),
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
            comment="Who said it, whose bytes came, or whom a report is for.",
        ),
        sa.Column(
            "audience",
            sa.String(length=8),
            nullable=False,
            comment="Who may see it: all, others (than the party), reader, or nobody.",
        ),
        sa.Column("reader", sa.String(length=2), nullable=True, comment="The one party that may see it."),
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
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_event_round_id_round"),
        sa.PrimaryKeyConstraint("event_id", name="pk_event"),
    )
    op.create_index("ix_event_digest", "event", ["digest"], unique=False)
    op.create_index(
        "ix_event_notes",
        "event",
        ["round_id"],
        unique=False,
        sqlite_where=sa.text("statement = 'notes' AND envelope IS NOT NULL"),
        postgresql_where=sa.text("statement = 'notes' AND envelope IS NOT NULL"),
    )
    op.create_index("ix_event_reader_statement_round_id", "event", ["reader", "statement", "round_id"], unique=False)
    op.create_index("ix_event_round_id_event_id", "event", ["round_id", "event_id"], unique=False)
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
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_evidence_round_id_round"),
        sa.PrimaryKeyConstraint("evidence_id", name="pk_evidence"),
    )
    op.create_table(
        "flag",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Round that it belongs to."),
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="Whose tokens."),
        sa.Column(
            "number", sa.Integer(), autoincrement=False, nullable=False, comment="Place among its flags, from 0."
        ),
        sa.Column("sentence", sa.Text(), nullable=False, comment="What it is, in words: rules and counts alone."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_flag_round_id_round"),
        sa.PrimaryKeyConstraint("round_id", "submission_id", "number", name="pk_flag"),
    )
    op.create_table(
        "held_report",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Round that it belongs to."),
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="The query."),
        sa.Column("envelope", sa.Text(), nullable=False, comment="The signed report to the query's origin."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_held_report_round_id_round"),
        sa.PrimaryKeyConstraint("round_id", "submission_id", name="pk_held_report"),
    )
    op.create_table(
        "hit_count",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Round that it belongs to."),
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="The query; empty for the lists."),
        sa.Column("left", sa.String(length=2), nullable=False, comment="The one party."),
        sa.Column("right", sa.String(length=2), nullable=False, comment="The other, later in the alphabet."),
        sa.Column("certainty", sa.String(length=8), nullable=False, comment="Published level."),
        sa.Column("hits", sa.BigInteger(), nullable=False, comment="Pairs of records."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_hit_count_round_id_round"),
        sa.PrimaryKeyConstraint("round_id", "submission_id", "left", "right", "certainty", name="pk_hit_count"),
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
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_known_count_round_id_round"),
        sa.PrimaryKeyConstraint("round_id", "certainty", "parties", name="pk_known_count"),
    )
    op.create_table(
        "list_count",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Round that it belongs to."),
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="The list or query."),
        sa.Column("party", sa.String(length=2), nullable=False, comment="Whose it is."),
        sa.Column("kind", sa.String(length=8), nullable=False, comment="list or query."),
        sa.Column("records", sa.BigInteger(), nullable=False, comment="Records, padding included."),
        sa.Column("matched_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_list_count_round_id_round"),
        sa.PrimaryKeyConstraint("round_id", "submission_id", name="pk_list_count"),
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
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_outcome_count_round_id_round"),
        sa.PrimaryKeyConstraint("round_id", "party", "counterpart", "certainty", "outcome", name="pk_outcome_count"),
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
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_refused_statement_round_id_round"),
        sa.PrimaryKeyConstraint("round_id", "digest", name="pk_refused_statement"),
    )
    op.create_table(
        "repeated_statement",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Round that it belongs to."),
        sa.Column("party", sa.String(length=2), nullable=False, comment="Who signed them."),
        sa.Column("statements", sa.BigInteger(), nullable=False, comment="How many."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name="fk_repeated_statement_round_id_round"),
        sa.PrimaryKeyConstraint("round_id", "party", name="pk_repeated_statement"),
    )

    op.bulk_insert(rounding_key, [{"key_id": 1, "key": secrets.token_bytes(32)}])
