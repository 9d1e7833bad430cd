"""The results of rounds among services, and what is read from logs and processes for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from clients.bench.hardware import this_machine
from clients.cli.main import main
from tests.bench.services.log_tail import LogTail
from tests.bench.services.rehearsed_round import RehearsedRound
from tests.bench.services.run import Compared, ServiceResults, named
from tests.bench.services.served_round import IMPORTED, RoundPart, ServedRound, _caps, _Exchange, _have
from tests.bench.services.usage import ProcessUsage, UsageWatch

MIB = 1 << 20
SERVED = ServedRound(
    (5_000, 5_000),
    {IMPORTED: RoundPart(9.0, 7.0), "the round is open": RoundPart(1.0, 0.5), "the end": RoundPart(12.0, 25.5)},
    {"AL": ProcessUsage(20.0, 90 * MIB, 80 * MIB), "matcher": ProcessUsage(13.0, 120 * MIB, 0)},
    500 * MIB,
    42,
)


def test_the_page() -> None:
    """Every figure is on the page and in the document; the import of lists counts by itself."""
    results = ServiceResults(this_machine())
    results.rounds.append(Compared(SERVED, RehearsedRound(10.0, 20.0, 400 * MIB), 21, same_hits=True))
    results.rounds.append(Compared(SERVED))
    page = results.page()
    assert "| 2 x 5,000 | 13.00 | 10.00 | 1.30 | 26.00 | 20.00 | 1.30 | 500 | 400 | 21 | true |" in page
    assert "| 2 x 5,000 | 13.00 | - | - | 26.00 | - | - | 500 | - | - | - |" in page
    assert f"| {IMPORTED} | 9.00 | 7.00 |" in page
    assert "| matcher | 13.00 | 120 | - |\n| AL | 20.00 | 90 | 80 |" in page
    document = json.loads(json.dumps(results.document()))
    assert document["rounds"][0]["processor_ratio"] == 1.3
    assert document["rounds"][1]["wall_ratio"] is None


def test_the_name_of_a_round() -> None:
    """Lists of one length are named by their number and length, others one by one."""
    assert [named((20_000,) * 3), named((1_000_000, 500))] == ["3 x 20,000", "1,000,000 + 500"]


def test_lines_of_a_growing_log(tmp_path: Path) -> None:
    """Only whole new lines count, each once, and what is no event is passed over."""
    path = tmp_path / "service.log"
    path.write_bytes(b"hit\n")
    tail = LogTail(path)
    with path.open("ab") as file:
        file.write(b"hit\nmiss\nhi")
    assert tail.count(b"hit") == 1
    with path.open("ab") as file:
        file.write(b't\nTraceback\n{"event":"came","count":2}\n{"event":"came","count":3}\n{"event":"went"}\n')
    assert tail.counts_of("came", "gone") == {"came": 5}
    assert [tail.count(b"hit"), tail.counts_of("came")] == [0, {}]


def test_the_end_of_an_exchange(tmp_path: Path) -> None:
    """It is over when as many sides of hits are confirmed as were reported, and nobody waits where there are none."""
    seen = []
    exchanges = {}
    for code in ("AL", "RS"):
        (tmp_path / code).write_bytes(b"")
        exchanges[code] = _Exchange(LogTail(tmp_path / code))

    def is_over() -> bool:
        return _have(exchanges, "confirmed", lambda one: one.is_done, lambda *step: seen.append(step))

    assert not is_over()
    (tmp_path / "AL").write_bytes(b'{"event":"hits_prepared","count":0}\n')
    (tmp_path / "RS").write_bytes(b'{"event":"hits_prepared","count":3}\n{"event":"hits_confirmed","count":2}\n')
    assert not is_over()
    with (tmp_path / "RS").open("ab") as file:
        file.write(b'{"event":"hits_confirmed","count":1}\n')
    assert is_over()
    assert seen[-2:] == [("confirmed", "AL", 1, 1), ("confirmed", "RS", 1, 1)]


def test_caps_of_long_lists() -> None:
    """A list of a million needs caps of its own, which are those that a node lets through in a day."""
    caps = _caps({"AL": 1_000_000, "RS": 1_000})
    assert {code: (one.full, one.partial) for code, one in caps.items()} == {"AL": (8_000_000, 16_000_000)}


def test_what_processes_use() -> None:
    """Processor time of a process and its children within the block counts, and the most memory of each."""
    script = "import subprocess, sys; sum(range(10**6)); subprocess.run([sys.executable, '-c', 'print(1); input()'])"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        with UsageWatch({"it": process.pid}, 0.05) as usage:
            assert process.stdout is not None
            process.stdout.readline()
            so_far = usage.look()
            process.communicate("\n")
        found = usage.usage()["it"]
    assert 0 < so_far <= found.processor_seconds == usage.processor_seconds()
    assert min(found.peak_memory, found.worker_memory) > MIB
    assert usage.peak_together >= max(found.peak_memory, found.worker_memory) // 2
    with UsageWatch({"this": os.getpid()}) as own:
        pass
    assert own.processor_seconds() < sum(os.times()[:2])


@pytest.mark.parametrize("lists", ["100", "100,x", "100,5", "100," * 12 + "100"])
def test_lists_that_are_none(tmp_path: Path, lists: str) -> None:
    """Lengths of lists are refused where they are no numbers, too few or too many."""
    assert main(["bench", "--services", "--lists", lists, "--out", str(tmp_path)]) != 0
