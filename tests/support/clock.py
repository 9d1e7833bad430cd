"""A clock that stands still until a test sets it."""

from dataclasses import dataclass


@dataclass
class Clock:
    """A clock that a test sets, in seconds since 1970."""

    time: int = 1_800_000_000
    step: int = 0

    def __call__(self) -> int:
        """Return the time that was set, with what has passed since."""
        self.time += self.step
        return self.time
