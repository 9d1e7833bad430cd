"""Step 0: before anything is signed or sent, the matcher's log must have only grown (PROTOCOL.md 10.5).

The node cosigns what it found right, and shows its own log to the matcher, which witnesses it in turn.
"""

from __future__ import annotations

from asyncio import to_thread
from http import HTTPStatus
from typing import TYPE_CHECKING

from aquila.audit.checkpoint import parse_checkpoint
from aquila.errors import AquilaError, AuditError, LogRewrittenError
from aquila.protocol.registry import MATCHER
from services.kit.logs import Log

if TYPE_CHECKING:
    from services.node.node import Node

_LOG = Log("node.watch")


async def watch(node: Node) -> None:
    """Look at the matcher's log, and keep in `contact.obstacle` what forbids to sign or send anything."""
    try:
        await _look(node)
    except AquilaError as error:
        node.contact.obstacle = error
        return
    node.contact.obstacle = None


async def _look(node: Node) -> None:
    witness = node.log.witness
    old = await to_thread(witness.seen_size, MATCHER)
    answer = await node.peer.call("GET", "/v1/log/checkpoint", params={"old": old})
    if answer.status_code == HTTPStatus.NO_CONTENT:
        await to_thread(witness.vanished, MATCHER)
        return
    cosigned, new = await to_thread(witness.look, MATCHER, answer.content)
    if new:
        # If we crash here, this one stays without our cosignature; the next has it.
        await node.peer.call("POST", "/v1/log/cosignatures", content=cosigned.to_bytes())


async def show(node: Node) -> None:
    """Publish the own log, and let the matcher witness it.

    Raises:
        LogRewrittenError: The own log is not what was shown before; an administrator has to look.
        PeerUnavailableError: The matcher is away.
    """
    own, contact = node.log.own, node.contact
    try:
        await to_thread(own.publish)
        newest = await to_thread(own.newest)
        if newest is None or parse_checkpoint(newest.text).size == contact.witnessed:
            return
        seen = await node.peer.call("GET", "/v1/log/witnessed")
        update = await to_thread(own.update, _size(seen.content))
        assert update is not None
        cosigned = (await node.peer.call("POST", "/v1/log/checkpoints", content=update.to_bytes())).content
    except LogRewrittenError as error:
        await to_thread(node.log.witness.told, error, b"" if newest is None else newest.to_bytes())
        contact.obstacle = error
        raise
    await to_thread(own.take_cosignature, MATCHER, cosigned)
    contact.witnessed = parse_checkpoint(newest.text).size


def _size(content: bytes) -> int:
    """Read the size that the matcher saw last.

    Raises:
        AuditError: It is none.
    """
    if not content.isdigit() or len(content) > 20:  # noqa: PLR2004 - digits of any size
        raise AuditError("the matcher does not say how many entries of our log it has seen")
    return int(content)
