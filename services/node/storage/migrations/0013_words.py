"""Words by which records are searched, empty until the node starts; records are found by their number too."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    with op.batch_alter_table("import", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "normalizer",
                sa.BigInteger(),
                nullable=False,
                server_default="0",
                comment="Version of the normalizer that its records' words are of; 0 before there were any.",
            )
        )
    with op.batch_alter_table("record", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "words",
                sa.Text(),
                nullable=False,
                server_default="",
                comment="The folded words of its names, by which it is searched: as personal as the record.",
            )
        )
        batch_op.create_index(
            batch_op.f("ix_record_import_id_position_words"), ["import_id", "position", "words"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_record_record_id"), ["record_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("record", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_record_record_id"))
        batch_op.drop_index(batch_op.f("ix_record_import_id_position_words"))
        batch_op.drop_column("words")

    with op.batch_alter_table("import", schema=None) as batch_op:
        batch_op.drop_column("normalizer")
