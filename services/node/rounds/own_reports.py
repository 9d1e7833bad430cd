"""This node's reports of a round as they are stored: a statement each, or one for each page (PROTOCOL.md 3.7.17).

A report is read page by page, and each page from the store when it is its turn: the hits of one page are in memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.protocol.messages import HitReport, StatementKind
from aquila.protocol.registry import Registry
from aquila.protocol.rounds.round_state import ReportKey
from aquila.protocol.rounds.verified_round import Round
from services.kit.storage.store import Store
from services.node.rounds import statements
from services.node.storage.tables import AlarmRow, StatementRow


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

    @classmethod
    def of(cls, digest: str, page: HitReport) -> Self:
        """Return a report of which one page came."""
        found = cls(page.model_copy(update={"page": None, "hits": ()}))
        found.add(digest, page)
        return found

    def add(self, digest: str, page: HitReport) -> None:
        """Take its next page."""
        self.digests.append(digest)
        self.handles.append(b"".join([bytes.fromhex(hit.handle) for hit in page.hits]))
        self.hits += len(page.hits)
        self.complete = page.is_complete


def own_report(store: Store, registry: Registry, round_: Round, key: ReportKey) -> OwnReport:
    """Return a report that is whole.

    The record names its last page. Only where it has several the reports of the whole round are read.
    """
    page = _page(store, registry, round_.round_id, digest := round_.reports[key])
    if page.page is None:
        return OwnReport.of(digest, page)
    return own_reports(store, registry, key.party, round_.round_id)[key]


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
            key = ReportKey.of(page)
            if key in found:
                found[key].add(digest, page)
            else:
                found[key] = OwnReport.of(digest, page)
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


def held_back(session: Session, round_id: str) -> frozenset[str]:
    """Return the queries of a round whose report an alarm of this node holds back, its receipt not signed yet."""
    query = select(AlarmRow.submission_id).where(AlarmRow.round_id == round_id, ~AlarmRow.acknowledged)
    return frozenset(session.scalars(query))


def on_hold(session: Session, round_id: str) -> bool:
    """Return whether a report is held back for which no release or refusal is signed yet."""
    waits = AlarmRow.round_id == round_id, ~AlarmRow.acknowledged, ~AlarmRow.refusal_signed
    return session.scalar(select(AlarmRow.submission_id).where(*waits).limit(1)) is not None
