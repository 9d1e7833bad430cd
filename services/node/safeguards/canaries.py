"""Canaries of a round at this node: those in its list, its statements on them, and the results (PROTOCOL.md 3.7.12).

Which dummies carry them is sealed under the round key. What is told and judged stays, as counts for each pair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from aquila.audit.entries import Entry, EntryKind
from aquila.protocol import canaries as core
from aquila.protocol.messages import Kind
from aquila.protocol.submission_plan import carried_by
from aquila.sentences import Sentence
from services.kit.log import entries
from services.kit.logging import Log
from services.node.rounds import statements
from services.node.rounds.own_reports import own_reports, pages_of
from services.node.storage.tables import CanaryRow, SecretRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from aquila.protocol.canaries import Canary, PlantedCanary, Verdict
    from aquila.protocol.messages import HitReport, PairCanaries
    from aquila.protocol.rounds.verified_round import Round
    from services.kit.storage.store import Store
    from services.node.context import Journal, NodeContext, Signer
    from services.node.round_memory import PreparedSubmission, RoundMemories
    from services.node.storage.tables import SubmissionRow

_LOG = Log("node.canaries")
_NAME = "canaries"


def canaries_to_plant(node: NodeContext, round_: Round, kind: str) -> tuple[Canary, ...]:
    """Return the canaries that a submission of this node carries: a list all canaries of its pairs, a query none."""
    if kind != Kind.LIST:
        return ()
    exchange = node.rounds.of(round_.round_id).secrets().exchange
    return core.canaries_of(round_, node.table_of(round_.manifest), node.code, exchange)


def store_canaries(session: Session, rounds: RoundMemories, row: SubmissionRow, work: PreparedSubmission) -> None:
    """Seal what a list carries, with the statement that signs for it."""
    if work.plan.canaries:
        content = core.to_bytes(carried_by(work.seed, work.plan))
        statements.put_secret(session, row.round_id, _NAME, rounds.of(row.round_id).seal(_NAME, content))


def planted_canaries(store: Store, rounds: RoundMemories, round_id: str) -> tuple[PlantedCanary, ...]:
    """Return the canaries in this node's list; empty if it carries none.

    Raises:
        KeyMaterialError: The round key is missing.
    """
    with store.reading("canaries.carried") as session:
        row = session.get(SecretRow, (round_id, _NAME))
    return () if row is None else core.from_bytes(rounds.of(round_id).key().open(_NAME, row.sealed))


def due_canary_statements(node: NodeContext, round_: Round, report: HitReport) -> tuple[PairCanaries, ...]:
    """Return the canary statements due with this node's report of the lists; empty if there are none.

    Args:
        node: The node.
        round_: The record, which has not taken the report yet.
        report: The report, or its last page; the pages before it are stored.

    Raises:
        KeyMaterialError: The round key is missing.
    """
    if not round_.manifest.canaries or report.submission_id is not None:
        return ()
    exchange = node.rounds.of(round_.round_id).secrets().exchange
    carried = planted_canaries(node.store, node.rounds, round_.round_id)
    pages = [report]
    if report.page is not None:
        pages.insert(0, _own_report(node, round_.round_id, carried) or report)
    return core.canary_statement(round_, node.code, exchange, carried, core.report_of_canaries(pages, carried))


def store_canaries_of_node(session: Session, signer: Signer, round_: Round, pairs: tuple[PairCanaries, ...]) -> None:
    """Sign this node's canary statements, before its receipt, and store a row for each pair."""
    if not pairs:
        return
    session.add_all(
        CanaryRow(round_id=round_.round_id, counterpart=pair.counterpart, **pair.hits.model_dump()) for pair in pairs
    )
    statements.sign(
        session, signer, round_.round_id, lambda number: signer.party.declare_canaries(round_, number, pairs)
    )


def judge(node: NodeContext, round_id: str) -> bool:
    """Judge the canaries of every pair whose other side has disclosed them, and return whether there was one.

    Done before the round's end is looked at: what it takes goes with the round key.

    Raises:
        KeyMaterialError: The round key is missing.
    """
    memory = node.rounds.of(round_id)
    round_ = memory.record()
    if not node.has_rules_of(round_.manifest):
        return False
    told = {party: said for party, said in round_.canaries.items() if party != node.code}
    due = [] if told.keys() <= memory.judged else _due(node.store, round_id)
    pairs = sorted(told.keys() & set(due))
    if pairs:
        carried = planted_canaries(node.store, node.rounds, round_id)
        report = _own_report(node, round_id, carried)
        if report is None:
            return False
        table, exchange = node.table_of(round_.manifest), memory.secrets().exchange
        for counterpart in pairs:
            verdict = core.judge(round_, table, node.code, exchange, carried, report, told[counterpart])
            with node.store.transaction("canaries.judge") as session:
                _store_verdict(session, node.journal, round_id, counterpart, verdict)
    memory.judged |= told.keys()
    return bool(pairs)


def _due(store: Store, round_id: str) -> list[str]:
    """Return the counterparts whose canaries this node has disclosed and not yet judged."""
    query = select(CanaryRow.counterpart).where(CanaryRow.round_id == round_id, CanaryRow.judged_at.is_(None))
    with store.reading("canaries.due") as session:
        return list(session.scalars(query))


def _own_report(node: NodeContext, round_id: str, carried: Sequence[PlantedCanary]) -> HitReport | None:
    """Return of the report of the lists, or of its pages that came, the hits of canaries alone."""
    report = own_reports(node.store, node.registry, node.code, round_id).get("")
    return core.report_of_canaries(pages_of(node.store, node.registry, report), carried) if report else None


def _store_verdict(session: Session, journal: Journal, round_id: str, counterpart: str, verdict: Verdict) -> None:
    row = session.get_one(CanaryRow, (round_id, counterpart))
    row.expected, row.missing, row.wrong, row.differing = verdict
    row.judged_at = journal.clock()
    if verdict.trustworthy:
        return
    statements.report_problem(
        session, journal.clock, round_id, f"canaries {counterpart}", failure_message(journal.code, counterpart, verdict)
    )
    counts = {"expected": verdict.expected, "missing": verdict.missing, "wrong": verdict.wrong}
    entry = Entry.of(
        EntryKind.CANARIES_MISSING, journal.clock(), journal.code, round=round_id, recipient=counterpart,
        counts=counts | {"differing": int(verdict.differing)},
    )  # fmt: skip
    entries.append(session, entry)
    _LOG.error("canaries_missing", round=round_id, counterpart=counterpart, count=verdict.missing)


def failure_message(own: str, counterpart: str, verdict: Verdict) -> Sentence:
    """Return the operator's message about a pair whose canaries failed."""
    pair = "-".join(sorted((own, counterpart)))
    if verdict.missing:
        what = Sentence.of("canaries_missing", missing=verdict.missing, expected=verdict.expected)
    elif verdict.wrong:
        what = Sentence.of("canaries_of_other_certainty", wrong=verdict.wrong)
    elif not verdict.expected:
        what = Sentence.of("canaries_none_due")
    else:
        what = Sentence.of("canaries_differ")
    return Sentence.of("hits_not_trusted", pair=pair, what=what)
