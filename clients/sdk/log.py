"""The client of a service's log: at a glance, its entries, and its files. The same at a node and at the matcher."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from aquila.interface.log import EntriesPage, LogView, RoundEntries

if TYPE_CHECKING:
    from aquila.audit.entries import EntryKind
    from clients.sdk.connection import Connection

_LOG = {"node": "/v1/log", "matcher": "/v1/operator/log"}


class LogClient:
    """A service's log. Every method raises the error in the service's problem document."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._log = _LOG[connection.service]

    def view(self) -> LogView:
        """Return the log at a glance: its newest checkpoint, witnesses and alarms."""
        return self._connection.fetch(LogView, "GET", self._log)

    def entries(
        self, below: int | None = None, limit: int = 50, kind: EntryKind | None = None, round_id: str | None = None
    ) -> EntriesPage:
        """Return entries from the newest down; looking at them is an entry itself."""
        asked = {"below": below, "limit": limit, "kind": kind.value if kind else None, "round_id": round_id}
        query = {name: value for name, value in asked.items() if value is not None}
        return self._connection.fetch(EntriesPage, "GET", f"{self._log}/entries", params=query)

    def round_entries(self, round_id: str) -> RoundEntries:
        """Return all entries of a round; looking at them is an entry itself."""
        return self._connection.fetch(RoundEntries, "GET", f"{self._log}/rounds/{quote(round_id, safe='')}")

    def export(self) -> bytes:
        """Return the log's files as a tar archive, for `aquila audit verify` on another machine."""
        return self._connection.call("GET", f"{self._log}/export")

    def export_matchers(self) -> bytes:
        """Return the matcher's log of the rounds that name this node's party, as `export` does; of a node alone."""
        return self._connection.call("GET", f"{self._log}/matcher")

    def acknowledge(self, alarm_id: int) -> None:
        """Let work go on after an alarm was explained."""
        self._connection.call("POST", f"{self._log}/alarms/{alarm_id}/acknowledge")
