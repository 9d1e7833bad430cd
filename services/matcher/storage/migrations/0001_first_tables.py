"""First tables: rounds, events, chunks, held reports, hit counts, evidence, spent nonces."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
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
        sa.PrimaryKeyConstraint("round_id", name=op.f("pk_round")),
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
    with op.batch_alter_table("spent_nonce", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_spent_nonce_keep_until"), ["keep_until"], unique=False)

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
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_event_round_id_event_id"), ["round_id", "event_id"], unique=False)

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
        "held_report",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Round that it belongs to."),
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="The query."),
        sa.Column("envelope", sa.Text(), nullable=False, comment="The signed report to the query's origin."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_held_report_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "submission_id", name=op.f("pk_held_report")),
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


def downgrade() -> None:
    op.drop_table("hit_count")
    op.drop_table("held_report")
    op.drop_table("evidence")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_event_round_id_event_id"))

    op.drop_table("event")
    op.drop_table("chunk")
    with op.batch_alter_table("spent_nonce", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_spent_nonce_keep_until"))

    op.drop_table("spent_nonce")
    op.drop_table("round")
