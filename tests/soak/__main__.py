"""`python -m tests.soak`: rounds and queries under faults, in parts, and the figures of each part as JSON.

Each part has a world and a seed of its own, so that a part that fails can be played again by itself. Disks
are filled where this program may mount a small file system, and clocks are moved where Debian's `faketime` is there;
with `--whole` it fails in the end where it could not do both.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.soak.judging import failures, left_out, needed_kills
from tests.soak.parts import Size, play_faults, play_kills, play_memory
from tests.support.process_world import THIS, Program
from tests.support.small_disks import mounted

PARTS: Mapping[str, float] = {"kills": 0.5, "sqlite": 0.2, "postgresql": 0.2, "memory": 0.1}
"""The parts, each with its share of the time."""

_SMALL = {"nodes": 3, "records": 300, "chunk": 64, "faults": 12}
_LARGE = {"nodes": 12, "records": 1_000, "chunk": 2_048, "faults": 40}
_SIZES = {"kills": _SMALL, "sqlite": _LARGE, "postgresql": _LARGE, "memory": _SMALL | {"chunk": 512}}
_DISK_SIZE = "3g"
_MOUNTED = "AQUILA_SOAK_MOUNTED"


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=float(os.environ.get("AQUILA_SOAK_MINUTES", "60")))
    parser.add_argument("--part", choices=PARTS, action="append", help="those to play; all if not given")
    parser.add_argument("--nodes", type=int, help="instead of the part's own number")
    parser.add_argument("--records", type=int, help="of each list")
    parser.add_argument("--chunk", type=int, help="elements of a chunk")
    parser.add_argument("--faults", type=int, help="at most in one round")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the parts' folders are made; a temporary one if not given")
    parser.add_argument("--leak", type=int, help="KiB that each service keeps in each second; the part `memory` fails")
    parser.add_argument(
        "--loaded", action="store_true", help="fork services from a loaded program, in all parts but `memory`"
    )
    parser.add_argument(
        "--at-once", action="store_true", help="faults in the first round too, in all parts but `memory`"
    )
    parser.add_argument(
        "--whole", action="store_true", help="fail in the end if a kind of fault could not be made here"
    )
    given = parser.parse_args()
    _unshare_mounts()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)  # whatever ends this program, no process stays behind
    parts = {name: PARTS[name] for name in given.part or PARTS}
    with tempfile.TemporaryDirectory(prefix="aquila-soak-") as temporary:
        played = []
        for number, (name, share) in enumerate(parts.items()):
            folder = (given.folder or Path(temporary)) / f"{number}-{name}"
            folder.mkdir(parents=True)
            seconds = 60 * given.minutes * share / sum(parts.values())
            figures = _play(name, folder, _size(name, given, seconds, given.seed + number), given)
            played.append({"part": name} | figures)
            sys.stdout.write(json.dumps(played[-1], indent=2) + "\n")
            sys.stdout.flush()
    not_made, wrong = left_out(played), failures(played)
    sys.stderr.write("".join(f"{line}\n" for line in (*not_made, *wrong)))
    if wrong or (given.whole and not_made):
        raise SystemExit(1)


def _play(name: str, folder: Path, size: Size, given: argparse.Namespace) -> dict[str, Any]:
    def tell(line: str) -> None:
        sys.stderr.write(f"{name}: {line}\n")

    if name == "kills":
        return play_kills(folder, size, tell, calm_first=not given.at_once)
    if name == "memory":
        program = THIS if given.leak is None else Program((sys.executable, "-m", "tests.soak.leaking", str(given.leak)))
        return play_memory(folder, size, tell, program)
    # Without mounts of one's own they would outlast this program where it is killed.
    disk = mounted(folder, _DISK_SIZE) if _MOUNTED in os.environ else contextlib.nullcontext(enter_result=False)
    with disk as small_disk:
        return play_faults(
            folder, size, tell, database=name, small_disk=small_disk, loaded=given.loaded, calm_first=not given.at_once
        )


def _size(name: str, given: argparse.Namespace, seconds: float, seed: int) -> Size:
    """Return the size of a part, with what the command line says."""
    numbers = {
        word: usual if getattr(given, word) is None else getattr(given, word) for word, usual in _SIZES[name].items()
    }
    kills = needed_kills(name, seconds, PARTS[name])
    return Size(seconds, seed, numbers["nodes"], numbers["records"], numbers["chunk"], numbers["faults"], kills)


def _unshare_mounts() -> None:
    """Go on with mounts of one's own, which end with this program, where it has the right to that."""
    unshare = shutil.which("unshare")
    if _MOUNTED in os.environ or unshare is None:
        return
    if subprocess.run([unshare, "--mount", "true"], check=False, capture_output=True).returncode == 0:
        os.environ[_MOUNTED] = "1"
        os.execv(unshare, [unshare, "--mount", sys.executable, "-m", "tests.soak", *sys.argv[1:]])  # noqa: S606 - this program


if __name__ == "__main__":
    main()
