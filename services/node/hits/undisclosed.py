"""Hits of queries whose asker may not have its report yet: until then, no output of this node reveals them.

A withdrawal names hits by id and goes to the counterpart. The owner of a list knows of a query's hits before the asker
does, so a withdrawal of such a hit waits until the asker has shown that it has its report, which its notes do
(PROTOCOL.md 3.7.7 and 3.11.1).
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.protocol.messages import HitReport, StatementKind
from aquila.protocol.registry import Registry
from aquila.protocol.rounds.round_state import ReportKey
from aquila.protocol.rounds.verified_round import Round
from services.node.context import Clock
from services.node.rounds import statements
from services.node.storage.tables import StatementRow


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
    if ReportKey(submission.party, query) in round_.batches:
        return True
    return query not in held and clock() > round_.notes_expire


def is_never_disclosed(code: str, round_: Round, query: str, held: Collection[str]) -> bool:
    """Return whether the asker of a query never learns of its hits here.

    The round ended under the alarm, or this party refused its answer.
    """
    return query in held and (round_.ending is not None or round_.has_refused(code, query))
