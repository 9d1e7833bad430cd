"""This node's own identity key when it takes the place of another one (PROTOCOL.md 11.9)."""

from __future__ import annotations

from asyncio import to_thread
from typing import Any

import httpx
from sqlalchemy import select

from aquila.crypto.envelope import sign_envelope
from aquila.crypto.keys import SigningKey
from aquila.errors import SignatureError
from services.kit.http.signatures import CallSigner
from services.kit.log.entries import log_replaced
from services.kit.logging import Log
from services.kit.storage.own_identity import read_next
from services.node.context import NodeContext
from services.node.rounds import statements
from services.node.storage.tables import StatementRow

_LOG = Log("node.own_key")


def take_over(node: NodeContext) -> None:
    """Do at a start what follows from a new key that the registry in force names, once; nothing was signed with it yet.

    The log gets its entry, and own statements that the matcher has not got are signed again: their digests stay.
    """
    registry, identity = node.registry, node.party.identity
    if not registry.former.get(node.code) or registry.key_of(node.code) != identity.public:
        return
    with node.store.transaction("key.take_over") as session:
        if not log_replaced(session, registry, node.code, node.code, node.clock()):
            return
        unsent = select(StatementRow).where(StatementRow.own, ~StatementRow.sent)
        for row in session.scalars(unsent).all():
            opened = statements.open_statement(registry, row.envelope)
            row.envelope = sign_envelope(opened.payload_type, opened.payload, identity)
    _LOG.warning("identity_renewed", party=node.code)


def waiting_key(node: NodeContext) -> SigningKey | None:
    """Return the key that shall take the place of the own one, or None; raises as `read_next` does."""
    return read_next(node.settings.identity)


async def call_matcher(node: NodeContext, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
    """Call the matcher with the own key, or with the one that waits where the matcher knows that one already.

    Raises:
        AquilaError: As `Peer.call`.
    """
    try:
        return await node.peer.call(method, path, **options)
    except SignatureError:
        key = await to_thread(waiting_key, node)
        if key is None:
            raise
        return await node.peer.call(method, path, auth=CallSigner(key, node.code, node.clock), **options)


def own_keys(node: NodeContext) -> tuple[SigningKey, ...]:
    """Return the own key, and the one that waits if there is one."""
    waiting = waiting_key(node)
    return (node.party.identity,) if waiting is None else (node.party.identity, waiting)
