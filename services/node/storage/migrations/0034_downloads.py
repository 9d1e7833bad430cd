"""Chunks to evaluate and evaluations to verify are two queues, each with states of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"

_ATTEMPTS = "Fetches that gave other bytes than signed."
_BOTH = 'submission_id, "index", round_id, attempts'


def upgrade() -> None:
    _create("chunk_download", "waiting, evaluated or failed.")
    _create("evaluation_download", "waiting, verified, acknowledged or failed.", "Who evaluated it.")
    _move("available", "chunk_download", _BOTH, "party = ''", ("done", "evaluated"))
    _move("available", "evaluation_download", f"{_BOTH}, party", "party <> ''", ("done", "verified"))
    op.drop_index(op.f("ix_available_round_id"), table_name="available")
    op.drop_table("available")


def downgrade() -> None:
    evaluator = "Who evaluated it; empty for a chunk that this node evaluates."
    _create("available", "waiting, done, acknowledged or failed.", evaluator)
    _move("evaluation_download", "available", f"{_BOTH}, party", "1 = 1", ("verified", "done"))
    op.execute(
        f"INSERT INTO available ({_BOTH}, party, state) SELECT {_BOTH}, '',"  # noqa: S608 - of constants
        " CASE state WHEN 'evaluated' THEN 'done' ELSE state END FROM chunk_download"
    )
    for table in ("evaluation_download", "chunk_download"):
        op.drop_index(op.f(f"ix_{table}_round_id"), table_name=table)
        op.drop_table(table)


def _create(table: str, states: str, evaluator: str = "") -> None:
    party = [sa.Column("party", sa.String(length=16), nullable=False, comment=evaluator)] if evaluator else []
    op.create_table(
        table,
        sa.Column("submission_id", sa.String(length=32), nullable=False, comment="Of which submission."),
        sa.Column("index", sa.BigInteger(), nullable=False, comment="Which chunk."),
        *party,
        sa.Column("round_id", sa.String(length=32), nullable=False, comment="Which round."),
        sa.Column("state", sa.String(length=16), nullable=False, comment=states),
        sa.Column("attempts", sa.BigInteger(), nullable=False, comment=_ATTEMPTS),
        sa.ForeignKeyConstraint(["round_id"], ["round.round_id"], name=op.f(f"fk_{table}_round_id_round")),
        sa.PrimaryKeyConstraint("submission_id", "index", *(["party"] if party else []), name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_round_id"), table, ["round_id"], unique=False)


def _move(source: str, target: str, columns: str, condition: str, renamed: tuple[str, str]) -> None:
    before, after = renamed
    op.execute(
        f"INSERT INTO {target} ({columns}, state) SELECT {columns},"  # noqa: S608 - of constants
        f" CASE state WHEN '{before}' THEN '{after}' ELSE state END FROM {source} WHERE {condition}"
    )
