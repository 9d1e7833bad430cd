"""This node's reports of a round as they are stored: a statement each, or one for each page (PROTOCOL.md 3.7.17).

A report is read page by page, and each page from the store when it is its turn: the hits of one page are in memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import select

from aquila.protocol.messages import HitReport, StatementKind
from aquila.protocol.registry import Registry
from aquila.protocol.rounds.round_state import ReportKey
from services.kit.storage.store import Store
from services.node.rounds import statements
from services.node.storage.tables import StatementRow


@dataclass(slots=True)
class OwnReport:
    """A report that came."""

    terms: HitReport
    """It without its hits."""
    digests: list[str] = field(default_factory=list)
    """The digests of its pages, or of the one statement that it is, in the order of the feed."""
    handles: list[bytes] = field(default_factory=list)
    """The own handles of its hits, joined, page by page."""
    hits: int = 0
    complete: bool = False
    """Whether its last page came."""


def own_reports(store: Store, registry: Registry, code: str, round_id: str) -> dict[ReportKey, OwnReport]:
    """Return the reports of a party that came."""
    mine = StatementRow.kind == StatementKind.HIT_REPORT.value, StatementRow.event_id.is_not(None)
    with store.reading("reports.own") as session:
        query = select(StatementRow.digest).where(StatementRow.round_id == round_id, *mine)
        digests = session.scalars(query.order_by(StatementRow.event_id)).all()
    found: dict[ReportKey, OwnReport] = {}
    for digest in digests:
        page = _page(store, registry, round_id, digest)
        if page.party == code:
            terms = page.model_copy(update={"page": None, "hits": ()})
            report = found.setdefault(ReportKey.of(page), OwnReport(terms))
            report.digests.append(digest)
            report.handles.append(b"".join([bytes.fromhex(hit.handle) for hit in page.hits]))
            report.hits += len(page.hits)
            report.complete = page.is_complete
    return found


def pages_of(store: Store, registry: Registry, report: OwnReport) -> Iterator[HitReport]:
    """Yield the pages of a report in their order."""
    for digest in report.digests:
        yield _page(store, registry, report.terms.round_id, digest)


def _page(store: Store, registry: Registry, round_id: str, digest: str) -> HitReport:
    with store.reading("reports.page") as session:
        envelope = session.get_one(StatementRow, (round_id, digest)).envelope
    message = statements.message_of(statements.open_statement(registry, envelope))
    assert isinstance(message, HitReport)  # as the row's kind says
    return message
