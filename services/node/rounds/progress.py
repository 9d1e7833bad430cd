"""Progress of a round by party, from the node's verified state, and the pending steps of each."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from aquila.interface.rounds import Awaited, PartyAtNode, Progress
from aquila.protocol.messages import Kind
from aquila.protocol.registry import MATCHER
from aquila.protocol.rounds.round_state import ColumnKey, Phase, ReportKey
from aquila.protocol.rounds.rules import missing_evaluations
from aquila.protocol.rounds.verified_round import Round
from services.kit.rounds import party_status
from services.kit.serving.health.checks import DUE_SINCE
from services.node.rounds import statements
from services.node.rounds.requests import submit_until
from services.node.storage.states import VERIFIED, EvaluationDownloadState
from services.node.storage.tables import EvaluationDownloadRow, EvaluationRow, StatementRow, TokenPartRow

Verified = Counter[tuple[str, str]]


def evaluated_for_others(session: Session, code: str, round_: Round) -> Progress:
    """Return how many chunks of the others this node has evaluated and sent."""
    counterparts = set(round_.counterparts_of(code)) - statements.unusable_locks(session, round_.round_id)
    others = [submission for submission in round_.submissions.values() if submission.party in counterparts]
    query = select(func.count()).select_from(EvaluationRow)
    done = session.scalar(query.where(EvaluationRow.round_id == round_.round_id, EvaluationRow.sent)) or 0
    return Progress(done=done, of=max(done, sum(len(submission.chunks) for submission in others)))


def verified(session: Session, round_: Round) -> Verified:
    """Return how many chunks of this node came back evaluated and were verified, by submission and evaluator.

    A chunk with tokens for a party was verified, and what told so may be gone already.
    """
    of = EvaluationDownloadRow.submission_id, EvaluationDownloadRow.party
    query = select(*of, func.count()).where(
        EvaluationDownloadRow.round_id == round_.round_id, EvaluationDownloadRow.state.in_(VERIFIED)
    )
    made = TokenPartRow.submission_id, TokenPartRow.counterpart
    rows = select(*made, func.count()).where(TokenPartRow.round_id == round_.round_id, TokenPartRow.is_rows)
    counts = (query.group_by(*of), rows.group_by(*made))
    verified_, with_tokens = (
        Counter({(submission, party): count for submission, party, count in session.execute(one)}) for one in counts
    )
    return verified_ | with_tokens


def evaluators(round_: Round, submission_id: str) -> tuple[str, ...]:
    """Return the evaluators of a submission of this node; none while it is not signed."""
    return round_.evaluators_of(submission_id) if submission_id in round_.submissions else ()


def never_come(session: Session, round_: Round, code: str) -> set[tuple[str, str]]:
    """Return the own submissions that cannot be compared with a party, with this party.

    It evaluated a chunk wrongly, or its half of the lock does not open.
    """
    key = EvaluationDownloadRow.submission_id, EvaluationDownloadRow.party
    failed = EvaluationDownloadRow.state == EvaluationDownloadState.FAILED
    found = select(*key).where(EvaluationDownloadRow.round_id == round_.round_id, failed).distinct()
    unusable = statements.unusable_locks(session, round_.round_id)
    own = [submission_id for submission_id, one in round_.submissions.items() if one.party == code]
    return {(one, party) for one, party in session.execute(found)} | {(one, party) for one in own for party in unusable}


def parties(session: Session, code: str, round_: Round, known: Verified, now: int) -> Iterator[PartyAtNode]:
    """Yield the progress of each party of the manifest, as far as this node knows; `known` is of `verified`."""
    own = {i: len(one.chunks) for i, one in round_.submissions.items() if one.party == code}
    never, newest = never_come(session, round_, code), _newest(session, round_)
    over = {party for submission_id, party in never if submission_id == round_.list_of(code)}
    for participant in round_.manifest.participants:
        party = participant.party
        reports = _reports(round_, code, party, now)
        counted = [i for i in own if party in round_.counterparts_of(code) and (i, party) not in never]
        evaluated = Progress(done=sum(known[i, party] for i in counted), of=sum(own[i] for i in counted))
        if party == code:
            evaluated = evaluated_for_others(session, code, round_)
        awaited = Awaited.NOTHING if party in over else _awaited(round_, reports, party, evaluated, never)
        yield _standing(round_, reports, party, evaluated, awaited, _since(newest, awaited, code, party))


def _newest(session: Session, round_: Round) -> dict[tuple[str, str], int]:
    """Return by party and kind when the newest statement came here."""
    of = StatementRow.party, StatementRow.kind
    newest = select(*of, func.max(StatementRow.taken_at)).where(StatementRow.round_id == round_.round_id).group_by(*of)
    return {(party, kind): at for party, kind, at in session.execute(newest) if at is not None}


def _since(newest: Mapping[tuple[str, str], int], awaited: Awaited, code: str, party: str) -> int | None:
    """Return since when a step of a party is due: since the newest statement of those that it follows.

    They are of this node, the party and the matcher; evaluations follow submissions of this node alone, and what is due
    from this node those of everybody.
    """
    signers = {code, MATCHER} if awaited is Awaited.EVALUATIONS else {code, party, MATCHER}
    found = (
        at
        for (signer, kind), at in newest.items()
        if kind in DUE_SINCE[awaited] and (party == code or signer in signers)
    )
    return max(found, default=None)


def awaits_report(round_: Round, code: str) -> bool:
    """Return whether a report of the own list is to come from the matcher: both columns of the pair are there."""
    return any(round_.can_be_joined(one) and one not in round_.reports for one in round_.list_reports(code))


def _standing(
    round_: Round, reports: Sequence[ReportKey], party: str, evaluated: Progress, awaited: Awaited, since: int | None
) -> PartyAtNode:
    columns = [
        ColumnKey(submission_id, report.counterpart)
        for submission_id, one in round_.submissions.items()
        for report in reports
        if one.party == party
    ]
    return PartyAtNode(
        **party_status(round_, party),
        evaluated=evaluated,
        tokens=Progress(done=sum(column in round_.tokens for column in columns), of=len(columns)),
        has_hits=bool(reports) and all(_is_known(round_, report) for report in reports),
        awaited=awaited,
        since=since,
    )


def _reports(round_: Round, code: str, party: str, now: int) -> list[ReportKey]:
    """Return a party's reports of its list with this node, or all where it is this, of pairs that lack no list."""
    found = (report for report in round_.list_reports(party) if code in report[:2])
    return [report for report in found if not lacks_list(round_, report, now)]


def _is_known(round_: Round, report: ReportKey) -> bool:
    """Return whether a party has a report, by its receipt, or by what it can sign only with the report."""
    return report in round_.receipts or report in round_.checked or report in round_.batches


def lacks_list(round_: Round, report: ReportKey, now: int) -> bool:
    """Return whether a list of a report's pair did not come in time: the pair is over (PROTOCOL.md 3.8)."""
    return now > submit_until(round_.manifest, Kind.LIST) and any(round_.list_of(party) is None for party in report[:2])


def _awaited(
    round_: Round, reports: Sequence[ReportKey], party: str, evaluated: Progress, never: Collection[tuple[str, str]]
) -> Awaited:
    """Return the first thing that is due from a party, for any of its pairs with this node that are not over."""
    if round_.phase is Phase.PROPOSED:
        return Awaited.NOTHING if party in round_.consents else Awaited.CONSENT
    if not reports or round_.ending:
        return Awaited.NOTHING
    if round_.list_of(party) is None:
        return Awaited.LIST
    if evaluated.done < evaluated.of:
        return Awaited.EVALUATIONS
    if any(_owes_tokens(round_, report, never) for report in reports):
        return Awaited.TOKENS
    told = (report for report in reports if report in round_.reports or report.other_side in round_.reports)
    return Awaited.NOTHING if all(_is_known(round_, report) for report in told) else Awaited.RECEIPT


def _owes_tokens(round_: Round, report: ReportKey, never: Collection[tuple[str, str]]) -> bool:
    """Return whether a column of a report's party for its counterpart is due, of its list or of one of its queries."""
    return any(
        (submission_id, report.counterpart) not in round_.tokens
        and (submission_id, report.counterpart) not in never
        and not missing_evaluations(round_, submission_id, report.counterpart)
        and (one.kind is Kind.LIST or report in round_.checked)
        for submission_id, one in round_.submissions.items()
        if one.party == report.party and round_.list_of(report.counterpart) is not None
    )
