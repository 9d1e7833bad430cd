"""The typed Python client of the operator interfaces of node and matcher.

    home = find_home(Path("/var/lib/aquila"))
    with Connection(home.access()) as connection:
        node = NodeClient(connection)
        print(node.status())

Answers are the models of `aquila.interface.rounds`; refusals are errors of `aquila.errors`.
"""

from __future__ import annotations

from clients.sdk.approvals import ApprovalClient
from clients.sdk.connection import Access, ClientCertificate, Connection
from clients.sdk.hits import HitsClient
from clients.sdk.homes import Home, find_home
from clients.sdk.log import LogClient
from clients.sdk.matcher import MatcherClient
from clients.sdk.node import NodeClient, RecordsClient
from clients.sdk.people import PeopleClient
from clients.sdk.queries import QueryClient

__all__ = [
    "Access",
    "ApprovalClient",
    "ClientCertificate",
    "Connection",
    "HitsClient",
    "Home",
    "LogClient",
    "MatcherClient",
    "NodeClient",
    "PeopleClient",
    "QueryClient",
    "RecordsClient",
    "find_home",
]
