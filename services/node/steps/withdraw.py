"""Statements of this node after its hits: withdrawals, acknowledgements, outcomes, follow-ups (PROTOCOL.md 3.11).

It says so whether the round goes on or has ended, once the feed was read to its end; the outbox sends it.

A withdrawal names hits by id and goes to the counterpart. The owner of a list knows of a query's hits before the asker
does, so a withdrawal of such a hit waits until the asker has shown that it has its report, which its notes do (3.7.7
and 3.11.1). Until then, no output of this node reveals these hits.
"""

from collections.abc import Collection
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.followup.lifecycle import HOUR, Ground
from aquila.protocol.messages import MOST_WITHDRAWN, HitReport, StatementKind
from aquila.protocol.registry import Registry
from aquila.protocol.rounds.corrections import kept_until
from aquila.protocol.rounds.round_state import ReportKey
from aquila.protocol.rounds.verified_round import Round
from services.kit.logging import Log
from services.node.context import Clock, NodeContext, Signer
from services.node.hits.notes import outcomes_of
from services.node.round_memory import round_row
from services.node.rounds import statements
from services.node.rounds.own_reports import held_back
from services.node.steps import follow_ups
from services.node.storage.tables import ProblemRow, StatementRow, WithdrawalRow

_LOG = Log("node.correct")


def _is_due(session: Session, clock: Clock, outcome_hours: int, round_id: str) -> bool:
    """Return whether such a statement is due in a round."""
    lost = ProblemRow.round_id == round_id, ProblemRow.place == statements.LOST
    if session.scalar(select(ProblemRow.place).where(*lost)) is not None:
        return False  # nobody would take it
    waits = WithdrawalRow.round_id == round_id, WithdrawalRow.is_unsigned() | WithdrawalRow.is_unanswered()
    if session.scalar(select(WithdrawalRow.withdrawal_id).where(*waits).limit(1)) is not None:
        return True
    row = round_row(session, round_id)
    if row.follow_ups_at is not None and row.follow_ups_at <= clock():
        return True
    return row.outcomes_changed_at is not None and row.outcomes_changed_at <= clock() - outcome_hours * HOUR


def send_corrections(node: NodeContext, round_id: str) -> bool:
    """Sign the statements now due after hits of a round, and return whether there were any."""
    with node.store.reading("correct.due") as session:
        if not _is_due(session, node.clock, node.settings.outcome_hours, round_id):
            return False
    with node.rounds.of(round_id).reading() as round_, node.store.transaction("correct.sign") as session:
        # If we crash before the commit, nothing was signed; after it, the outbox sends what was.
        if node.clock() > kept_until(round_):
            row = round_row(session, round_id)
            row.outcomes_changed_at = row.follow_ups_at = None  # nobody would take it any more
            return False
        signed = [_withdraw(session, node.signer, round_), _acknowledge(session, node.signer, round_)]
        outcomes = _report_outcomes(session, node, round_)
        return any([*signed, outcomes, _tell_counterparts(session, node, round_, at_once=outcomes)])


def _tell_counterparts(session: Session, node: NodeContext, round_: Round, *, at_once: bool) -> bool:
    """Tell counterparts of hits, with the outcomes or when that is due by itself; return whether there was anything."""
    row = round_row(session, round_.round_id)
    if not at_once and (row.follow_ups_at is None or node.clock() < row.follow_ups_at):
        return False
    row.follow_ups_at = None
    return follow_ups.tell(session, node, round_)


def _withdraw(session: Session, signer: Signer, round_: Round) -> bool:
    """Sign the withdrawals that were asked for, one statement for each counterpart, ground and query.

    Those of a query whose asker may not have its report wait; where it never gets it, there is nothing to withdraw.
    """
    wanted = select(WithdrawalRow).where(WithdrawalRow.round_id == round_.round_id, WithdrawalRow.is_unsigned())
    rows = session.scalars(wanted).all()
    queries = (
        queries_of(session, signer.code, signer.registry, round_.round_id, {row.hit_id for row in rows}) if rows else {}
    )
    held = held_back(session, round_.round_id)
    groups: dict[tuple[str, str, str], list[WithdrawalRow]] = {}
    for row in rows:
        query = queries.get(row.hit_id, "")
        if is_never_disclosed(signer.code, round_, query, held):
            session.delete(row)
        elif not query or may_disclose(signer.clock, signer.code, round_, query, held):
            groups.setdefault((row.counterpart, row.ground, query), []).append(row)
    for (counterpart, ground, query), together in sorted(groups.items()):
        for first in range(0, len(together), MOST_WITHDRAWN):
            part = together[first : first + MOST_WITHDRAWN]
            terms = counterpart, [row.hit_id for row in part], Ground(ground), query or None
            statement = statements.sign(session, signer, round_, signer.party.withdraw, *terms)
            for row in part:
                row.digest = statement.digest
            _LOG.info("withdrawal_signed", round=round_.round_id, counterpart=counterpart, count=len(part))
    return bool(groups)


def _acknowledge(session: Session, signer: Signer, round_: Round) -> bool:
    """Sign that the hits of counterparts' withdrawals are marked here, and return whether there was one."""
    query = select(WithdrawalRow).where(WithdrawalRow.round_id == round_.round_id, WithdrawalRow.is_unanswered())
    rows = session.scalars(query.order_by(WithdrawalRow.digest)).all()
    for digest, group in groupby(rows, key=lambda row: row.digest or ""):
        marked = list(group)
        known, erased = sum(row.known for row in marked), all(row.ground == Ground.ERASED for row in marked)
        statements.sign(session, signer, round_, signer.party.acknowledge, digest, known, erased=erased)
        for row in marked:
            row.acknowledged_at = signer.clock()
    return bool(rows)


def _report_outcomes(session: Session, node: NodeContext, round_: Round) -> bool:
    """Sign what came of the hits so far, some hours after the first change; return whether it was time.

    One statement tells of many. It leaves out hits of a report that an alarm of this node holds back.
    """
    row = round_row(session, round_.round_id)
    if row.outcomes_changed_at is None or node.clock() < row.outcomes_changed_at + node.settings.outcome_hours * HOUR:
        return False
    pairs = outcomes_of(session, round_.round_id, held_back(session, round_.round_id))
    statements.sign(session, node.signer, round_, node.party.report_outcomes, pairs)
    row.outcomes_changed_at = None
    _LOG.info("outcomes_signed", round=round_.round_id)
    return True


def queries_of(session: Session, code: str, registry: Registry, round_id: str, hits: Collection[str]) -> dict[str, str]:
    """Return the query of each of these hits that is a query's, by hit id; the hits may be erased."""
    reports = select(StatementRow.envelope).where(
        StatementRow.round_id == round_id, StatementRow.kind == StatementKind.HIT_REPORT.value
    )
    found: dict[str, str] = {}
    for envelope in session.scalars(reports):
        report = statements.message_of(statements.open_statement(registry, envelope))
        if isinstance(report, HitReport) and report.party == code and report.submission_id is not None:
            found |= {hit.hit_id: report.submission_id for hit in report.hits if hit.hit_id in hits}
    return found


def may_disclose(clock: Clock, code: str, round_: Round, query: str, held: Collection[str]) -> bool:
    """Return whether the asker of a query may learn of its hits.

    Where its notes never come, the matcher decides once their time is over: it alone knows whether the asker has its
    report, and refuses the withdrawal where it has not.
    """
    submission = round_.submissions.get(query)
    if submission is None or submission.party == code:
        return True
    if ReportKey(submission.party, code, query) in round_.batches:
        return True
    return query not in held and clock() > round_.notes_expire


def is_never_disclosed(code: str, round_: Round, query: str, held: Collection[str]) -> bool:
    """Return whether the asker of a query never learns of its hits here.

    The round ended under the alarm, or this party refused its answer.
    """
    if query not in held:
        return False
    return round_.ending is not None or round_.is_refused(ReportKey(code, round_.submissions[query].party, query))
