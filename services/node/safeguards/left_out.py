"""Shadow columns of a round at this node: made, and checked when a report comes (PROTOCOL.md 3.7.12 f.).

Columns are sealed under the round key until they are sent. What was checked stays, as a row for each pair.
"""

from collections.abc import Iterator
from functools import cache, partial
from itertools import count

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.entries import Entry, EntryKind
from aquila.crypto.keys import SecretBytes
from aquila.protocol.messages import CheckedPair, CheckFault, HitReport, Kind, ShadowColumn
from aquila.protocol.rounds.verified_round import Round
from aquila.protocol.shadow.checks import FAULTS, ToldPair, agree, check_pair, own_side, told_pairs
from aquila.protocol.shadow.columns import make_column
from aquila.protocol.shadow.meeting import have_one_key, sets_between
from aquila.protocol.shadow.pair_keys import pair_key
from aquila.protocol.shadow.strangers import count_strangers
from aquila.protocol.shadow.token_rows import RecordRows
from aquila.sentences import Sentence
from services.kit.log import entries
from services.kit.logging import Log
from services.node.context import Journal, NodeContext
from services.node.rounds import paths, statements
from services.node.rounds.own_reports import own_reports, pages_of
from services.node.storage.tables import ChunkRow, ColumnPieceRow, PairCheckRow, SubmissionRow

_LOG = Log("node.left_out")


def token_rows(node: NodeContext, round_id: str, submission: str) -> Iterator[bytes]:
    """Yield the token rows of an own submission, chunk by chunk.

    Raises:
        KeyMaterialError: The round key is missing.
    """
    key = node.rounds.of(round_id).key()
    with node.store.reading("left_out.chunks") as session:
        query = select(ChunkRow.index).where(ChunkRow.submission_id == submission, ChunkRow.token_rows.is_not(None))
        indices = session.scalars(query.order_by(ChunkRow.index)).all()
    for index in indices:
        name = paths.tokens(round_id, submission, index)
        yield key.open(name, node.files.read(name))


def make_columns(
    node: NodeContext, round_: Round, row: SubmissionRow
) -> tuple[tuple[ShadowColumn, ...], list[ColumnPieceRow]]:
    """Make the shadow columns of an own list, on the disk, and return their entries in the statement and their rows.

    Raises:
        KeyMaterialError: The round key is missing.
    """
    if row.kind != Kind.LIST:
        return (), []
    memory, table = node.rounds.of(row.round_id), node.table_of(round_.manifest)
    rows = RecordRows(token_rows(node, row.round_id, row.submission_id))
    columns, pieces, index = [], [], count(len(round_.submissions[row.submission_id].chunks))
    for counterpart in sorted(round_.counterparts_of(node.code)):
        with _key(node, round_, counterpart) as key:
            column = make_column(key, rows, sets_between(round_, table, node.code, counterpart))
            columns.append(column.statement(counterpart, key))
        for piece in column.pieces():
            place = next(index)
            name = paths.tokens(row.round_id, row.submission_id, place)
            node.files.write(name, memory.seal(name, piece))
            pieces.append(
                ColumnPieceRow(submission_id=row.submission_id, index=place, round_id=row.round_id, size=len(piece))
            )
    return tuple(columns), pieces


def check(node: NodeContext, round_: Round, report: HitReport, submission: str) -> tuple[CheckedPair, ...]:
    """Check that this node's report of the lists leaves nothing out; empty before its last page.

    Args:
        node: The node.
        round_: The record, which has not taken the report yet.
        report: The report, or its last page; the pages before it are stored.
        submission: The own list.

    Raises:
        KeyMaterialError: The round key is missing.
    """
    if report.submission_id is not None or not report.is_complete or not node.has_rules_of(round_.manifest):
        return ()
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
            with _key(node, round_, counterpart) as key:
                fault = check_pair(key, own, pair, strangers)
        found.append(pair.checked(counterpart, fault))
    return tuple(found)


def store_checks(session: Session, node: NodeContext, round_: Round, pairs: tuple[CheckedPair, ...]) -> None:
    """Sign what this node found, before its receipt, and store a row for each pair."""
    if not pairs:
        return
    for pair in pairs:
        session.add(
            PairCheckRow(
                round_id=round_.round_id,
                counterpart=pair.counterpart,
                met=pair.met,
                below=pair.below,
                fault=pair.fault and pair.fault.value,
                checked_at=node.clock(),
            )
        )
        if pair.fault is not None:
            _report(session, node.journal, round_.round_id, pair.counterpart, pair.fault)
    statements.sign(session, node.signer, round_.round_id, lambda number: node.party.checked(round_, number, pairs))


def compare(node: NodeContext, round_id: str) -> None:
    """Compare the results of this node with those of the other sides, as far as these have come."""
    memory = node.rounds.of(round_id)
    round_ = memory.record()
    said = {party: checked.of(node.code) for party, checked in round_.checked.items() if party != node.code}
    own = round_.checked.get(node.code)
    if own is None or said.keys() <= memory.compared:
        return
    with node.store.transaction("left_out.compare") as session:
        waiting = select(PairCheckRow).where(PairCheckRow.round_id == round_id, PairCheckRow.agreed.is_(None))
        for row in session.scalars(waiting).all():
            mine = own.of(row.counterpart)
            if row.counterpart in said and mine is not None:
                row.agreed, row.checked_at = agree(mine, said[row.counterpart]), node.clock()
                if not row.agreed and row.fault is None:
                    _report(session, node.journal, round_id, row.counterpart, None)
    memory.compared |= said.keys()


def _key(node: NodeContext, round_: Round, counterpart: str) -> SecretBytes:
    return pair_key(round_, node.code, node.rounds.of(round_.round_id).secrets().exchange, counterpart, "shadow")


def _report(session: Session, journal: Journal, round_id: str, counterpart: str, fault: CheckFault | None) -> None:
    """Report that hits of a pair may have been left out, and log it; without a fault, that the sides differ."""
    what = Sentence.of(FAULTS[fault] if fault else "check_differs")
    pair = "-".join(sorted((journal.code, counterpart)))
    problem = Sentence.of("hits_not_trusted", pair=pair, what=what)
    statements.report_problem(session, journal.clock, round_id, f"check {counterpart}", problem)
    entry = Entry.of(
        EntryKind.HITS_LEFT_OUT,
        journal.clock(),
        journal.code,
        round=round_id,
        recipient=counterpart,
        counts={fault.value if fault else "differs": 1},
    )
    entries.append(session, entry)
    _LOG.error("hits_left_out", round=round_id, counterpart=counterpart)
