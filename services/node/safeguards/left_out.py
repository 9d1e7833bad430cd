"""This node's checks that a report of the lists or of a query leaves no hits out (PROTOCOL.md 3.7.13).

What was checked stays, as a row for each report, and both sides of a pair compare what they found.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.entries import EntryKind
from aquila.protocol.messages import CheckFault, HitReport, Kind, ReportCheck, StatementKind
from aquila.protocol.rounds.round_state import ColumnKey, ReportKey
from aquila.protocol.rounds.verified_round import Round
from aquila.protocol.shadow.checks import FAULTS, CheckResult, ToldPairs, agree, check_pair, matched_pairs, own_side
from aquila.protocol.shadow.meeting import have_one_key
from aquila.protocol.shadow.queries import asked_pair, check_query, told_rows
from aquila.protocol.shadow.strangers import count_strangers
from aquila.protocol.shadow.token_rows import RecordRows
from aquila.sentences import Sentence
from services.kit.logging import Log
from services.node.context import NodeContext
from services.node.rounds import statements
from services.node.rounds.own_reports import own_report, own_reports, pages_of
from services.node.safeguards.shadow_columns import column_key, kept_rows, rows_of_query, token_rows
from services.node.storage.tables import PairCheckRow

PERSON_DIGITS = 4
"""Of the digest of an own person that nearly was a hit: enough to find a pair among few, and of no use otherwise."""

_LOG = Log("node.left_out")


class Checked(NamedTuple):
    """What this node found when it checked a report."""

    met: str | None
    below: int
    fault: CheckFault | None
    weak: tuple[tuple[str, int], ...] = ()
    """Of lists, of each pair that is no hit: the own record's handle, hexadecimal, and the rules that met, a mask."""


class OwnRows:
    """The token rows of this node's list in a round, whose meetings are counted once for several reports."""

    def __init__(self, node: NodeContext, round_id: str) -> None:
        self._node, self._round_id = node, round_id

    def of_column(self, counterpart: str) -> RecordRows:
        """Return all rows of the list for a counterpart; raises as `token_rows` does."""
        submission = self._round.list_of(self._node.code) or ""
        return RecordRows(token_rows(self._node, self._round_id, submission, counterpart))

    @property
    def _round(self) -> Round:
        return self._node.rounds.of(self._round_id).record()

    @cached_property
    def strangers(self) -> Mapping[int, int]:
        """How often different records of the list meet one another, which is so in every column."""
        own = self._round.list_of(self._node.code)
        any_of_them = next(counterpart for one, counterpart in self._round.tokens if one == own)
        return count_strangers(self.of_column(any_of_them).numbers, self._round.manifest.frequency_limit)


def check(node: NodeContext, round_: Round, report: HitReport, own: OwnRows) -> Checked | None:
    """Check that a report to this node leaves nothing out; None before its last page.

    Args:
        report: The report, or its last page; the pages before it are stored.

    Raises:
        KeyMaterialError: The round key is missing.
    """
    if not report.is_complete or not node.has_rules_of(round_.manifest):
        return None
    key = ReportKey.of(report)
    before = own_reports(node.store, node.registry, node.code, round_.round_id).get(key) if report.page else None
    told = ToldPairs.of([*(pages_of(node.store, node.registry, before) if before else ()), report])
    met = told.met.digest if told.met else None
    if key.submission_id is not None or not have_one_key(round_, *key):
        return Checked(met, told.below, _fault_of_query(node, round_, key, told))
    side = own_side(round_, node.table_of(round_.manifest), own.of_column(key.counterpart), node.code, key.counterpart)
    with column_key(node, round_, key.counterpart) as shared:
        fault = check_pair(shared, side, told, lambda: own.strangers)
    below = matched_pairs(side.rows, [pair for pair in told.pairs if not pair.is_hit])
    return Checked(met, told.below, fault, tuple((pair.left_handle.hex(), pair.rules) for pair, _ in below))


def _fault_of_query(node: NodeContext, round_: Round, report: ReportKey, told: ToldPairs) -> CheckFault | None:
    """Return what is wrong with the report of a query, if anything is; raises as `check` does."""
    if not have_one_key(round_, *report):
        return CheckFault.COLUMNS
    query, counterpart = report.submission_id or "", report.counterpart
    earlier = round_.rests_on(report)
    if not _found_whole(node, round_.round_id).issuperset(earlier):
        return CheckFault.EARLIER
    before = [_told(node, round_, one) for one in earlier]
    is_asker = round_.submissions[query].party == node.code
    asked = asked_pair(round_, node.table_of(round_.manifest), query, counterpart if is_asker else node.code)
    with column_key(node, round_, counterpart) as key:
        if is_asker:
            rows = rows_of_query(node, round_, query, counterpart)
            return check_query(key, rows.rows, asked, told, before, rows.before)
        listed = kept_rows(node, round_, round_.list_of(node.code) or "", counterpart)
        return check_query(key, told_rows(listed, told.pairs), asked, told, before)


def _told(node: NodeContext, round_: Round, report: ReportKey) -> ToldPairs:
    """Return what a report that is whole tells; it is read once."""
    store, registry, digest = node.store, node.registry, round_.reports[report]
    return node.rounds.kept.told.get(
        f"{round_.round_id} {digest}",
        "",
        lambda: ToldPairs.of(pages_of(store, registry, own_report(store, registry, round_, report))),
    )


def _found_whole(node: NodeContext, round_id: str) -> set[ReportKey]:
    """Return the reports that were found whole here.

    So is one of lists in which too many pairs are called too weak: all of them are told.
    """
    is_whole = PairCheckRow.fault.is_(None) | (PairCheckRow.fault == CheckFault.LEVELS.value)
    place = PairCheckRow.counterpart, PairCheckRow.submission_id
    with node.store.reading("left_out.whole") as session:
        found = session.execute(select(*place).where(PairCheckRow.round_id == round_id, is_whole)).all()
    return {ReportKey(node.code, counterpart, query or None) for counterpart, query in found}


def store_check(
    session: Session,
    node: NodeContext,
    round_: Round,
    report: ReportKey,
    found: Checked | None,
    persons: Mapping[str, str],
) -> None:
    """Store the result of a check, and sign what this node found, before its receipt.

    `persons` are the digests of own persons by handle (`HitRow.person`).

    Of a query its asker signs, but where an earlier report is missing, which may come (`check_waiting`); the list's
    owner waits for that (`compare`), because the digest of what met tells whether there are hits.
    """
    if found is None:
        return
    query = report.submission_id
    place = {"round_id": round_.round_id, "submission_id": query or "", "counterpart": report.counterpart}
    row = PairCheckRow(met=found.met, below=found.below, fault=found.fault, checked_at=node.clock(), **place)
    row.below_met = [(persons[handle][:PERSON_DIGITS], rules) for handle, rules in found.weak if handle in persons]
    session.add(row)
    # After a report that was not whole nothing new is found out.
    if found.fault not in {None, CheckFault.EARLIER}:
        _report(session, node, row, found.fault)
    is_own = query is None or round_.submissions[query].party == node.code
    if is_own and found.fault is not CheckFault.EARLIER:
        _sign(session, node, round_, row)


def _waiting(node: NodeContext, round_: Round) -> list[PairCheckRow]:
    """Return what this node could not check of its own queries, and has not signed; those sent first come first."""
    columns = [
        column
        for column in round_.tokens
        if (asked := round_.submissions[column.submission_id]).kind is Kind.QUERY and asked.party == node.code
    ]
    queries = {column.submission_id for column in columns}
    unsigned = {report for report in round_.reports if report.submission_id in queries} - round_.checked.keys()
    if not unsigned:
        return []
    waits = PairCheckRow.round_id == round_.round_id, PairCheckRow.fault == CheckFault.EARLIER.value
    with node.store.reading("left_out.waiting") as session:
        rows = [row for row in session.scalars(select(PairCheckRow).where(*waits)) if _report_of(node, row) in unsigned]
    return sorted(rows, key=lambda row: columns.index(ColumnKey(row.submission_id, row.counterpart)))


def check_waiting(node: NodeContext, round_id: str) -> None:
    """Check the answers to own queries that came before the answer to an earlier one, as far as that is here now.

    Raises:
        KeyMaterialError: The round key is missing.
    """
    round_ = node.rounds.of(round_id).record()
    for waiting in _waiting(node, round_):
        report = _report_of(node, waiting)
        if not _found_whole(node, round_id).issuperset(round_.rests_on(report)):
            continue
        fault = _fault_of_query(node, round_, report, _told(node, round_, report))
        with node.store.transaction("left_out.check_waiting") as session:
            row = session.get(PairCheckRow, (round_id, waiting.submission_id, waiting.counterpart))
            if row is None or row.fault != CheckFault.EARLIER.value:
                continue
            row.fault, row.checked_at = fault, node.clock()
            if fault is not None:
                _report(session, node, row, fault)
            _sign(session, node, round_, row)


def sign_unchecked(node: NodeContext, round_id: str) -> None:
    """Sign of a round that is over here what could not be checked, for want of an earlier report."""
    round_ = node.rounds.of(round_id).record()
    waiting = _waiting(node, round_)
    if not waiting:
        return
    with node.store.transaction("left_out.sign_unchecked") as session:
        said = set()
        for statement in statements.own_statements(session, round_id, StatementKind.CHECKED):
            message = statements.message_of(statements.open_statement(node.registry, statement.envelope))
            if isinstance(message, ReportCheck):
                said.add((message.submission_id, message.counterpart))
        for row in waiting:
            if (row.submission_id, row.counterpart) not in said:
                _sign(session, node, round_, row)


def _sign(session: Session, node: NodeContext, round_: Round, row: PairCheckRow) -> None:
    report, fault = _report_of(node, row), None if row.fault is None else CheckFault(row.fault)
    statements.sign(session, node.signer, round_, node.party.checked, report, met=row.met, below=row.below, fault=fault)


def compare(node: NodeContext, round_id: str) -> None:
    """Compare the results of this node with those of the other sides, as far as these have come.

    As a list's owner sign what waited for the check of a query's asker.
    """
    memory = node.rounds.of(round_id)
    round_ = memory.record()
    said = {
        report: theirs
        for report, theirs in round_.checked.items()
        if report.counterpart == node.code and report not in memory.compared and _may_compare(node, round_, report)
    }
    if not said:
        return
    with node.store.transaction("left_out.compare") as session:
        for report, theirs in said.items():
            query = report.submission_id
            row = session.get(PairCheckRow, (round_id, query or "", report.party))
            if row is None or row.agreed is not None:
                continue
            if query is not None and round_.submissions[query].party == report.party:
                _sign(session, node, round_, row)
            _settle(session, node, row, theirs)
    memory.compared |= said.keys()


def _may_compare(node: NodeContext, round_: Round, report: ReportKey) -> bool:
    """Return whether a check of the other side may be compared now.

    Of the lists once the own check counts. As the owner of a list that a query meets once the own receipt counts:
    before, this party's answer is not given, and its own check would tell of it.
    """
    query = report.submission_id
    if query is not None and round_.submissions[query].party != node.code:
        return report.other_side in round_.receipts
    return query is not None or report.other_side in round_.checked


def _settle(session: Session, node: NodeContext, row: PairCheckRow, theirs: CheckResult) -> None:
    """Store what the other side of a pair found, and report where it could check and did not find the same."""
    row.agreed, row.checked_at, row.their_fault = agree(row, theirs), node.clock(), theirs.fault
    if theirs.fault != CheckFault.EARLIER and not row.agreed and row.fault is None:
        _report(session, node, row, None)


def _report_of(node: NodeContext, row: PairCheckRow) -> ReportKey:
    return ReportKey(node.code, row.counterpart, row.submission_id or None)


def _report(session: Session, node: NodeContext, row: PairCheckRow, fault: CheckFault | None) -> None:
    """Report that hits of a pair may have been left out, and log it; without a fault, that the sides differ."""
    what = Sentence.of(FAULTS[fault] if fault else "check_differs")
    pair, query = "-".join(sorted((node.code, row.counterpart))), row.submission_id
    problem = Sentence.of("hits_not_trusted", pair=pair, what=what)
    place = f"check {row.counterpart}"
    if query:
        problem = Sentence.of("query_hits_not_trusted", pair=pair, what=what, submission=query[:8])
        place = f"check {row.counterpart} {query}"
    statements.report_problem(session, node.clock, row.round_id, place, problem)
    node.journal.log(
        session,
        EntryKind.HITS_LEFT_OUT,
        round=row.round_id,
        recipient=row.counterpart,
        counts={fault.value if fault else "differs": 1},
        ids={"submission": query} if query else {},
    )
    _LOG.error("hits_left_out", round=row.round_id, counterpart=row.counterpart)
