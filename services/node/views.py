"""What the operator sees: rounds, submissions and hits as this node knows them."""

from __future__ import annotations

import hashlib
import json
from math import ceil
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from aquila.audit.entries import Entry, EntryKind, Word
from aquila.audit.roles import Action
from aquila.errors import LogRewrittenError, ReplayError
from aquila.matching.certainty import CENTIBITS
from aquila.protocol.canaries import drift_of, footing_of
from aquila.protocol.messages import HitReport, Kind
from aquila.protocol.messages.progress_views import Progress
from aquila.protocol.messages.views import (
    AnswerState,
    ChanceView,
    Hits,
    NodeRoundView,
    NodeStatus,
    OwnHit,
    RoundEntry,
    Rounds,
    SubmissionView,
)
from services.kit.audit_log import append, who
from services.kit.errors import PeerUnavailableError
from services.node import ledger, progress
from services.node.book import book_of, reading_round
from services.node.exchange_views import exchange_view
from services.node.hits.answers import answers, awaited_steps
from services.node.tables import (
    ChunkRow,
    ExchangeRow,
    HitRow,
    ImportRow,
    ProblemRow,
    RecordRow,
    RoundRow,
    StatementRow,
    SubmissionRow,
)

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from aquila.protocol.messages import Manifest
    from aquila.protocol.rounds import Round
    from aquila.records.rules import RuleTable
    from services.kit.people import Actor
    from services.node.node import Node

_NAMED_HITS = 32
_WISHES = ("consent", "close", "abort")


def status(node: Node, version: str) -> NodeStatus:
    """Return the node at a glance."""
    obstacle, contact = node.contact.obstacle, node.contact
    difference = contact.clock_difference
    if isinstance(obstacle, ReplayError) and "matcher_time" in obstacle.fields:
        difference = int(obstacle.fields["matcher_time"]) - node.clock()
    return NodeStatus(
        party=node.code,
        version=version,
        identity_fingerprint=node.party.identity.public.fingerprint,
        matcher_url=node.peer.url,
        matcher_reachable=contact.reachable and not isinstance(obstacle, PeerUnavailableError),
        clock_difference=difference,
        log_alarm=str(obstacle) if isinstance(obstacle, LogRewrittenError) else "",
        obstacle=str(obstacle) if obstacle else "",
        group=node.group.name,
    )


def rounds(node: Node) -> Rounds:
    """Return the rounds that the node knows, newest first."""
    query = select(RoundRow).order_by(RoundRow.discovered_at.desc(), RoundRow.round_id)
    with node.store.reading("rounds.list") as session:
        rows = list(session.scalars(query))
    found = []
    for row in rows:
        with reading_round(node, row.round_id) as round_:
            found.append(_entry(round_.manifest, row))
    return Rounds(rounds=tuple(found))


def round_view(node: Node, round_id: str) -> NodeRoundView:
    """Return one round.

    Raises:
        NotFoundError: The node knows no such round.
    """
    with reading_round(node, round_id) as round_, node.store.reading("round.view") as session:
        row = ledger.round_row(session, round_id)
        submissions = session.scalars(
            select(SubmissionRow).where(SubmissionRow.round_id == round_id).order_by(SubmissionRow.submission_id)
        )
        verified = progress.verified(session, round_)
        return NodeRoundView(
            entry=_entry(round_.manifest, row),
            manifest=round_.manifest,
            manifest_digest=round_.manifest_digest,
            binding=round_.binding if round_.bindings else None,
            participants=round_.participants,
            consented=row.consent_digest is not None,
            parties=tuple(progress.parties(session, node, round_, verified)),
            submissions=tuple(_submission(session, node, round_, item, verified) for item in submissions),
            evaluated_for_others=progress.evaluated_for_others(session, node, round_),
            hits=_hits(session, round_id),
            keys_present=book_of(node, round_id).key_path.is_file(),
            wishes=_wishes(session, row),
            problems=_problems(session, row),
        )


def hits(node: Node, actor: Actor, round_id: str) -> Hits:
    """Return the hits of a round, each beside the node's own record: a consultation, which the log holds.

    Raises:
        NotFoundError: The node knows no such round.
    """
    with reading_round(node, round_id) as round_, node.store.transaction("round.hits") as session:
        table = node.table_of(round_.manifest)
        query = (
            select(HitRow, RecordRow.content, ExchangeRow)
            .outerjoin(RecordRow, (RecordRow.import_id == HitRow.import_id) & (RecordRow.position == HitRow.position))
            .outerjoin(ExchangeRow, (ExchangeRow.round_id == HitRow.round_id) & (ExchangeRow.hit_id == HitRow.hit_id))
        )
        order = HitRow.counterpart, HitRow.record_id, HitRow.hit_id
        found = session.execute(query.where(HitRow.round_id == round_id, ~HitRow.canary).order_by(*order)).all()
        append(session, consultation(node, actor, round_id, [row.hit_id for row, *_ in found]))
        row = ledger.round_row(session, round_id)
        answered = tuple(answers(session, node.code, round_, row))
        awaits = any(answer.state is AnswerState.AWAITED for answer in answered)
        return Hits(
            round_id=round_id,
            phase=row.phase,
            answers=answered,
            awaited=tuple(awaited_steps(session, node, round_)) if awaits else (),
            hits=tuple(_own_hit(*one, table) for one in found),
            chance=tuple(chances(node, session, round_)),
            problems=_problems(session, row),
        )


def consultation(node: Node, actor: Actor, round_id: str, hit_ids: list[str]) -> Entry:
    """Return the entry of a look at hits: their number, a digest over all of their ids, and the ids where they are few.

    Args:
        node: The node.
        actor: Who looks.
        round_id: In which round.
        hit_ids: At which hits.
    """
    ids = {f"hit_{number}": hit_id for number, hit_id in enumerate(sorted(hit_ids), start=1)}
    return Entry.of(
        EntryKind.CONSULTATION, node.clock(), node.code, round=round_id, counts={"hits": len(hit_ids)},
        digests={"hits": hashlib.sha256("".join(sorted(hit_ids)).encode()).hexdigest()},
        ids={"of": Word.HITS} | (ids if len(ids) <= _NAMED_HITS else {}), **who(actor, Action.SEE_HITS),
    )  # fmt: skip


def chances(node: Node, session: Session, round_: Round) -> Iterator[ChanceView]:
    """Yield what the reports for this node say of chance, for the lists first.

    A report is one message with all its hits: it is read once, and what it says of chance is kept in the book.
    """
    round_id = round_.round_id
    known = book_of(node, round_id).chances
    mine = StatementRow.round_id == round_id, StatementRow.kind == "hitreport"
    for digest in session.scalars(select(StatementRow.digest).where(*mine).order_by(StatementRow.event_id)).all():
        if digest not in known:
            known[digest] = tuple(_chances_in(node, round_, session.get_one(StatementRow, (round_id, digest)).envelope))
        yield from known[digest]


def _chances_in(node: Node, round_: Round, envelope: bytes) -> Iterator[ChanceView]:
    report = ledger.message_of(ledger.opened(node, envelope))
    if isinstance(report, HitReport) and report.party == node.code:
        for basis, drift in zip(report.bases, _drifts(node, round_, report), strict=True):
            if basis.chance_hits is not None:  # reports of the first versions say nothing of chance
                yield ChanceView(
                    counterpart=basis.counterpart, submission_id=report.submission_id, chance_hits=basis.chance_hits,
                    drift_centibits=drift,
                )  # fmt: skip


def _drifts(node: Node, round_: Round, report: HitReport) -> list[int]:
    """Return for each counterpart of a report how far canaries can move its hits; only lists carry any."""
    own = round_.list_of(node.code)
    if own is None or report.submission_id is not None or not round_.manifest.canaries:
        return [0] * len(report.bases)
    records = round_.submissions[own].records
    footings = [footing for basis in report.bases if (footing := footing_of(report, basis.counterpart, records))]
    pairs = sum(1 for pair in round_.manifest.pairs if set(pair) <= set(round_.participants))
    bits = drift_of(node.table_of(round_.manifest), footings, round_.manifest.canaries, pairs)
    return [ceil(CENTIBITS * one) for one in bits]


def _own_hit(row: HitRow, content: bytes | None, exchange: ExchangeRow | None, table: RuleTable) -> OwnHit:
    words, record = dict(table.families), json.loads(content) if content else {}
    return OwnHit(
        hit_id=row.hit_id,
        counterpart=row.counterpart,
        certainty=row.certainty,
        families=tuple(row.families),
        sentences=tuple(words.get(family, family) for family in row.families),
        record_id=row.record_id,
        record=record,
        submission_id=row.submission_id,
        exchange=exchange_view(exchange, record, table),
    )


def _entry(manifest: Manifest, row: RoundRow) -> RoundEntry:
    return RoundEntry(
        round_id=row.round_id,
        phase=row.phase,
        area=manifest.area,
        category=manifest.category,
        participants=tuple(participant.party for participant in manifest.participants),
    )


def _submission(
    session: Session, node: Node, round_: Round, row: SubmissionRow, verified: Counter[tuple[str, str]]
) -> SubmissionView:
    mine = ChunkRow.submission_id == row.submission_id
    chunks = _count(session, mine)
    evaluators = progress.evaluators(round_, row.submission_id)
    evaluated = sum(verified[row.submission_id, party] for party in evaluators)
    names = {str(rule.number): rule.name for rule in node.table_of(round_.manifest).rules}
    return SubmissionView(
        submission_id=row.submission_id,
        kind=Kind(row.kind),
        import_id=row.import_id,
        state=row.state,
        records=row.records
        or session.scalar(select(ImportRow.records).where(ImportRow.import_id == row.import_id))
        or 0,
        elements=session.scalar(select(func.coalesce(func.sum(ChunkRow.elements), 0)).where(mine)) or 0,
        prepared=Progress(done=row.prepared, of=row.batches),
        sent=Progress(done=_count(session, mine & ChunkRow.sent), of=chunks),
        evaluated=Progress(done=evaluated, of=chunks * len(evaluators)),
        tokens_sent=Progress(done=_count(session, mine & ChunkRow.tokens_sent), of=chunks),
        held_back={names.get(rule, rule): count for rule, count in row.held_back.items()},
    )


def _hits(session: Session, round_id: str) -> int | None:
    """Return the number of hits, or None before a report came."""
    receipts = select(func.count()).where(
        StatementRow.round_id == round_id, StatementRow.own, StatementRow.kind == "receipt"
    )
    if not session.scalar(receipts):
        return None
    return _count(session, (HitRow.round_id == round_id) & ~HitRow.canary)


def _problems(session: Session, row: RoundRow) -> tuple[str, ...]:
    """Return what stops a round, each sentence once."""
    found = select(ProblemRow.sentence).where(ProblemRow.round_id == row.round_id).order_by(ProblemRow.noted_at)
    return tuple(dict.fromkeys([*session.scalars(found), *([row.refused] if row.refused else [])]))


def _wishes(session: Session, row: RoundRow) -> tuple[str, ...]:
    if row.state == "destroyed":
        return ()
    waiting = select(SubmissionRow.kind).where(
        SubmissionRow.round_id == row.round_id, SubmissionRow.state.in_(["wished", "preparing"])
    )
    asked = (row.consent_wished and row.consent_digest is None, row.close_wished, row.abort_reason is not None)
    wishes = [wish for wish, wished in zip(_WISHES, asked, strict=True) if wished]
    return (*wishes, *(f"submit {kind}" for kind in session.scalars(waiting)))


def _count(session: Session, where: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).where(where)) or 0
