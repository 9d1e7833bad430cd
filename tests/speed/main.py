"""Compare a round of five parties with SecretFlow's ECDH-PSI of all ten pairs of their lists: one run, one machine.

    make bench-peer

SecretFlow intersects two lists at a time: every pair of parties runs its protocol, both as processes of their own over
loopback. Its keys are digests of what the exact rules compare, so it neither reads names nor normalizes them, and the
start of its processes is not counted. The round is `aquila rehearse` with all proofs, from CSV files to confirmed hits,
and its start and end are counted. The programs run by turns.
"""

import argparse
import contextlib
import ctypes
import io
import os
import resource
import subprocess
import tempfile
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from aquila.csv_files import ListWriter
from aquila.protocol.submissions.tasks import digest_records
from aquila.records.reading.lists import read_records
from aquila.records.rows import AcceptedRow
from aquila.records.rules import load_rules
from clients.local_services.processes import free_ports
from tests.bench.records import PARTIES, write_list
from tests.bench.rounds import PlayedRound, measure_round

_DIGEST = 32
_FIVE = PARTIES[:5]
_PARTY = Path(__file__).with_name("secretflow_party.py")
_TRIES = 5
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds from start to end, and of processor in all processes."""

    seconds: float
    processor: float


def intersect(python: Path, keys: list[Path], folder: Path) -> tuple[int, Cost]:
    """Run SecretFlow on all pairs of lists; return how many keys the pairs have in common, added up, and the cost."""
    found, seconds, processor = 0, 0.0, 0.0
    for pair in combinations(keys, 2):
        costs = _intersect_two(python, pair, folder, _TRIES)
        found += int(costs[0][0])
        seconds += max(float(cost[1]) for cost in costs)
        processor += sum(float(cost[2]) for cost in costs)
    return found, Cost(seconds, processor)


def _intersect_two(python: Path, pair: tuple[Path, Path], folder: Path, tries: int) -> list[list[str]]:
    """Run both parties; its processes crash now and then when they connect: those are started again, uncounted."""
    ports = [str(port) for port in free_ports(2)]
    parties = [
        subprocess.Popen(
            [python, _PARTY, str(rank), *ports, path, folder / f"out-{rank}.csv"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank, path in enumerate(pair)
    ]
    answers = [party.communicate()[0].splitlines() for party in parties]
    ended = [party.returncode for party in parties]
    if ended == [0, 0]:
        return [next(line.split()[1:] for line in lines if line.startswith("cost:")) for lines in answers]
    if tries == 1:
        raise RuntimeError(ended, [lines[-1:] for lines in answers])
    return _intersect_two(python, pair, folder, tries - 1)


def play(folder: Path, records: int) -> tuple[PlayedRound, Cost]:
    """Play a round; processes whose parent ended before them are waited for here, so that they are counted."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    before = _children()
    played = measure_round(folder, len(_FIVE), records)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    return played, Cost(played.seconds, _children() - before)


def write_keys(path: Path, content: bytes) -> None:
    """Write each record's key under the exact rules, each once."""
    records = [row.record for row in read_records(io.BytesIO(content)) if isinstance(row, AcceptedRow)]
    digests = digest_records(bytes(_DIGEST), load_rules("exact"), records).digests
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = ListWriter(file)
        writer.write(("key",))
        for key in sorted({digests[at : at + _DIGEST].hex() for at in range(0, len(digests), _DIGEST)}):
            writer.write((key,))


def main() -> None:
    """Print a table with a row for each program and each repeat, and the ratios of the least figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", type=Path, required=True, help="the interpreter that has SecretFlow")
    parser.add_argument("--records", type=int, default=100_000, help="of each of five lists (100,000)")
    parser.add_argument(
        "--pool", type=int, help="persons that lists share (1 for 20 records); 39,000 give 100,000 hits"
    )
    parser.add_argument("--repeats", type=int, default=3)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keys = []
        for code in _FIVE:
            path = folder / f"{code}-{chosen.records}.csv"
            write_list(path, code, chosen.records, pool=chosen.pool)
            keys.append(folder / f"{code}.keys.csv")
            write_keys(keys[-1], path.read_bytes())
        print("| program | in common, or hits | seconds | of processor | memory, MiB |")
        print("|---|---:|---:|---:|---:|")
        peer, own = [], []
        for _ in range(chosen.repeats):
            found, cost = intersect(chosen.python, keys, folder)
            peer.append(cost)
            _show("SecretFlow, ten pairs", found, cost, "-")
            played, cost = play(folder, chosen.records)
            own.append(cost)
            _show("Aquila, one round", played.hits, cost, f"{played.peak_memory / 2**20:.0f}")
    for what in ("seconds", "processor"):
        least = [min(getattr(cost, what) for cost in costs) for costs in (own, peer)]
        print(f"{what}: {least[0] / least[1]:.2f} times SecretFlow's")


def _show(program: str, found: int, cost: Cost, memory: str) -> None:
    print(f"| {program} | {found:,} | {cost.seconds:.1f} | {cost.processor:.1f} | {memory} |", flush=True)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
