"""The growing log of a service, of which each look finds the new lines."""

import json
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class LogTail:
    """The log of a service since this was made; a look costs the service nothing."""

    path: Path
    _offset: int = field(init=False)

    def __post_init__(self) -> None:
        self._offset = self.path.stat().st_size

    def count(self, what: bytes) -> int:
        """Return the number of new whole lines with a text."""
        return self._new_lines().count(what)

    def counts_of(self, *events: str) -> dict[str, int]:
        """Return for each of these events the sum of the counts in its new whole lines; absent without a line."""
        found: dict[str, int] = {}
        for line in self._new_lines().splitlines():
            if line.startswith(b"{"):
                content = json.loads(line)
                if content.get("event") in events:
                    found[content["event"]] = found.get(content["event"], 0) + int(content.get("count", 0))
        return found

    def _new_lines(self) -> bytes:
        with self.path.open("rb") as file:
            file.seek(self._offset)
            content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        self._offset += len(whole)
        return whole
