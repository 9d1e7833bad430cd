"""Operators' views: rounds, submissions and hits as this node knows them."""

from collections import Counter

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import Session

from aquila.errors import LogRewrittenError, ReplayError
from aquila.interface import rounds as forms
from aquila.interface.sentence import SentenceView
from aquila.protocol.messages import Kind, StatementKind
from aquila.protocol.registration.templates import template_of
from aquila.protocol.rounds.round_state import ENDED_PHASES
from aquila.protocol.rounds.verified_round import Round
from aquila.sentences.sentence import loads
from services.kit.errors import PeerUnavailableError
from services.kit.storage.store import Store
from services.node.context import NodeContext
from services.node.round_memory import round_row
from services.node.rounds import party_answers, progress
from services.node.rounds.attention import stored_manifest
from services.node.rounds.requests import is_consent_due
from services.node.storage.states import UNSIGNED, LocalRoundState
from services.node.storage.tables import (
    ChunkRow,
    HitRow,
    ImportRow,
    ProblemRow,
    RoundRow,
    StatementRow,
    SubmissionRow,
    TokenPartRow,
)

_WISHES = ("consent", "close", "abort")


def status(node: NodeContext, version: str) -> forms.NodeStatus:
    obstacle, contact = node.contact.obstacle, node.contact
    return forms.NodeStatus(
        party=node.code,
        version=version,
        identity_fingerprint=node.party.identity.public.fingerprint,
        matcher_url=node.peer.url,
        matcher_reachable=contact.reachable and not isinstance(obstacle, PeerUnavailableError),
        clock_difference=clock_difference(node),
        log_alarm=str(obstacle) if isinstance(obstacle, LogRewrittenError) else "",
        obstacle=str(obstacle) if obstacle else "",
        group=node.group.name,
    )


def clock_difference(node: NodeContext) -> int | None:
    """Return by how many seconds the matcher's clock is ahead, or None before it was compared."""
    obstacle = node.contact.obstacle
    if isinstance(obstacle, ReplayError) and "matcher_time" in obstacle.fields:
        return int(obstacle.fields["matcher_time"]) - node.clock()
    return node.contact.clock_difference


def rounds(store: Store, offset: int = 0, limit: int | None = None, *, ongoing: bool = False) -> forms.RoundPage:
    """Return rounds that the node knows, newest first; only their rows and manifests are read."""
    wanted = RoundRow.phase.not_in(ENDED_PHASES) if ongoing else true()
    query = select(RoundRow).where(wanted).order_by(RoundRow.discovered_at.desc(), RoundRow.round_id)
    with store.reading("rounds.list") as session:
        total = session.scalar(select(func.count()).select_from(RoundRow).where(wanted)) or 0
        rows = session.scalars(query.offset(offset).limit(limit))
        return forms.RoundPage(
            rounds=tuple(forms.RoundSummary.of(stored_manifest(row), row.phase) for row in rows),
            offset=offset,
            total=total,
        )


def round_view(node: NodeContext, round_id: str) -> forms.NodeRoundView:
    """Return one round; raises NotFoundError if the node knows no such round."""
    with node.rounds.reading(round_id) as round_, node.store.reading("round.view") as session:
        row = round_row(session, round_id)
        submissions = session.scalars(
            select(SubmissionRow).where(SubmissionRow.round_id == round_id).order_by(SubmissionRow.submission_id)
        )
        verified = progress.verified(session, round_)
        return forms.NodeRoundView.of_fields(
            round_,
            entry=forms.RoundSummary.of(round_.manifest, row.phase),
            binding=round_.binding or None,
            consented=row.consent_digest is not None,
            parties=tuple(progress.parties(session, node.code, round_, verified, node.clock())),
            submissions=tuple(_submission(session, node, round_, row, item, verified) for item in submissions),
            evaluated_for_others=progress.evaluated_for_others(session, node.code, round_),
            hits=_hits(session, round_id),
            keys_present=node.rounds.of(round_id).key_path.is_file(),
            wishes=_wishes(session, row),
            problems=problems(session, row),
            template=template_of(round_.manifest, node.templates),
        )


def _answers(
    session: Session, node: NodeContext, round_: Round, round_row_: RoundRow, row: SubmissionRow
) -> tuple[forms.PartyAnswer, ...]:
    """Return the state of each party's answer to a submission, once others can answer it."""
    if not any(one == row.submission_id for one, _ in round_.tokens):
        return ()
    query = row.submission_id if row.kind == Kind.QUERY else None
    return party_answers.party_answers(session, node.signer, round_, round_row_, query)


def _submission(
    session: Session,
    node: NodeContext,
    round_: Round,
    round_row_: RoundRow,
    row: SubmissionRow,
    verified: Counter[tuple[str, str]],
) -> forms.SubmissionView:
    mine = ChunkRow.submission_id == row.submission_id
    chunks = _count(session, mine)
    evaluators = progress.evaluators(round_, row.submission_id)
    evaluated = sum(verified[row.submission_id, party] for party in evaluators)
    sent = select(func.count()).where(
        TokenPartRow.submission_id == row.submission_id, TokenPartRow.is_rows, TokenPartRow.sent
    )
    names = {str(rule.number): rule.name for rule in node.table_of(round_.manifest).rules}
    list_ = session.get(ImportRow, row.import_id)
    return forms.SubmissionView(
        submission_id=row.submission_id,
        kind=Kind(row.kind),
        import_id=row.import_id,
        state=row.state.value,
        name=list_.name if list_ else "",
        records=row.records or (list_.records if list_ else 0),
        elements=session.scalar(select(func.coalesce(func.sum(ChunkRow.elements), 0)).where(mine)) or 0,
        prepared=forms.Progress(done=row.prepared, of=row.batches),
        sent=forms.Progress(done=_count(session, mine & ChunkRow.sent), of=chunks),
        evaluated=forms.Progress(done=evaluated, of=chunks * len(evaluators)),
        tokens_sent=forms.Progress(done=session.scalar(sent) or 0, of=chunks * len(evaluators)),
        held_back={names.get(rule, rule): count for rule, count in row.held_back.items()},
        answers=_answers(session, node, round_, round_row_, row),
    )


def _hits(session: Session, round_id: str) -> int | None:
    """Return the number of hits, or None before a report came."""
    receipts = select(func.count()).where(
        StatementRow.round_id == round_id, StatementRow.own, StatementRow.kind == StatementKind.RECEIPT.value
    )
    if not session.scalar(receipts):
        return None
    return _count(session, HitRow.round_id == round_id)


def problems(session: Session, row: RoundRow) -> tuple[SentenceView, ...]:
    """Return the problems that stop a round, each once."""
    found = select(ProblemRow.sentence).where(ProblemRow.round_id == row.round_id).order_by(ProblemRow.noted_at)
    every = dict.fromkeys([*session.scalars(found), *([row.refused] if row.refused else [])])
    return tuple(SentenceView.of(loads(sentence)) for sentence in every)


def _wishes(session: Session, row: RoundRow) -> tuple[str, ...]:
    if row.state == LocalRoundState.DESTROYED:
        return ()
    waiting = select(SubmissionRow.kind).where(
        SubmissionRow.round_id == row.round_id, SubmissionRow.state.in_(UNSIGNED)
    )
    asked = (is_consent_due(row), row.close_wished, row.abort_reason is not None)
    wishes = [wish for wish, wished in zip(_WISHES, asked, strict=True) if wished]
    return (*wishes, *(f"submit {kind}" for kind in session.scalars(waiting)))


def _count(session: Session, where: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).where(where)) or 0
