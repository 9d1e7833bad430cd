"""A short run of the soak: a round and a query over TLS and a bad network, with processes killed, stopped and frozen.

The services are forked from a process that has loaded the program, so that a start takes a tenth of the time.
"""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.faults import Fault
from tests.support.faulty_rounds import FaultyRounds, write_lists, write_query
from tests.support.loaded_program import LOADED
from tests.support.memory_growth import LEAST_ROUNDS, MOST_GROWTH, check_flat, own_kibibytes

pytestmark = pytest.mark.e2e

SEED = 16
"""Chooses the faults; at which moment of a round they come depends on the machine, what has to hold does not."""

RECORDS = 120
PERSONS = 5
KILLS = 3
LEFT_OUT = {Fault.CLOCK, Fault.DISK, Fault.RESTORE}
"""The first two are not possible on every machine, and after the last a second round has to follow."""


def test_faults_lose_nothing_and_leave_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With faults of each kind all hits are the rehearsal's, logs verify with each other, and nothing is left."""
    files, query = write_lists(tmp_path, 3, RECORDS, SEED), write_query(tmp_path, RECORDS, PERSONS, SEED)
    with FaultyRounds(tmp_path, files, SEED, query=query, program=LOADED, kinds=set(Fault) - LEFT_OUT) as played:
        faults = played.faults
        with capsys.disabled():
            sys.stdout.write(f"\nleft to `make soak`: {', '.join(sorted(LEFT_OUT))}\n")

        def is_enough() -> bool:
            return faults.kinds - {Fault.KILL_IN_CALL} <= set(faults.made) and faults.kills >= KILLS

        while not is_enough():
            played.play(is_enough)
        played.finish()


KEEPS = """
import os, sys
kept = []
for line in sys.stdin:
    kept.append(os.urandom(int(line) << 10))
    print(flush=True)
"""
"""Keeps as many KiB as each line says."""


def test_memory_that_grows_is_found() -> None:
    """The check that the soak makes of its services tells a process that keeps something in each round from others."""
    flat, growing = memory_of_rounds(0), memory_of_rounds(2 * int(MOST_GROWTH))
    assert check_flat({"flat": flat})["flat"] < MOST_GROWTH / 8
    with pytest.raises(AssertionError, match="growing"):
        check_flat({"flat": flat, "growing": growing})
    with pytest.raises(AssertionError, match="too few"):
        check_flat({"flat": flat[1:]})


def memory_of_rounds(kibibytes: int) -> list[int]:
    samples = []
    with subprocess.Popen([sys.executable, "-c", KEEPS], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(LEAST_ROUNDS + 1):
            process.stdin.write(f"{kibibytes}\n".encode())
            process.stdin.flush()
            process.stdout.readline()
            samples.append(own_kibibytes([psutil.Process(process.pid)]))
    return samples
