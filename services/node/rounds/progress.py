"""Progress of a round by party, from the node's verified state, and the pending steps of each."""

from collections import Counter
from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from aquila.interface.rounds import Awaited, PartyAtNode, Progress
from aquila.protocol.rounds.round_state import Phase
from aquila.protocol.rounds.verified_round import Round
from services.kit.rounds import party_status
from services.node.storage.states import VERIFIED, WITH_TOKENS
from services.node.storage.tables import ChunkRow, EvaluationDownloadRow, EvaluationRow, SubmissionRow

Verified = Counter[tuple[str, str]]


def evaluated_for_others(session: Session, code: str, round_: Round) -> Progress:
    """Return how many chunks of the others this node has evaluated and sent."""
    counterparts = round_.counterparts_of(code)
    others = [submission for submission in round_.submissions.values() if submission.party in counterparts]
    query = select(func.count()).select_from(EvaluationRow)
    done = session.scalar(query.where(EvaluationRow.round_id == round_.round_id, EvaluationRow.sent)) or 0
    return Progress(done=done, of=max(done, sum(len(submission.chunks) for submission in others)))


def verified(session: Session, round_: Round) -> Verified:
    """Return how many chunks of this node came back evaluated and were verified, by submission and evaluator.

    Once a submission is finalized every evaluation of it was verified, and what told so may be gone already.
    """
    of = EvaluationDownloadRow.submission_id, EvaluationDownloadRow.party
    query = select(*of, func.count()).where(
        EvaluationDownloadRow.round_id == round_.round_id, EvaluationDownloadRow.state.in_(VERIFIED)
    )
    groups = query.group_by(*of)
    found = Counter({(submission, party): count for submission, party, count in session.execute(groups)})
    over = select(SubmissionRow.submission_id, func.count()).join(
        ChunkRow, ChunkRow.submission_id == SubmissionRow.submission_id
    )
    done = over.where(SubmissionRow.round_id == round_.round_id, SubmissionRow.state.in_(WITH_TOKENS))
    for submission_id, chunks in session.execute(done.group_by(SubmissionRow.submission_id)):
        if submission_id in round_.submissions:
            found.update(
                {(submission_id, p): chunks - found[submission_id, p] for p in evaluators(round_, submission_id)}
            )
    return found


def evaluators(round_: Round, submission_id: str) -> tuple[str, ...]:
    """Return the evaluators of a submission of this node; none while it is not signed."""
    return round_.evaluators_of(submission_id) if submission_id in round_.submissions else ()


def parties(session: Session, code: str, round_: Round, known: Verified) -> Iterator[PartyAtNode]:
    """Yield the progress of each party of the manifest, as far as this node knows; `known` is of `verified`."""
    own = {i: len(one.chunks) for i, one in round_.submissions.items() if one.party == code}
    for participant in round_.manifest.participants:
        party = participant.party
        if party == code:
            evaluated = evaluated_for_others(session, code, round_)
        else:
            of = sum(own.values()) if party in round_.counterparts_of(code) else 0
            evaluated = Progress(done=sum(known[i, party] for i in own), of=of)
        yield _standing(round_, party, evaluated)


def _standing(round_: Round, party: str, evaluated: Progress) -> PartyAtNode:
    made = [i for i, one in round_.submissions.items() if one.party == party]
    tokens = Progress(done=sum(i in round_.tokens for i in made), of=len(made))
    # It has a report by its receipt, or by a statement that it can sign only with the report.
    reports = round_.list_reports(party)
    has_hits = bool(reports) and all(
        report in round_.receipts or report in round_.checked or report in round_.batches for report in reports
    )
    return PartyAtNode(
        **party_status(round_, party),
        evaluated=evaluated,
        tokens=tokens,
        has_hits=has_hits,
        awaited=_awaited(round_, party, evaluated, tokens, has_hits=has_hits),
    )


def _awaited(round_: Round, party: str, evaluated: Progress, tokens: Progress, *, has_hits: bool | None) -> Awaited:
    """Return the first thing that is due from a party: marks of its list when all lists are in, then of its queries."""
    if round_.phase is Phase.PROPOSED:
        return Awaited.NOTHING if party in round_.consents else Awaited.CONSENT
    if party not in round_.participants or round_.ending:
        return Awaited.NOTHING
    own = round_.list_of(party)
    if own is None:
        return Awaited.LIST
    if evaluated.done < evaluated.of:
        return Awaited.EVALUATIONS
    reported = round_.phase is Phase.REPORTING
    everyone = all(round_.list_of(other) for other in round_.participants)
    if (everyone and own not in round_.tokens) or (reported and tokens.done < tokens.of):
        return Awaited.TOKENS
    return Awaited.RECEIPT if reported and has_hits is False else Awaited.NOTHING
