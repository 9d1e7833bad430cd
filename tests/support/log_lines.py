"""Log lines, kept in memory."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Lines:
    """Log lines as they would be on stderr."""

    text: list[str] = field(default_factory=list)

    def write(self, text: str) -> int:
        """Keep a text."""
        self.text.append(text)
        return len(text)

    def flush(self) -> None:
        """Everything is written already."""

    def __str__(self) -> str:
        return "".join(self.text)
