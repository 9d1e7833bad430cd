"""Findings about imported lists are kept, and the columns that an officer chose for lists with the same headings."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

_OLD, _NEW = "csv or ftm.", "csv, ftm, xlsx or ods."


def upgrade() -> None:
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
        "chosen_columns",
        sa.Column("headings", sa.String(length=64), nullable=False, comment="SHA-256 of the headings in sorted order."),
        sa.Column("columns", sa.JSON(), nullable=False, comment="Of each heading in sorted order its field, or null."),
        sa.Column("chosen_at", sa.BigInteger(), nullable=False, comment="Seconds since 1970."),
        sa.PrimaryKeyConstraint("headings", name=op.f("pk_chosen_columns")),
    )
    with op.batch_alter_table("import", schema=None) as batch_op:
        batch_op.alter_column("format", existing_type=sa.String(length=8), existing_comment=_OLD, comment=_NEW)


def downgrade() -> None:
    with op.batch_alter_table("import", schema=None) as batch_op:
        batch_op.alter_column("format", existing_type=sa.String(length=8), existing_comment=_NEW, comment=_OLD)
    op.drop_table("chosen_columns")
    op.drop_index(op.f("ix_finding_record_id"), table_name="finding")
    op.drop_table("finding")
