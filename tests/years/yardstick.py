"""A fixed piece of work of the interpreter, which tells how much slower this machine is now than the one of the bounds.

Other programs make processor time dearer as well: they take turns in its caches and share its execution units. A figure
is divided by the yardstick's slowness at that time, and never multiplied: a faster machine has the same bounds.
"""

import time
from statistics import median

QUIET_MILLISECONDS = 12.0
"""Of processor: on two threads of an Intel Xeon (family 6, model 167) the least is 10 to 12.5, by the time of day."""

_FUNCTIONS = "\n".join(
    f"def f{n}(a, b):\n    return [a * {n} + b, 'x{n}', {{'k': a}}] if a > b else (b, f{n + 1}(a, b))\n"
    for n in range(400)
)


class Yardstick:
    def __init__(self) -> None:
        self._looks = list[float]()

    def look(self, times: int = 1) -> None:
        """Do the work so many times."""
        for _ in range(times):
            began = time.thread_time()
            compile(_FUNCTIONS, "yardstick", "exec")
            self._looks.append(1_000 * (time.thread_time() - began))

    @property
    def slowness(self) -> float:
        """How many times slower this machine is than the one of the bounds, by the median of the looks; at least 1."""
        return max(1.0, median(self._looks) / QUIET_MILLISECONDS)
