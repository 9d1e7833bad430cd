"""The client of a service's log: at a glance, its entries, and its files. The same at a node and at the matcher."""

from __future__ import annotations

from typing import cast

from aquila.interface.log import EntriesPage, LogView, RoundEntries
from clients.sdk.connection import Connection
from clients.sdk.homes import Service
from clients.sdk.service_client import ServiceClient, acts, answers, reads


class LogClient(ServiceClient):
    """A service's log. Looking at entries is an entry itself; `export_matchers` is of a node alone."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.service = cast("Service", connection.service)

    view = answers("get_log", LogView)
    entries = answers("get_page", EntriesPage)
    round_entries = answers("get_entries", RoundEntries)
    export = reads("get_export")
    export_matchers = reads("get_matchers_log")
    acknowledge = acts("post_acknowledge")
