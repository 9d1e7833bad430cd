"""The exchange of notes after a hit: prepared reports, hits with their notes, batches, and the sealing key."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
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
            comment="What opens the counterpart's note, sealed under the note key; none when it is over.",
        ),
        sa.Column(
            "verified", sa.Boolean(), nullable=False, comment="Whether the counterpart's note was verified here."
        ),
        sa.Column(
            "accepted", sa.Boolean(), nullable=False, comment="Whether the counterpart verified this party's note."
        ),
        sa.Column(
            "fault",
            sa.String(length=16),
            nullable=True,
            comment="What is wrong with the hit, where it is refuted.",
        ),
        sa.Column("blamed_by", sa.String(length=16), nullable=True, comment="Which party found the fault."),
        sa.Column("rules", sa.JSON(), nullable=True, comment="Numbers of the rules that met, once verified."),
        sa.Column("note", sa.JSON(), nullable=True, comment="What the counterpart's note says."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_exchange_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "hit_id", name=op.f("pk_exchange")),
    )
    with op.batch_alter_table("exchange", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_exchange_round_id"), ["round_id"], unique=False)

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
            comment="Of an own one: the sealed notes, under the note key, until it is signed.",
        ),
        sa.Column("digest", sa.String(length=64), nullable=True, comment="Digest of its statement, once signed."),
        sa.Column("done", sa.Boolean(), nullable=False, comment="Whether its receiver has confirmed it."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_note_batch_round_id_round")),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_note_batch")),
    )
    with op.batch_alter_table("note_batch", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_note_batch_digest"), ["digest"], unique=False)
        batch_op.create_index(batch_op.f("ix_note_batch_round_id"), ["round_id"], unique=False)

    op.create_table(
        "note_secret",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="Nonce, ciphertext and tag."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_note_secret_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", name=op.f("pk_note_secret")),
    )
    with op.batch_alter_table("note_secret", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_note_secret_round_id"), ["round_id"], unique=False)

    op.create_table(
        "prepared_report",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="The query; empty for the lists."),
        sa.Column("prepared_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_prepared_report_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "submission_id", name=op.f("pk_prepared_report")),
    )
    with op.batch_alter_table("prepared_report", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_prepared_report_round_id"), ["round_id"], unique=False)

    # ### end Alembic commands ###


def downgrade() -> None:
    for table in ("prepared_report", "note_secret", "note_batch", "exchange"):
        op.drop_table(table)
