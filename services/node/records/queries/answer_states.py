"""State of the answer of each party to a query of this node, as far as the node knows it: the one place for it.

Each party answers by itself, when its node has acknowledged its own report (PROTOCOL.md 3.7.4, 3.7.16). What
`party_answers` finds of the compared parties is joined here with those that the round does not compare or goes on
without, and with the step that an awaited party is known to owe.
"""

from collections.abc import Iterator

from sqlalchemy.orm import Session

from aquila.interface.queries import QueriedParty, QueriedPartyState
from aquila.interface.rounds import Awaited, SubmissionState
from aquila.protocol.rounds.round_state import ColumnKey
from aquila.protocol.rounds.verified_round import Round
from services.node.context import Signer
from services.node.rounds import progress
from services.node.rounds.party_answers import answer_state, party_answers
from services.node.rounds.progress import Verified
from services.node.storage.tables import RoundRow, SubmissionRow


def queried_parties(
    session: Session, signer: Signer, round_: Round, row: RoundRow, query: SubmissionRow
) -> Iterator[QueriedParty]:
    """Yield the state of the answer of each other party of a round's manifest.

    Args:
        query: The query; one that was given up at this node is answered by nobody.
    """
    submission_id, failed = query.submission_id, query.state is SubmissionState.FAILED
    verified, never = progress.verified(session, round_), progress.never_come(session, round_, signer.code)
    known = {one.party: one for one in party_answers(session, signer, round_, row, submission_id)}
    for participant in round_.manifest.participants:
        party, awaited = participant.party, Awaited.NOTHING
        if party == signer.code:
            continue
        if not round_.manifest.may_match(party, signer.code):
            state = QueriedPartyState.NOT_COMPARED
        elif failed or (submission_id, party) in never:
            state = QueriedPartyState.NEVER
        elif party in known:
            state = QueriedPartyState(known[party].state.value)
        elif round_.participants:
            state = QueriedPartyState.LEFT_OUT
        else:
            state = QueriedPartyState(answer_state(signer, round_, row, submission_id).value)
        if state is QueriedPartyState.AWAITED:
            awaited = _awaited(round_, signer.code, party, submission_id, verified)
        since = known[party].since if party in known and not failed else None
        yield QueriedParty(party=party, state=state, since=since, awaited=awaited)


def _awaited(round_: Round, code: str, party: str, submission_id: str, verified: Verified) -> Awaited:
    """Return the first step of a party that the answer rests on and that is known to be missing."""
    own = round_.list_of(party)
    if own is None:
        return Awaited.LIST
    sent = round_.submissions.get(submission_id)
    if sent is None or verified[submission_id, party] < len(sent.chunks):
        return Awaited.EVALUATIONS
    return Awaited.NOTHING if ColumnKey(own, code) in round_.tokens else Awaited.TOKENS
