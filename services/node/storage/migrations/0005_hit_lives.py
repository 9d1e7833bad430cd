"""Lives of hits with their steps, withdrawals, tallies of erased hits, erased record numbers; old hits begin as new."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "erased",
        sa.Column(
            "record_digest",
            sa.String(length=64),
            nullable=False,
            comment="SHA-256 of the record's own identifier, behind a label.",
        ),
        sa.Column("erased_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.PrimaryKeyConstraint("record_digest", name=op.f("pk_erased")),
    )
    op.create_table(
        "tally",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("counterpart", sa.String(length=16), nullable=False, comment="The other party."),
        sa.Column("certainty", sa.String(length=8), nullable=False, comment="low, medium or high."),
        sa.Column(
            "outcome",
            sa.String(length=16),
            nullable=False,
            comment="confirmed, refuted, unresolved, withdrawn or open.",
        ),
        sa.Column("hits", sa.BigInteger(), nullable=False, comment="How many."),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_tally_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "counterpart", "certainty", "outcome", name=op.f("pk_tally")),
    )
    with op.batch_alter_table("tally", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tally_round_id"), ["round_id"], unique=False)

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
        sa.Column(
            "digest",
            sa.String(length=64),
            nullable=True,
            comment="Digest of the statement; none while an own one is not signed.",
        ),
        sa.Column(
            "acknowledged_at",
            sa.BigInteger(),
            nullable=True,
            comment="Seconds since 1970 when the counterpart's acknowledgement came, or ours was signed.",
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f("fk_withdrawal_round_id_round")),
        sa.PrimaryKeyConstraint("withdrawal_id", name=op.f("pk_withdrawal")),
    )
    with op.batch_alter_table("withdrawal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_withdrawal_digest"), ["digest"], unique=False)
        batch_op.create_index(batch_op.f("ix_withdrawal_hit_id"), ["hit_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_withdrawal_round_id"), ["round_id"], unique=False)

    op.create_table(
        "hit_life",
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("hit_id", sa.String(length=32), nullable=False, comment="Which hit."),
        sa.Column("arrived_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970 when it was stored."),
        sa.Column(
            "stage",
            sa.String(length=16),
            nullable=False,
            comment="new, acknowledged, decided, follow_up, closed or withdrawn.",
        ),
        sa.Column("decision", sa.String(length=16), nullable=True, comment="What the analyst says, once decided."),
        sa.Column("outcome", sa.String(length=16), nullable=True, comment="What came of it, once closed."),
        sa.Column("due_at", sa.BigInteger(), nullable=True, comment="Seconds since 1970 when the next step is due."),
        sa.ForeignKeyConstraint(
            ["round_id", "hit_id"], ["hit.round_id", "hit.hit_id"], name=op.f("fk_hit_life_round_id_hit_id_hit")
        ),
        sa.PrimaryKeyConstraint("round_id", "hit_id", name=op.f("pk_hit_life")),
    )
    with op.batch_alter_table("hit_life", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hit_life_arrived_at"), ["arrived_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_hit_life_due_at"), ["due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_hit_life_stage_arrived_at"), ["stage", "arrived_at"], unique=False)

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
        sa.ForeignKeyConstraint(
            ["round_id", "hit_id"], ["hit.round_id", "hit.hit_id"], name=op.f("fk_hit_step_round_id_hit_id_hit")
        ),
        sa.PrimaryKeyConstraint("step_id", name=op.f("pk_hit_step")),
    )
    with op.batch_alter_table("hit_step", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hit_step_round_id_hit_id"), ["round_id", "hit_id"], unique=False)

    with op.batch_alter_table("round", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "outcomes_changed_at",
                sa.BigInteger(),
                nullable=True,
                comment="Seconds since 1970 of the first outcome that the matcher was not told.",
            )
        )
        batch_op.add_column(
            sa.Column(
                "hits_erased_at",
                sa.BigInteger(),
                nullable=True,
                comment="Seconds since 1970 when the round's retention erased its hits and statements.",
            )
        )

    # When a hit came was not kept before: as if when its round was discovered; its first step is due 48 hours later.
    op.execute(
        "INSERT INTO hit_life (round_id, hit_id, arrived_at, stage, due_at)"
        " SELECT hit.round_id, hit.hit_id, round.discovered_at, 'new', round.discovered_at + 172800"
        " FROM hit JOIN round ON round.round_id = hit.round_id"
    )


def downgrade() -> None:
    with op.batch_alter_table("round", schema=None) as batch_op:
        batch_op.drop_column("hits_erased_at")
        batch_op.drop_column("outcomes_changed_at")

    with op.batch_alter_table("hit_step", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_hit_step_round_id_hit_id"))

    op.drop_table("hit_step")
    with op.batch_alter_table("hit_life", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_hit_life_stage_arrived_at"))
        batch_op.drop_index(batch_op.f("ix_hit_life_due_at"))
        batch_op.drop_index(batch_op.f("ix_hit_life_arrived_at"))

    op.drop_table("hit_life")
    with op.batch_alter_table("withdrawal", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_withdrawal_round_id"))
        batch_op.drop_index(batch_op.f("ix_withdrawal_hit_id"))
        batch_op.drop_index(batch_op.f("ix_withdrawal_digest"))

    op.drop_table("withdrawal")
    with op.batch_alter_table("tally", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tally_round_id"))

    op.drop_table("tally")
    op.drop_table("erased")
