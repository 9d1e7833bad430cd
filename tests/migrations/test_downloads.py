"""The node's migration to two queues of downloads, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, inspect, select, text

from services.kit.storage.migrate import migrate
from services.node.storage.tables import ChunkDownloadRow, EvaluationDownloadRow, RoundRow

if TYPE_CHECKING:
    from services.kit.storage.store import Store

PACKAGE = "services.node.storage"
ROUND = {"round_id": "0" * 32, "manifest": b"{}", "manifest_digest": "0" * 64, "discovered_at": 1, "phase": "open"}
BEFORE = [
    ("s-1", 0, "", "waiting", 2),
    ("s-1", 1, "", "done", 0),
    ("s-2", 0, "", "failed", 3),
    ("s-3", 0, "AL", "waiting", 1),
    ("s-3", 0, "RS", "done", 0),
    ("s-3", 1, "RS", "acknowledged", 0),
    ("s-3", 2, "RS", "failed", 3),
]


def test_each_row_goes_to_its_queue(store: Store) -> None:
    """Migration 0034 keeps states and attempts; "done" is "evaluated" in one queue and "verified" in the other."""
    migrate(store, PACKAGE, "0033")
    with store.transaction("test.insert") as session:
        session.execute(insert(RoundRow).values(**ROUND))
        for submission, index, party, state, attempts in BEFORE:
            session.execute(
                text(
                    'INSERT INTO available (submission_id, "index", party, round_id, state, attempts)'
                    " VALUES (:submission, :index, :party, :round, :state, :attempts)"
                ),
                {"submission": submission, "index": index, "party": party, "round": ROUND["round_id"],
                 "state": state, "attempts": attempts},
            )  # fmt: skip
    assert migrate(store, PACKAGE, "0034") == "0034"
    with store.reading("test.read") as session:
        chunks = session.scalars(select(ChunkDownloadRow)).all()
        assert sorted((row.submission_id, row.index, row.state.value, row.attempts) for row in chunks) == [
            ("s-1", 0, "waiting", 2),
            ("s-1", 1, "evaluated", 0),
            ("s-2", 0, "failed", 3),
        ]
        evaluations = session.scalars(select(EvaluationDownloadRow)).all()
        assert sorted((row.index, row.party, row.state.value, row.attempts) for row in evaluations) == [
            (0, "AL", "waiting", 1),
            (0, "RS", "verified", 0),
            (1, "RS", "acknowledged", 0),
            (2, "RS", "failed", 3),
        ]
        assert {row.round_id for row in (*chunks, *evaluations)} == {ROUND["round_id"]}
    assert "available" not in inspect(store.engine).get_table_names()
