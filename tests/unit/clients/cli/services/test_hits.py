"""`aquila hit list`: what it asks and what it shows."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from clients.cli.main import main
from tests.support.reached_service import answer_commands

ENTRY = {
    "round_id": "a" * 32,
    "hit_id": "b" * 32,
    "counterpart": "RS",
    "certainty": "high",
    "stage": "follow_up",
    "decision": "cannot_tell",
    "outcome": None,
    "arrived_at": 1_800_000_000,
    "due_at": 1_800_000_000,
    "overdue": True,
    "record_id": "al-1",
    "record": {"given_names": ["Arben"], "date_of_birth": "1980-03-04"},
}
PAGE = {"hits": [ENTRY], "offset": 0, "total": 1, "by_stage": {"follow_up": 1}, "overdue": 1, "unanswered": 0}


class Service:
    """Answers with a page of hits, and remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.page: dict[str, Any] = PAGE

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a call."""
        self.asked.append(request.url.raw_path.decode())
        return httpx.Response(200, json=self.page)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    """Return a node that commands reach."""
    made = Service()
    answer_commands(monkeypatch, made)
    return made


def test_a_list(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    """Filters go to the node, and hits come beside own records with what is overdue."""
    words = ["--counterpart", "RS", "--certainty", "high", "--stage", "follow_up", "--overdue", "--older-than", "8"]
    words += ["--kind", "query"]
    assert main(["hit", "list", *words, "--home", "node"]) == 0
    assert "stage=follow_up" in service.asked[0]
    assert "older_than_hours=8" in service.asked[0]
    assert "kind=query" in service.asked[0]
    shown = capsys.readouterr().out
    for part in ("bbbbbbbb", "al-1", "Arben 1980-03-04", "in follow-up,", "overdue", "1 to 1 of 1 hit"):
        assert part in shown
    service.page = PAGE | {"hits": [], "total": 0}
    assert main(["hit", "list", "--home", "node"]) == 0
    assert "There is no such hit." in capsys.readouterr().out
    assert main(["hit", "list", "--counterpart", "Serbia", "--home", "node"]) == 2
