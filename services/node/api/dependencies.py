"""The dependency that all routes of the node's interface share: the context of the service that a request came to."""

from typing import Annotated

from fastapi import Depends, Query, Request

from aquila.protocol.messages import Message
from services.kit.approvals.requests import Approvals
from services.node.context import NodeContext

NamesChecked = Annotated[
    bool, Query(description="Whether the officer has confirmed that the texts name nobody of the party's own lists.")
]


def texts_of(words: Message) -> dict[str, str]:
    """Return the free texts of a request, by their fields; a code or an id names nobody."""
    return {name: text for name, text in words.model_dump().items() if type(text) is str}


def node_of(request: Request) -> NodeContext:
    """Return the context of the node whose application takes a request."""
    node = request.app.state.node
    assert isinstance(node, NodeContext)
    return node


async def _approvals(request: Request) -> Approvals:
    approvals = request.app.state.approvals
    assert isinstance(approvals, Approvals)
    return approvals


async def _node(request: Request) -> NodeContext:
    """Return the same, without the thread that FastAPI gives to a dependency that is no coroutine."""
    return node_of(request)


Node = Annotated[NodeContext, Depends(_node)]
FourEyes = Annotated[Approvals, Depends(_approvals)]
