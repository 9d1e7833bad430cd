"""The log: entries, the tree's edge and nodes, checkpoints, those of other logs, and alarms."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
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
        sa.Column("what", sa.String(length=16), nullable=False, comment="fork, shrunk or signature."),
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
    with op.batch_alter_table("log_alarm", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_log_alarm_origin"), ["origin"], unique=False)

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
        sa.PrimaryKeyConstraint("index", name=op.f("pk_log_entry")),
        comment="The log: one row for each entry, only ever added to; retention empties contents.",
    )
    with op.batch_alter_table("log_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_log_entry_round_id"), ["round_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_log_entry_time"), ["time"], unique=False)

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
        comment="Checkpoints of other logs that were found consistent with all before, and cosigned; all stay.",
    )


def downgrade() -> None:
    op.drop_table("log_witnessed")
    op.drop_table("log_node")
    with op.batch_alter_table("log_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_log_entry_time"))
        batch_op.drop_index(batch_op.f("ix_log_entry_round_id"))

    op.drop_table("log_entry")
    op.drop_table("log_edge")
    op.drop_table("log_checkpoint")
    with op.batch_alter_table("log_alarm", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_log_alarm_origin"))

    op.drop_table("log_alarm")
