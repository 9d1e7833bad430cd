"""The dependency that all routes of the node's interface share: the context of the service that a request came to."""

from typing import Annotated

from fastapi import Query

from aquila.protocol.messages import Message
from services.kit.http.routing import state_part
from services.node.context import NodeContext

NamesChecked = Annotated[
    bool, Query(description="Whether the officer has confirmed that the texts name nobody of the party's own lists.")
]


def texts_of(words: Message) -> dict[str, str]:
    """Return the free texts of a request, by their fields; a code or an id names nobody."""
    return {name: text for name, text in words.model_dump().items() if type(text) is str}


Node = Annotated[NodeContext, state_part("node")]
