"""Reports of queries that are held for their askers until the owners of the lists have answered (PROTOCOL.md 3.7.4)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable

from sqlalchemy import delete

from aquila.protocol.matcher import parties_concerned, without_refused
from aquila.protocol.messages import HitReport
from aquila.protocol.rounds.round_state import ReportKey
from aquila.protocol.rounds.verified_round import Round
from services.matcher.context import MatcherContext
from services.matcher.round_memory import RoundTransaction
from services.matcher.storage.tables import HeldReportRow


def owners_waited_for(round_: Round, query: str) -> set[str]:
    """Return the owners of lists that have neither acknowledged their report of a query nor refused their answer."""
    asker = round_.submissions[query].party
    return {
        party
        for party in parties_concerned(round_, query)
        if party != asker and ReportKey(party, query) not in round_.receipts and not round_.has_refused(party, query)
    }


def undecided_alarms(round_: Round, query: str) -> list[str]:
    """Return the owners of lists whose alarm over a query still holds its report: neither released nor refused."""
    waited_for = owners_waited_for(round_, query)
    return sorted(key.party for key in round_.alarms if key.submission_id == query and key.party in waited_for)


def in_order(round_: Round, held: Iterable[HeldReportRow]) -> list[HeldReportRow]:
    """Return held reports in the order of their queries' tokens: a check rests on the reports before it (3.7.13.2)."""
    order = list(round_.tokens)
    return sorted(held, key=lambda row: order.index(row.submission_id))


def give_to_asker(context: MatcherContext, turn: RoundTransaction, row: HeldReportRow) -> None:
    """Give a held report to its asker, in this transaction, without what owners refused (PROTOCOL.md 3.7.16)."""
    report = HitReport.from_payload(base64.b64decode(json.loads(row.envelope)["payload"]))
    told = without_refused(turn.round, report)
    turn.accept(row.envelope.encode() if told == report else context.matcher.report(told))
    turn.session.execute(
        delete(HeldReportRow).where(
            HeldReportRow.round_id == row.round_id, HeldReportRow.submission_id == row.submission_id
        )
    )
