"""A step outside the rounds: officers' suggestions are sent to the matcher (PROTOCOL.md 9.4)."""

from __future__ import annotations

from asyncio import to_thread
from typing import TYPE_CHECKING

from sqlalchemy import select

from aquila.errors import InputError, OrderError, PolicyError, ProtocolError, ReplayError, SignatureError
from aquila.protocol.messages.suggestions import Suggestion, SuggestionState
from aquila.sentences.sentence import dumps
from services.kit.logging import Log
from services.node.storage.tables import SuggestionRow

if TYPE_CHECKING:
    from aquila.errors import AquilaError
    from services.kit.storage.store import Store
    from services.node.context import Journal, NodeContext

_LOG = Log("node.suggest")


async def send_suggestions(node: NodeContext) -> bool:
    """Send the suggestions that the matcher does not have; what it does not take is kept with its reason.

    Raises:
        PeerUnavailableError: The matcher is away; the same is sent again, and it takes it once.
        ReplayError, SignatureError: The matcher takes no call of this node: its clock or key is another.
    """
    waiting = await to_thread(_written, node.store)
    for row in waiting:
        path, octets = f"/v1/suggestions/{row.suggestion_id}", Suggestion.model_validate(row.terms).payload()
        try:
            await node.peer.call("PUT", path, content=octets, headers={"content-type": "application/json"})
        except (ReplayError, SignatureError):
            raise  # keys or clocks: nothing of this node is taken now, which is not the suggestion's fault
        except (InputError, OrderError, PolicyError, ProtocolError) as error:
            await to_thread(_note, node.journal, row.suggestion_id, SuggestionState.REFUSED, error)
        else:
            await to_thread(_note, node.journal, row.suggestion_id, SuggestionState.WAITING)
    return bool(waiting)


def _written(store: Store) -> list[SuggestionRow]:
    query = select(SuggestionRow).where(SuggestionRow.state == SuggestionState.WRITTEN)
    with store.reading("suggestion.written") as session:
        return list(session.scalars(query.order_by(SuggestionRow.made_at, SuggestionRow.suggestion_id)))


def _note(journal: Journal, suggestion_id: str, state: SuggestionState, error: AquilaError | None = None) -> None:
    with journal.store.transaction("suggestion.sent") as session:
        row = session.get_one(SuggestionRow, suggestion_id)
        if row.state is not SuggestionState.WRITTEN:
            return  # its answer has come in the meantime
        row.enter(state)
        if error is not None:
            row.reason, row.answered_at = dumps(error.sentence), journal.clock()
            _LOG.warning("suggestion_refused", error=error)
