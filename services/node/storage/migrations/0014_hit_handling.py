"""The handling code of a hit's own record, kept with the hit: it binds as long, whatever becomes of its list."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    with op.batch_alter_table("hit", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "handling_code",
                sa.String(length=2),
                nullable=True,
                comment="The own record's handling code when the hit came, or none.",
            )
        )
    hit = sa.table("hit", *map(sa.column, ("round_id", "hit_id", "import_id", "position", "handling_code")))
    record = sa.table("record", sa.column("import_id"), sa.column("position"), sa.column("content", sa.LargeBinary()))
    connection = op.get_bind()
    at = (record.c.import_id == hit.c.import_id) & (record.c.position == hit.c.position)
    # Of earlier hits it is what their records say now; of a list that was deleted nothing is known.
    query = sa.select(hit.c.round_id, hit.c.hit_id, record.c.content).join(record, at)
    for round_id, hit_id, content in connection.execute(query).all():
        where = (hit.c.round_id == round_id) & (hit.c.hit_id == hit_id)
        code = json.loads(content).get("handling_code")
        if code is not None:
            connection.execute(sa.update(hit).where(where).values(handling_code=code))


def downgrade() -> None:
    with op.batch_alter_table("hit", schema=None) as batch_op:
        batch_op.drop_column("handling_code")
