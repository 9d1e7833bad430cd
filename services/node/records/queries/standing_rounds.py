"""The step that asks standing queries in the rounds that came, and ends those whose time is over.

What is due follows from stored rows, so a look writes nothing. A query that was made in a round, by this step or by an
officer, is not made there again, whatever became of it.
"""

from sqlalchemy import select

from aquila.errors import AquilaError
from aquila.interface.queries import StandingQueryState
from aquila.protocol.messages import Justification, Kind
from services.kit.log import entries
from services.kit.logging import Log
from services.node.context import NodeContext
from services.node.records.erasure import close_gaps
from services.node.records.queries import standing_queries
from services.node.records.stored_lists import following_removal
from services.node.round_memory import round_row
from services.node.rounds import requests
from services.node.storage.tables import ImportRow, StandingQueryRow

_LOG = Log("node.standing")


def advance(node: NodeContext) -> bool:
    """Ask the standing queries that are due, and end those that are over; return whether any was asked."""
    now = node.clock()
    over: list[tuple[str, StandingQueryState]] = []
    due: list[tuple[str, str]] = []
    with node.store.reading("standing.due") as session:
        active = StandingQueryRow.state == StandingQueryState.ACTIVE
        rows = session.scalars(select(StandingQueryRow).where(active).order_by(StandingQueryRow.approved_at)).all()
        rounds = standing_queries.open_rounds(session, now) if rows else []
        for row in rows:
            if row.until <= now:
                over.append((row.standing_id, StandingQueryState.EXPIRED))
            elif session.get(ImportRow, row.import_id) is None:
                over.append((row.standing_id, StandingQueryState.EMPTIED))
            else:
                found = standing_queries.unasked(session, node.code, row, rounds)
                due += [(row.standing_id, one.round_id) for one, _, reason in found if reason is None]
    for standing_id, state in over:
        with node.store.transaction("standing.end") as session:
            row = standing_queries.standing_row(session, standing_id)
            if row.state is StandingQueryState.ACTIVE:
                standing_queries.end(session, node.journal, row, state)
    return bool([one for one in due if _ask(node, *one)])


def _ask(node: NodeContext, standing_id: str, round_id: str) -> bool:
    """Let the driver of rounds prepare a query under the standing approval, and return whether it will.

    What came between the look and this is looked for once more.
    """
    try:
        with node.rounds.reading(round_id) as round_, node.store.transaction("standing.ask") as session:
            row = standing_queries.standing_row(session, standing_id)
            found = [(round_row(session, round_id), round_.manifest)]
            reasons = [reason for *_, reason in standing_queries.unasked(session, node.code, row, found)]
            if row.state is not StandingQueryState.ACTIVE or reasons != [None]:
                return False
            with following_removal(session, row.import_id):
                close_gaps(session, row.import_id)
            wanted = requests.RequestedSubmission(
                submission_id=node.random(16).hex(),
                import_id=row.import_id,
                records_digest=row.records_digest,
                kind=Kind.QUERY,
                justification=Justification.model_validate(row.justification),
            )
            requests.request_submission(node.clock, session, round_, wanted)
            entries.append(session, standing_queries.asked_entry(node.journal, row, round_id, wanted.submission_id))
    except AquilaError as error:
        # The round ended or was refused meanwhile; what the database lacks now is there at the next look.
        _LOG.warning("standing_query_not_asked", round=round_id, error=error)
        return False
    _LOG.info("standing_query_asked", round=round_id, submission=wanted.submission_id)
    return True
