"""Progress of a query: states and numbers, without its persons, so that a page can look often and nothing is logged."""

from sqlalchemy import select

from aquila.interface.queries import QueriedPartyState, QueryProgress
from aquila.protocol.messages import Kind
from services.kit.errors import NotFoundError
from services.node.context import NodeContext
from services.node.hits.notes import UNCONFIRMED, state_of
from services.node.records.queries.answer_states import queried_parties
from services.node.round_memory import round_row
from services.node.storage.states import LocalRoundState
from services.node.storage.tables import ExchangeRow, HitRow, SubmissionRow

_OPEN = {QueriedPartyState.AWAITED, QueriedPartyState.ON_HOLD}


def query_progress(node: NodeContext, submission_id: str) -> QueryProgress:
    """Return the progress of a query of this node; raises NotFoundError if the node has no such query."""
    with node.store.reading("query.find") as session:
        row = session.get(SubmissionRow, submission_id)
        if row is None or row.kind != Kind.QUERY.value:
            raise NotFoundError("query_unknown")
        round_id = row.round_id
    exchanges = (
        select(ExchangeRow)
        .select_from(HitRow)
        .outerjoin(ExchangeRow, (ExchangeRow.round_id == HitRow.round_id) & (ExchangeRow.hit_id == HitRow.hit_id))
        .where(HitRow.round_id == round_id, HitRow.submission_id == submission_id)
    )
    with node.rounds.reading(round_id) as round_, node.store.reading("query.progress") as session:
        query, of_round = session.get_one(SubmissionRow, submission_id), round_row(session, round_id)
        parties = tuple(queried_parties(session, node.signer, round_, of_round, query))
        states = [state_of(exchange) for exchange in session.scalars(exchanges)]
        unconfirmed = states.count(UNCONFIRMED)
        return QueryProgress(
            state=query.state.value,
            parties=parties,
            hits=len(states),
            unconfirmed=unconfirmed,
            pending=of_round.state is LocalRoundState.ACTIVE
            and (unconfirmed > 0 or any(one.state in _OPEN for one in parties)),
        )
