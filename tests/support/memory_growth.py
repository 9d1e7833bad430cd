"""The growth of processes' memory over many rounds, and the bound that tells it from none."""

import contextlib
import statistics
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import psutil

MOST_GROWTH = 256.0
"""KiB in one round, above which memory is not flat."""

LEAST_ROUNDS = 24
"""Rounds that are compared at least: with fewer, what is filled once looks like growth."""

WARM_UP_ROUNDS = 48
"""Rounds after which statements of all kinds were made, and caches and the C library's heap have found their sizes."""

WARM_UP_SECONDS = 150.0
"""After which records of rounds are forgotten as others come: a service keeps them for a minute after it read them."""

_LEFT_OUT = 1  # samples that are not compared


def own_kibibytes(processes: Iterable[psutil.Process]) -> int:
    """Return the memory that processes share with no other (USS), in KiB; one that has ended has none."""
    octets = 0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            octets += process.memory_full_info().uss
    return octets >> 10


def growth(samples: Sequence[int]) -> float:
    """Return by how much memory grows in one round: the median over all pairs of rounds (Theil and Sen).

    Args:
        samples: After each round; the first one is left out.
    """
    known = list(enumerate(samples))[_LEFT_OUT:]
    return statistics.median((late - early) / (n - m) for (m, early), (n, late) in combinations(known, 2))


def check_flat(samples: Mapping[str, Sequence[int]]) -> dict[str, float]:
    """Return the growth of each service in KiB a round.

    Args:
        samples: By service, the KiB after each round of at least `LEAST_ROUNDS` and the first.
    """
    found = {name: round(growth(taken), 1) for name, taken in samples.items()}
    assert all(len(taken) > LEAST_ROUNDS for taken in samples.values()), "too few rounds to compare"
    growing = {name: kibibytes for name, kibibytes in found.items() if kibibytes > MOST_GROWTH}
    assert not growing, f"memory grows by KiB a round: {growing}"
    return found
