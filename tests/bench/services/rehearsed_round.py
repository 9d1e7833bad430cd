"""The same round as a rehearsal, without a service, measured from outside in the same way."""

import csv
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from aquila.errors import ExecutorError
from aquila.sentences import quoted
from tests.bench.services.served_round import FoundHit
from tests.bench.services.usage import UsageWatch

_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class RehearsedRound:
    """The cost of a rehearsal, its start as a command included."""

    seconds: float
    processor_seconds: float
    peak_memory: int


def rehearse(folder: Path, lists: Mapping[str, Path]) -> tuple[RehearsedRound, list[FoundHit]]:
    """Rehearse a round with default rules and padding, and return its cost and its hits."""
    out = folder / "rehearsed.csv"
    parties = [part for code, path in lists.items() for part in ("--party", f"{code}={path}")]
    options = ["--rules", "default", "--padding", "default", "--out", str(out)]
    command = [sys.executable, "-m", "clients.cli.main", "rehearse", *parties, *options]
    started = time.perf_counter()
    with psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        with UsageWatch({"rehearsal": process.pid}, _LOOK_SECONDS) as usage:
            _, said = process.communicate()
        seconds = round(time.perf_counter() - started, 2)
    if process.returncode:
        last = (said.strip().splitlines() or ["it said nothing"])[-1]
        raise ExecutorError(quoted(f"a measured command failed: {last}"))
    with out.open(encoding="utf-8", newline="") as file:
        hits = sorted(FoundHit(*(row[name] for name in FoundHit._fields)) for row in csv.DictReader(file))
    return RehearsedRound(seconds, usage.processor_seconds(), usage.peak_together), hits
