"""The results of a run of queries, and the figures of idle services."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from aquila.records.person import FIELDS
from clients.bench.hardware import this_machine
from clients.bench.lists import COLUMNS, query_rows, write_list
from clients.local_services.processes import Process
from tests.bench.queries import latency
from tests.bench.queries.faulty_network import NetworkFaults
from tests.bench.queries.idling import Idling, _spent, _Usage
from tests.bench.queries.latency import Latency
from tests.bench.queries.run import QueryBenchSize, QueryResults, _named
from tests.bench.services.world import BenchServices, _replace


def test_latency() -> None:
    measured = Latency(10, (3, 1, 2), (1.5, 9.0, 2.5))
    assert (measured.median, measured.worst) == (2.5, 9.0)
    assert measured.document()["seconds"] == (1.5, 9.0, 2.5)


def test_an_answer_may_be_whole_after_the_last_confirmation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A query is looked at again until its answer is whole; its seconds end at the last confirmation."""
    log = tmp_path / "log"
    log.touch()
    asker = SimpleNamespace(log=log)
    services = SimpleNamespace(
        asker="AL",
        processes={"AL": asker},
        approval_of=lambda *_: lambda: log.write_bytes(b'{"event":"hits_confirmed"}\n'),
    )
    looks = iter([None, None, 2])
    monkeypatch.setattr(latency, "_QUIET_SECONDS", 0.05)
    monkeypatch.setattr(latency, "_confirmed", lambda *_: next(looks))
    hits, seconds = latency._ask(cast("BenchServices", services), "")
    assert hits == 2
    assert seconds >= 0
    assert list(looks) == []


def test_the_page() -> None:
    results = QueryResults(this_machine(), QueryBenchSize(queries=2))
    results.latencies["loopback"] = Latency(10, (3, 1), (1.25, 2.5))
    results.idling = [Idling("matcher", 60, 0.00123, 4096, 2)]
    page = results.page()
    assert "| loopback | 2 | 4 | 1.88 | 2.50 |" in page
    assert "| matcher | 60 | 0.12 | 4,096 | 2 |" in page
    assert "10 persons, 5 parties of 5,000" in page
    assert results.document()["idling"] == [results.idling[0].document()]
    assert _named(NetworkFaults(0.1, 0.02, 1_250_000)) == "200 ms, 2 % broken, 10 Mbit/s"


def test_idle_services(tmp_path: Path) -> None:
    """Processor time becomes a share of a core, and every file that is new, changed or gone counts."""
    before = _Usage(1.0, 100, {"same": (1, 1), "changed": (1, 1), "gone": (1, 1)})
    after = _Usage(1.5, 300, {"same": (1, 1), "changed": (2, 1), "new": (1, 1)})
    assert _spent("AL", 100, before, after) == Idling("AL", 100, 0.005, 200, 3)
    (tmp_path / "node.db").write_bytes(b"x")
    (tmp_path / "node.db-shm").write_bytes(b"x")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        usage = _Usage.of(Process("AL", _Home(tmp_path), child))  # type: ignore[arg-type]  # what a home has of it
        child.communicate(b"\n")
    assert list(usage.files) == [os.fspath(tmp_path / "node.db")]
    assert usage.processor_seconds >= 0


class _Home:
    def __init__(self, path: Path) -> None:
        self.path = path


def test_a_setting_is_replaced(tmp_path: Path) -> None:
    """A text in a group takes the place of the one that was there, and nothing else changes."""
    path = tmp_path / "node.toml"
    path.write_text('code = "AL"\n[listen]\nport = 1\n[matcher]\nurl = "http://a"\n# a comment\n')
    _replace(path, "url", "http://b", group="[matcher]")
    assert path.read_text() == 'code = "AL"\n[listen]\nport = 1\n[matcher]\nurl = "http://b"\n# a comment\n'


def test_the_persons_of_a_query(tmp_path: Path) -> None:
    """A query repeats byte for byte, another one asks for others, and some of its persons are in lists."""
    rows = list(query_rows("AL", 10, 4, 400))
    assert rows == list(query_rows("AL", 10, 4, 400))
    assert len({row[0] for row in (*rows, *query_rows("AL", 10, 5, 400))}) == 20
    assert all(len(row) == len(COLUMNS) for row in rows)
    assert set(COLUMNS) <= set(FIELDS)
    listed = ""
    for code in ("AT", "HR", "SI", "ME"):
        write_list(tmp_path / code, code, 400)
        listed += (tmp_path / code).read_text()
    names = [f"{row[1]},{row[2]},{row[3]}" for number in range(5) for row in query_rows("AL", 10, number, 400)]
    assert sum(name in listed for name in names) >= 3
