"""Views of hits that a person keeps."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "saved_view",
        sa.Column("view_id", sa.String(length=32), nullable=False, comment="Random identifier."),
        sa.Column("person", sa.String(length=14), nullable=False, comment="Whose view it is."),
        sa.Column("name", sa.String(length=60), nullable=False, comment="The person's own word for it."),
        sa.Column("shows", sa.JSON(), nullable=False, comment="The filter; it holds no word of a record."),
        sa.ForeignKeyConstraint(["person"], ["account.person"], name=op.f("fk_saved_view_person_account")),
        sa.PrimaryKeyConstraint("view_id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint("person", "name", name=op.f("uq_saved_view_person_name")),
    )


def downgrade() -> None:
    op.drop_table("saved_view")
