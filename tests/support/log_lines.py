"""Log lines, kept in memory."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from services.kit import logging as kit_logging


@dataclass
class Lines:
    text: list[str] = field(default_factory=list)

    def write(self, text: str) -> int:
        self.text.append(text)
        return len(text)

    def flush(self) -> None:
        """Everything is written already."""

    def __str__(self) -> str:
        return "".join(self.text)


@pytest.fixture
def lines() -> Iterator[Lines]:
    """The log lines of a test, from level debug on; logging is as before afterwards."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.getLogger(kit_logging.ROOT).level
    written = Lines()
    kit_logging.configure("debug", written)  # type: ignore[arg-type]  # has what a stream needs
    yield written
    logging.captureWarnings(capture=False)
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    logging.getLogger(kit_logging.ROOT).setLevel(before[2])
