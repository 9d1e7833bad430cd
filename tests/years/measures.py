"""The cost of services that keep many rounds: of their start, and while nothing happens to them.

Seconds of processor are those of a service's process, its children, and its database's server.
"""

import time
from collections.abc import Iterator, Sequence
from statistics import median

from tests.support.process_world import Service
from tests.years.bounds import IDLE_PERCENT, START_SECONDS, Figure
from tests.years.homes import Homes
from tests.years.yardstick import Yardstick

_STARTS = 3
_REST_SECONDS = 3
_AT_REST = 0.05  # of a core
_LONGEST_SECONDS = 180
_YARDS = 10
_LOOKS = 2  # at services that are at rest, where one of them costs more than it may


def start_figures(homes: Homes, services: Sequence[Service]) -> Iterator[Figure]:
    """Start each service several times, and yield what that costs until it is ready and until it rests.

    At the end all run.
    """
    for one in services:
        waited, ready, rest = list[float](), list[float](), list[float]()
        yardstick = Yardstick()
        for _ in range(_STARTS):
            if one.process is not None:
                one.stop()
            yardstick.look(_YARDS)
            began = time.monotonic()
            one.start()
            waited.append(time.monotonic() - began)
            ready.append(homes.spent(one))
            yardstick.look(_YARDS)
            rest.append(_spent_until_rest(homes, one))
        judged = median(ready) / yardstick.slowness
        for what, seconds, most in (
            ("start, until ready", judged, START_SECONDS),
            ("start, of processor until ready", median(ready), None),
            ("start, of processor until at rest", median(rest), None),
            ("start, on the clock until ready", median(waited), None),
        ):
            yield Figure(homes.database, one.name, what, seconds, "s", most)


def idle_figures(homes: Homes, services: Sequence[Service], settle: int, seconds: int) -> Iterator[Figure]:
    """Yield the share of a core and the memory of each service while nothing happens.

    Where a service is above its bound all are watched once more, and the lesser share counts.
    """
    time.sleep(settle)
    shares = dict[str, float]()
    for _ in range(_LOOKS):
        began, before = time.monotonic(), {one.name: homes.spent(one) for one in services}
        time.sleep(seconds)
        passed = time.monotonic() - began
        for one in services:
            share = 100 * (homes.spent(one) - before[one.name]) / passed
            shares[one.name] = min(share, shares.get(one.name, share))
        if max(shares.values()) <= IDLE_PERCENT:
            break
    for one in services:
        memory = sum(process.memory_full_info().pss for process in one.family()) / 2**20
        yield Figure(homes.database, one.name, "at rest, of a core", shares[one.name], "%", IDLE_PERCENT)
        yield Figure(homes.database, one.name, "at rest, memory of its processes", memory, "MiB")


def _spent_until_rest(homes: Homes, service: Service) -> float:
    """Wait until a service has next to nothing to do, and return the seconds of processor that it has cost by then."""
    ends, before = time.monotonic() + _LONGEST_SECONDS, homes.spent(service)
    while time.monotonic() < ends:
        time.sleep(_REST_SECONDS)
        now = homes.spent(service)
        if now - before < _AT_REST * _REST_SECONDS:
            return before
        before = now
    return before
