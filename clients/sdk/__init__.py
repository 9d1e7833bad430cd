"""The typed Python client of the operator interfaces of node and matcher.

    home = find_home(Path("/var/lib/aquila"))
    with Connection(home.access()) as connection:
        node = NodeClient(connection)
        print(node.status())

Answers are the models of `aquila.interface.rounds`; refusals are errors of `aquila.errors`.
"""

from clients.sdk.connection import Access, ClientCertificate, Connection
from clients.sdk.homes import Home, find_home
from clients.sdk.services import (
    ApprovalClient,
    HitsClient,
    LogClient,
    MatcherClient,
    NodeClient,
    PeopleClient,
    QueryClient,
    RecordsClient,
    SubjectsClient,
    UpkeepClient,
)

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
    "SubjectsClient",
    "UpkeepClient",
    "find_home",
]
