"""Clocks of processes that can be moved while they run: each reads how far from a file, by Debian's `libfaketime`.

The clock that only counts (monotonic) is left alone, as it is where an administrator sets a machine's time.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from tests.support.process_world import THIS, Program

_LIBRARIES = "usr/lib/*/faketime/libfaketimeMT.so.1"


def faketime_library(root: Path = Path("/")) -> Path | None:
    return next(iter(sorted(root.glob(_LIBRARIES))), None)


def loading(library: Path) -> dict[str, str]:
    """Return the environment with which a process loads the library; without more of it its clock is right.

    Its correction for waits by the monotonic clock, which it makes by default, ends those waits at once, and with them
    each turn of a thread of Python: four threads that compute then take five times as long.
    """
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_CACHE_DURATION": "1",  # seconds; without, the file is read at each look at the clock
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        "NO_FAKE_STAT": "1",
    }


@dataclass(frozen=True, slots=True)
class MovedClocks:
    folder: Path
    library: Path

    def program(self, name: str, program: Program = THIS) -> Program:
        """Return the command of a service whose clock can be moved.

        Args:
            program: The command; where services are forked, `loading` was in the environment of the one they come from.
        """
        self.move(name, 0)
        return replace(program, environment=loading(self.library) | {"FAKETIME_TIMESTAMP_FILE": str(self._file(name))})

    def move(self, name: str, seconds: int) -> None:
        """Let a service's clock be so many seconds before or behind the machine's."""
        written = self._file(name).with_suffix(".new")
        written.write_text(f"{seconds:+}\n")
        written.replace(self._file(name))

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.clock"
