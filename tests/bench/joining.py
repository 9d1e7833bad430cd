"""The join of many tokens, in a process of its own whose memory is watched: `python -m tests.bench.joining FOLDER`.

The tokens are random, as those of a round are. Of each list a tenth of the records agrees with a common pool in part.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import psutil

from aquila.crypto.backend import usable_cores
from aquila.executors import local_pool
from aquila.matching.join import TOKEN_ROW_BYTES, TokenTable
from tests.bench.watching import watch

ROWS = 20_000_000
PARTIES = 12
INPUTS = 10
CHUNK_ROWS = 16_384
_COMMON_SHARE = 0.1
_AGREEMENT = 0.6
_FREQUENCY_LIMIT = 8
_ROW = np.dtype([("handle", "<u8", 2), ("rule", "u1"), ("token", ">u8", 2)])
_MODULES = ("aquila.matching.join_tasks",)


@dataclass(frozen=True, slots=True)
class Join:
    rows: int
    parties: int
    pairs: int
    lay_down_seconds: float
    join_seconds: float
    processor_seconds: float
    peak_memory: int
    disk: int

    @property
    def seconds(self) -> float:
        return round(self.lay_down_seconds + self.join_seconds, 3)


def measure_join(folder: Path, rows: int = ROWS, parties: int = PARTIES) -> Join:
    """Write the token chunks of some lists, and join them in another process."""
    records = max(1, rows // parties // INPUTS)
    for number in range(parties):
        (folder / f"{number}.tokens").write_bytes(b"".join(token_chunks(number, records)))
    watched = watch([sys.executable, "-m", "tests.bench.joining", str(folder)])
    return Join(**json.loads(watched.out), peak_memory=watched.peak_memory)


def token_chunks(number: int, records: int) -> Iterator[bytes]:
    """Yield the token rows of a list in chunks, each in the order of its tokens (PROTOCOL.md 3.6.2)."""
    random, pool = np.random.default_rng(number + 1), np.random.default_rng(0)
    common = int(records * _COMMON_SHARE)
    tokens = random.integers(1 << 64, size=(records, INPUTS, 2), dtype=np.uint64)
    everyone = pool.integers(1 << 64, size=(2 * common, INPUTS, 2), dtype=np.uint64)
    agrees = random.random((common, INPUTS)) < _AGREEMENT
    tokens[:common][agrees] = everyone[random.choice(2 * common, common, replace=False)][agrees]
    rows = np.zeros((records, INPUTS), dtype=_ROW)
    rows["handle"] = random.integers(1 << 64, size=(records, 1, 2), dtype=np.uint64)
    rows["rule"] = np.arange(1, INPUTS + 1)
    rows["token"] = tokens
    rows = random.permutation(rows.reshape(-1))
    for start in range(0, len(rows), CHUNK_ROWS):
        chunk = rows[start : start + CHUNK_ROWS]
        yield chunk[np.argsort(chunk["token"][:, 0].astype(np.uint64))].tobytes()


def join_files(folder: Path) -> dict[str, int | float]:
    paths = sorted(folder.glob("*.tokens"), key=lambda path: int(path.stem))
    allowed, rows, cores = list(combinations(range(len(paths)), 2)), 0, usable_cores()
    with (
        tempfile.TemporaryDirectory(dir=folder) as scratch,
        local_pool(cores, _MODULES) as executor,
        TokenTable(Path(scratch)) as table,
    ):
        started, spent = time.perf_counter(), processor_seconds()
        for number, path in enumerate(paths):
            with path.open("rb") as file:
                while chunk := file.read(CHUNK_ROWS * TOKEN_ROW_BYTES):
                    table.add(number, chunk)
                    rows += len(chunk) // TOKEN_ROW_BYTES
        laid_down = time.perf_counter()
        table.join(allowed, _FREQUENCY_LIMIT, executor if cores > 1 else None)
        pairs = sum(1 for _ in table.pairs())
        ended, spent = time.perf_counter(), processor_seconds() - spent
        disk = sum(path.stat().st_size for path in Path(scratch).iterdir() if path.is_file())
    return {
        "rows": rows,
        "parties": len(paths),
        "pairs": pairs,
        "lay_down_seconds": round(laid_down - started, 3),
        "join_seconds": round(ended - laid_down, 3),
        "processor_seconds": round(spent, 3),
        "disk": disk,
    }


def processor_seconds() -> float:
    """Return the processor seconds of this process and of those that it started."""
    own = psutil.Process()
    times = [process.cpu_times() for process in (own, *own.children(recursive=True))]
    return sum(one.user + one.system for one in times)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(join_files(Path(sys.argv[1]))) + "\n")
