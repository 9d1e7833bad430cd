"""Whole rounds through `aquila rehearse`, in a process of its own, over invented lists."""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.bench.data_volumes import bytes_sent
from tests.bench.records import PARTIES, write_list
from tests.bench.watching import WatchedProcess, watch


@dataclass(frozen=True, slots=True)
class PlayedRound:
    parties: int
    records: int
    rules: str
    elements: int
    workers: int
    seconds: float
    processor_seconds: float
    group_seconds: float
    phases: dict[str, float]
    peak_memory: int
    disk: int
    bytes_sent: int
    bytes_calculated: int
    hits: int

    @property
    def per_element(self) -> float:
        """Microseconds of processor time for each element and each party that evaluates or owns it."""
        return round(self.processor_seconds * 1e6 / (self.elements * self.parties), 2)

    def document(self) -> dict[str, object]:
        return asdict(self) | {"microseconds_per_element_and_party": self.per_element}


def measure_round(folder: Path, parties: int, records: int, rules: str = "exact", backend: str = "auto") -> PlayedRound:
    """Play a round among a number of parties with a number of records each."""
    named = []
    for code in PARTIES[:parties]:
        path = folder / f"{code}-{records}.csv"
        if not path.exists():
            write_list(path, code, records)
        named += ["--party", f"{code}={path}"]
    hits, report = folder / "hits.csv", folder / "report.json"
    targets = ["--out", str(hits), "--report", str(report), "--rules", rules, "--backend", backend]
    watched = watch([sys.executable, "-m", "clients.cli.main", "rehearse", *named, *targets])
    return played(json.loads(report.read_text("utf-8")), watched, records, rules)


def played(report: dict[str, Any], watched: WatchedProcess, records: int, rules: str) -> PlayedRound:
    """Read a rehearsal's report; its seconds are means over the workers."""
    workers = report["workers"]
    phases = {phase: round(seconds * workers, 3) for phase, seconds in report["seconds"].items()}
    elements = [party["elements"] for party in report["parties"].values()]
    return PlayedRound(
        parties=len(elements),
        records=records,
        rules=rules,
        elements=report["elements"],
        workers=workers,
        seconds=watched.seconds,
        processor_seconds=round(sum(phases.values()), 3),
        group_seconds=round(sum(report["seconds_in_group"].values()) * workers, 3),
        phases=phases,
        peak_memory=watched.peak_memory,
        disk=report["peak_disk_bytes"],
        bytes_sent=report["bytes_sent"],
        bytes_calculated=sum(bytes_sent(elements, own) for own in range(len(elements))),
        hits=report["hits"],
    )
