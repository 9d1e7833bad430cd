"""Facts of the matcher's reports: expected chance hits, and the weights by which a hit was graded."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.interface.hits import WeightView
from aquila.interface.rounds import ChanceView
from aquila.matching.certainty import CENTIBITS
from aquila.matching.weights import strangers_bits, weights_of
from aquila.protocol.messages import HitReport, StatementKind
from aquila.protocol.rounds.exchange import grading_basis_on, signed_sizes
from aquila.protocol.rounds.verified_round import Round
from aquila.records.rules import mask_of
from services.node.context import NodeContext
from services.node.hits.notes import CONFIRMED, state_of
from services.node.round_memory import ReportFacts
from services.node.rounds import statements
from services.node.storage.tables import ExchangeRow, HitRow, StatementRow


def chances(node: NodeContext, session: Session, round_: Round) -> Iterator[ChanceView]:
    """Yield the expected chance hits from this node's reports, for the lists first."""
    for facts in _facts(node, session, round_):
        yield from facts.chances


def weights(
    node: NodeContext, session: Session, round_: Round, hit: HitRow, exchange: ExchangeRow | None
) -> tuple[tuple[WeightView, ...], int | None]:
    """Return the weights by which a confirmed hit was graded, and how many pairs of strangers agree like it.

    Returns:
        No weights and None where its rules or its report are not known; the number as hundredths of its log2.
    """
    rules, table = (exchange.rules if exchange else None) or (), node.table_of(round_.manifest)
    if state_of(exchange) != CONFIRMED or not {*rules} <= {rule.number for rule in table.rules}:
        return (), None
    every = [facts for facts in _facts(node, session, round_) if facts.query == hit.submission_id]
    for facts in every:
        if hit.counterpart in facts.bases and rules:
            mask, basis = mask_of(rules), facts.bases[hit.counterpart]
            second = any(hit.hit_id in page.second for page in every)  # which page of the report has it
            found = weights_of(table, mask, basis, second=second)
            return tuple(
                WeightView(
                    kind=one.kind, sentence=one.sentence, centibits=round(CENTIBITS * one.bits), differs=one.differs
                )
                for one in found
            ), round(CENTIBITS * strangers_bits(table, mask, basis))
    return (), None


def _facts(node: NodeContext, session: Session, round_: Round) -> Iterator[ReportFacts]:
    """Yield the facts of this node's reports, for the lists first; each is read once, and kept in memory."""
    round_id = round_.round_id
    known = node.rounds.of(round_id).reports
    mine = StatementRow.round_id == round_id, StatementRow.kind == StatementKind.HIT_REPORT.value
    for digest in session.scalars(select(StatementRow.digest).where(*mine).order_by(StatementRow.event_id)).all():
        if digest not in known:
            known[digest] = _read(node, round_, session.get_one(StatementRow, (round_id, digest)).envelope)
        yield known[digest]


def _read(node: NodeContext, round_: Round, envelope: bytes) -> ReportFacts:
    report = statements.message_of(statements.open_statement(node.registry, envelope))
    if not isinstance(report, HitReport) or report.party != node.code:
        return ReportFacts()
    sizes = signed_sizes(round_, report)
    return ReportFacts(
        query=report.submission_id,
        chances=tuple(_chances(report)) if report.is_complete else (),  # each page says the same
        bases={
            one.counterpart: grading_basis_on(one, sizes[report.party], sizes[one.counterpart]) for one in report.bases
        },
        second=frozenset(hit.hit_id for hit in report.hits if hit.second),
    )


def _chances(report: HitReport) -> Iterator[ChanceView]:
    for basis in report.bases:
        yield ChanceView(
            counterpart=basis.counterpart, submission_id=report.submission_id, chance_hits=basis.chance_hits
        )
