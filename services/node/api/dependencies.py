"""The dependency that all routes of the node's interface share: the context of the service that a request came to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.node.context import NodeContext

if TYPE_CHECKING:
    from fastapi import Request


def node_of(request: Request) -> NodeContext:
    """Return the context of the node whose application takes a request."""
    node = request.app.state.node
    assert isinstance(node, NodeContext)
    return node
