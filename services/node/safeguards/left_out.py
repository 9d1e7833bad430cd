"""This node's checks that a report of the lists or of a query leaves no hits out (PROTOCOL.md 3.7.13).

What was checked stays, as a row for each pair, and both sides of a pair compare what they found.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache, partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.entries import EntryKind
from aquila.protocol.messages import CheckedPair, CheckFault, HitReport, Kind, ReportCheck, StatementKind
from aquila.protocol.rounds.round_state import ReportKey
from aquila.protocol.rounds.verified_round import Round
from aquila.protocol.shadow.checks import FAULTS, ToldPair, agree, check_pair, own_side, told_pairs
from aquila.protocol.shadow.meeting import have_one_key, sent_before
from aquila.protocol.shadow.queries import asked_pair, check_query, told_rows
from aquila.protocol.shadow.strangers import count_strangers
from aquila.protocol.shadow.token_rows import RecordRows, TokenRows
from aquila.sentences import Sentence
from services.kit.logging import Log
from services.node.context import NodeContext
from services.node.rounds import statements
from services.node.rounds.own_reports import own_reports, pages_of
from services.node.safeguards.shadow_columns import column_key, rows_of_query, token_rows
from services.node.storage.tables import PairCheckRow

_LOG = Log("node.left_out")


def check(node: NodeContext, round_: Round, report: HitReport, submission: str) -> tuple[CheckedPair, ...]:
    """Check that this node's report of the lists or a query leaves nothing out; empty before its last page.

    Args:
        node: The node.
        round_: The record, which has not taken the report yet.
        report: The report, or its last page; the pages before it are stored.
        submission: The own list, or the own query.

    Raises:
        KeyMaterialError: The round key is missing.
    """
    if not report.is_complete or not node.has_rules_of(round_.manifest):
        return ()
    if report.submission_id is not None:
        return tuple(_check_query(node, round_, report.submission_id, [report], submission))
    before = own_reports(node.store, node.registry, node.code, round_.round_id).get("") if report.page else None
    told = told_pairs([*(pages_of(node.store, node.registry, before) if before else ()), report])
    rows = RecordRows(token_rows(node, round_.round_id, submission))
    strangers = cache(partial(count_strangers, rows.numbers, round_.manifest.frequency_limit))
    table, found = node.table_of(round_.manifest), []
    for counterpart in sorted(round_.counterparts_of(node.code)):
        pair = told.get(counterpart, ToldPair((), None))
        own = own_side(round_, table, rows, node.code, counterpart)
        fault: CheckFault | None = CheckFault.COLUMNS
        if have_one_key(round_, node.code, counterpart):
            with column_key(node, round_, counterpart) as key:
                fault = check_pair(key, own, pair, strangers)
        found.append(pair.checked(counterpart, fault))
    return tuple(found)


def _check_query(
    node: NodeContext, round_: Round, query: str, pages: Iterable[HitReport], submission: str
) -> Iterator[CheckedPair]:
    """Check this node's report of a query with each party whose answer is in it; raises as `check` does."""
    told, table = told_pairs(pages), node.table_of(round_.manifest)
    asker = round_.submissions[query].party
    if asker == node.code:
        others = [one for one in sorted(round_.counterparts_of(asker)) if not round_.has_refused(one, query)]
    else:
        others = [asker]

    @cache
    def rows() -> tuple[RecordRows, tuple[TokenRows, ...]]:
        if asker == node.code:
            asked = rows_of_query(node, round_, query)
            return asked.rows, asked.before
        read = partial(token_rows, node, round_.round_id, submission)
        return told_rows(read, told[asker].pairs if asker in told else ()), ()

    whole, earlier = _found_whole(node, round_.round_id), _before(round_, query)
    before = cache(partial(_told_before, node, round_.round_id, earlier))
    for other in others:
        pair = told.get(other, ToldPair((), None))
        fault: CheckFault | None = CheckFault.EARLIER
        if not have_one_key(round_, node.code, other, query):
            fault = CheckFault.COLUMNS
        elif {(one, other) for one in earlier} <= whole:
            asked = asked_pair(round_, table, query, other if asker == node.code else node.code)
            with column_key(node, round_, other) as key:
                every, sent = rows()
                fault = check_query(key, every, asked, pair, [found[other] for found in before().values()], sent)
        yield pair.checked(other, fault)


def _before(round_: Round, query: str) -> tuple[str, ...]:
    """Return the reports that a check of a query rests on: of the lists (an empty text), and of earlier queries."""
    return ("", *sent_before(round_, query)[1:])


def _told_before(node: NodeContext, round_id: str, queries: Sequence[str]) -> dict[str, dict[str, ToldPair]]:
    """Return what this node was told of the lists (an empty text) and of queries, by counterpart."""
    reports = own_reports(node.store, node.registry, node.code, round_id)
    found: dict[str, dict[str, ToldPair]] = {}
    for one in queries:
        report = reports.get(one)
        found[one] = told_pairs(pages_of(node.store, node.registry, report)) if report and report.complete else {}
    return found


def _found_whole(node: NodeContext, round_id: str) -> set[tuple[str, str]]:
    """Return with whom which reports were found whole here: the query, or an empty text, and the counterpart.

    So is one of lists in which too many pairs are called too weak: all of them are told.
    """
    is_whole = PairCheckRow.fault.is_(None) | (PairCheckRow.fault == CheckFault.LEVELS.value)
    query = select(PairCheckRow).where(PairCheckRow.round_id == round_id, is_whole)
    with node.store.reading("left_out.whole") as session:
        return {(row.submission_id, row.counterpart) for row in session.scalars(query)}


def store_checks(
    session: Session, node: NodeContext, round_: Round, pairs: tuple[CheckedPair, ...], query: str | None
) -> None:
    """Store a row for each pair, and sign what this node found, before its receipt.

    Of a query its asker signs for each counterpart, but where an earlier report is missing, which may come
    (`check_waiting`); the list's owner waits for that (`compare`), because the digest of what met tells whether there
    are hits.
    """
    if not pairs:
        return
    for pair in pairs:
        row = PairCheckRow(
            round_id=round_.round_id,
            submission_id=query or "",
            counterpart=pair.counterpart,
            met=pair.met,
            below=pair.below,
            fault=pair.fault and pair.fault.value,
            checked_at=node.clock(),
        )
        session.add(row)
        # After a report that was not whole nothing new is found out.
        if pair.fault not in {None, CheckFault.EARLIER}:
            _report(session, node, row, pair.fault)
    if query is None:
        _sign(session, node, round_, pairs, None)
    elif round_.submissions[query].party == node.code:
        for pair in pairs:
            if pair.fault is not CheckFault.EARLIER:
                _sign(session, node, round_, (pair,), query)


def _waiting(node: NodeContext, round_: Round) -> list[PairCheckRow]:
    """Return what this node could not check of its own queries, and has not signed; those sent first come first."""
    unsigned = [
        query
        for query in round_.tokens
        if (round_.submissions[query].party, round_.submissions[query].kind) == (node.code, Kind.QUERY)
        and ReportKey(node.code, query) in round_.reports
        and any(
            round_.check_of(node.code, other, query) is None and not round_.has_refused(other, query)
            for other in round_.counterparts_of(node.code)
        )
    ]
    if not unsigned:
        return []
    waits = PairCheckRow.submission_id.in_(unsigned), PairCheckRow.fault == CheckFault.EARLIER.value
    with node.store.reading("left_out.waiting") as session:
        rows = session.scalars(select(PairCheckRow).where(PairCheckRow.round_id == round_.round_id, *waits)).all()
    return sorted(rows, key=lambda row: (unsigned.index(row.submission_id), row.counterpart))


def check_waiting(node: NodeContext, round_id: str) -> None:
    """Check the answers to own queries that came before the answer to an earlier one, as far as that is here now.

    Raises:
        KeyMaterialError: The round key is missing.
    """
    round_ = node.rounds.of(round_id).record()
    waiting = _waiting(node, round_)
    for query in dict.fromkeys(row.submission_id for row in waiting):
        earlier, whole = _before(round_, query), _found_whole(node, round_id)
        others = [row.counterpart for row in waiting if row.submission_id == query]
        if not any({(one, other) for one in earlier} <= whole for other in others):
            continue
        report = own_reports(node.store, node.registry, node.code, round_id)[query]
        pages = pages_of(node.store, node.registry, report)
        found = [
            pair for pair in _check_query(node, round_, query, pages, query) if pair.fault is not CheckFault.EARLIER
        ]
        with node.store.transaction("left_out.check_waiting") as session:
            for pair in found:
                row = session.get(PairCheckRow, (round_id, query, pair.counterpart))
                if row is None or row.fault != CheckFault.EARLIER.value:
                    continue
                row.fault, row.checked_at = pair.fault and pair.fault.value, node.clock()
                if pair.fault is not None:
                    _report(session, node, row, pair.fault)
                _sign(session, node, round_, (pair,), query)


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
                said |= {(message.submission_id, pair.counterpart) for pair in message.pairs}
        for row in waiting:
            if (row.submission_id, row.counterpart) not in said:
                _sign(session, node, round_, (_pair_of(row),), row.submission_id)


def _sign(
    session: Session, node: NodeContext, round_: Round, pairs: tuple[CheckedPair, ...], query: str | None
) -> None:
    statements.sign(
        session, node.signer, round_.round_id, lambda number: node.party.checked(round_, number, pairs, query)
    )


def compare(node: NodeContext, round_id: str) -> None:
    """Compare the results of this node with those of the other sides, as far as these have come."""
    _compare_lists(node, round_id)
    _compare_queries(node, round_id)


def _compare_queries(node: NodeContext, round_id: str) -> None:
    """Compare what was found of queries, and sign as a list's owner what waited for the asker's check."""
    memory = node.rounds.of(round_id)
    round_ = memory.record()
    said = {
        key: pair
        for key, pair in round_.query_checks.items()
        if key.counterpart == node.code
        and key not in memory.compared_queries
        # Before its receipt counts, this party's answer is not given, and its own check would tell of it.
        and (
            round_.submissions[key.submission_id].party == node.code
            or ReportKey(node.code, key.submission_id) in round_.receipts
        )
    }
    if not said:
        return
    with node.store.transaction("left_out.compare_queries") as session:
        for key, theirs in said.items():
            row = session.get(PairCheckRow, (round_id, key.submission_id, key.party))
            if row is None or row.agreed is not None:
                continue
            if round_.submissions[key.submission_id].party == key.party:
                _sign(session, node, round_, (_pair_of(row),), key.submission_id)
            _settle(session, node, row, theirs, could_check=theirs.fault is not CheckFault.EARLIER)
    memory.compared_queries |= said.keys()


def _compare_lists(node: NodeContext, round_id: str) -> None:
    memory = node.rounds.of(round_id)
    round_ = memory.record()
    said = {party: checked.of(node.code) for party, checked in round_.checked.items() if party != node.code}
    if node.code not in round_.checked or said.keys() <= memory.compared:
        return
    with node.store.transaction("left_out.compare") as session:
        waiting = select(PairCheckRow).where(
            PairCheckRow.round_id == round_id, PairCheckRow.submission_id == "", PairCheckRow.agreed.is_(None)
        )
        for row in session.scalars(waiting).all():
            if row.counterpart in said:
                _settle(session, node, row, said[row.counterpart])
    memory.compared |= said.keys()


def _settle(
    session: Session, node: NodeContext, row: PairCheckRow, theirs: CheckedPair | None, *, could_check: bool = True
) -> None:
    """Store what the other side of a pair found, and report where it could check and did not find the same."""
    row.agreed, row.checked_at = agree(_pair_of(row), theirs), node.clock()
    row.their_fault = theirs.fault if theirs else None
    if could_check and not row.agreed and row.fault is None:
        _report(session, node, row, None)


def _pair_of(row: PairCheckRow) -> CheckedPair:
    fault = None if row.fault is None else CheckFault(row.fault)
    return CheckedPair(counterpart=row.counterpart, met=row.met, below=row.below, fault=fault)


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
