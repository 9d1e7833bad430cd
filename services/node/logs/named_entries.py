"""Entries of the matcher's log that name this party, held against what it knows (PROTOCOL.md 10.5.3).

A node's own statements, and what the matcher announces to it, are proved to be in the log (`inclusion_promises`).
Here it asks for what else the log says of it: proposals of its rounds, matches of its pairs, reports to it, sealed
notes from it or for it, and statements of it that are said to have been refused. What contradicts what this node knows
is an alarm, as a fork is. What it cannot know yet, because the feed has not brought it, has an hour to come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.checkpoint import Checkpoint
from aquila.audit.entries import Entry, EntryKind, read_entry
from aquila.audit.merkle import verify_inclusion
from aquila.errors import AquilaError, AuditError, LogRewrittenError
from aquila.matching.certainty import Level
from aquila.protocol.log_entries import REFUSED, statement_entry
from aquila.protocol.messages.feed import EntryProof, Proofs
from aquila.protocol.rounds.round_state import ReportKey
from services.kit.log.witness import Accusation
from services.node.context import NodeContext
from services.node.rounds import statements
from services.node.storage.tables import NamedEntriesRow, RoundRow, StatementRow

_WAIT_SECONDS = 3_600
"""How long an entry may be ahead of the feed: a node that is at rest has read all of it."""


@dataclass(frozen=True, slots=True)
class EntryCheck:
    """The outcome of a look at the entries that name this party.

    Attributes:
        judged: Up to which entry of the log nothing is open.
        wrong: The first entry that contradicts what this node knows, and the index after it.
        waits: The first entry of which it does not know yet.
    """

    judged: int
    wrong: tuple[int, Entry] | None = None
    waits: tuple[int, Entry] | None = None


def judged(session: Session) -> int:
    """Return up to which entry of the matcher's log those that name this party were judged."""
    row = session.get(NamedEntriesRow, 1)
    return 0 if row is None else row.judged


def begin_again(session: Session) -> None:
    """Judge every entry anew: the log is another one than before, in the transaction of an acknowledgement."""
    row = session.get(NamedEntriesRow, 1)
    if row is not None:
        row.judged, row.waiting_since = 0, None


def judge(node: NodeContext, start: int, shown: Checkpoint, proofs: Proofs) -> EntryCheck:
    """Verify the entries that came, and hold each against what this node knows.

    Args:
        node: The node.
        start: From which entry on they were asked for.
        shown: The checkpoint under which they are proved.
        proofs: The answer.

    Raises:
        AuditError: One of them is not in the log, or they are not in order.
        MalformedError: One of them is no entry.
    """
    end = proofs.entries_to
    if end is None or not start <= end <= shown.size:
        raise AuditError("matcher_log_growth_not_proved", size=start)
    found = EntryCheck(end)
    for index, entry in _proved(start, shown, proofs.entries):
        known = _is_known(node, entry)
        if known is False:
            return EntryCheck(min(found.judged, index), (index, entry))
        if known is None and found.waits is None:
            found = EntryCheck(min(found.judged, index), waits=(index, entry))
    return found


def record(session: Session, node: NodeContext, found: EntryCheck, shown: Checkpoint) -> Accusation | None:
    """Store how far the log was judged, and return the contradiction, if any.

    The alarm settles the entry: once an administrator has acknowledged it, the next look goes on behind it.
    """
    row = session.get(NamedEntriesRow, 1)
    if row is None:
        row = NamedEntriesRow(row_id=1, judged=0)
        session.add(row)
    if found.judged > row.judged:
        row.judged, row.waiting_since = found.judged, None
    wrong = found.wrong
    if wrong is None and found.waits is not None:
        row.waiting_since = row.waiting_since or node.clock()
        if node.clock() - row.waiting_since > _WAIT_SECONDS:
            wrong = found.waits
    if wrong is None:
        return None
    index, entry = wrong
    row.judged, row.waiting_since = index + 1, None
    error = LogRewrittenError(
        "log_entry_differs_from_known",
        what="false",
        round=entry.round or "",
        got=shown.size,
        origin=shown.origin,
        kind=entry.kind.value,
        index=index,
    )
    return Accusation(error, _evidence(session, entry))


def _proved(start: int, shown: Checkpoint, proofs: Sequence[EntryProof]) -> list[tuple[int, Entry]]:
    """Return the entries with their indices, each proved to be in the log, in ascending order."""
    found: list[tuple[int, Entry]] = []
    before = start - 1
    for one in proofs:
        entry = read_entry(one.content.encode())
        if one.index <= before:
            raise AuditError("matcher_log_growth_not_proved", size=one.index)
        verify_inclusion(entry.leaf(), one.index, shown.size, shown.root, [bytes.fromhex(h) for h in one.hashes])
        found.append((one.index, entry))
        before = one.index
    return found


def _is_known(node: NodeContext, entry: Entry) -> bool | None:
    """Return whether an entry agrees with the knowledge of this node; None where it cannot know yet."""
    with node.store.reading("entries.round") as session:
        row = None if entry.round is None else session.get(RoundRow, entry.round)
        if row is None or row.refused is not None or row.hits_erased_at is not None:
            return True  # not shown to this node, or nothing is known of it any more
        if entry.kind is EntryKind.PROPOSAL:
            return entry.digests.get("statement") == row.manifest_digest
        said = session.get(StatementRow, (row.round_id, entry.digests.get("statement", "")))
    if entry.kind is EntryKind.MATCH:
        return _is_reported(node, entry)
    if said is not None:
        return entry.kind in REFUSED or said.kind == "evidence" or _is_made_of(node, said, entry)
    # What this node signed it knows; what others sent may still come.
    return False if node.code == entry.party or entry.kind in REFUSED else None


def _is_reported(node: NodeContext, entry: Entry) -> bool | None:
    """Return whether a match has the hits and tags of this node's report; None before the report is there."""
    sides = {str(entry.ids.get("left")), str(entry.ids.get("right"))}
    (other,) = sides - {node.code} if len(sides) == 2 else ("",)  # noqa: PLR2004 - a pair
    query = entry.ids.get("submission")
    key = ReportKey(node.code, None if query is None else str(query))
    with node.rounds.of(entry.round or "").reading() as round_:
        reported = round_.reported.get(key)
        if key not in round_.reports:
            return None
        if reported is None or round_.has_refused(other, key.submission_id):
            return True
        if entry.digests.get("met") != round_.met[key].get(other):
            return False
        return all(entry.counts.get(level.value, -1) == reported[other, level.value] for level in Level)


def _is_made_of(node: NodeContext, said: StatementRow, entry: Entry) -> bool:
    """Return whether an entry is the one that its statement gives."""
    try:
        message = statements.message_of(statements.open_statement(node.registry, said.envelope))
        return statement_entry(message, said.digest, entry.time).salted(entry.salt) == entry
    except AquilaError:
        return False


def _evidence(session: Session, entry: Entry) -> bytes | None:
    """Return the evidence against an entry: of a proposal the manifest that was shown here, of hits the receipt."""
    if entry.kind is EntryKind.PROPOSAL:
        return session.scalar(select(RoundRow.manifest).where(RoundRow.round_id == entry.round))
    receipts = select(StatementRow.envelope).where(
        StatementRow.round_id == entry.round, StatementRow.own, StatementRow.kind == "receipt"
    )
    return session.scalar(receipts.order_by(StatementRow.sequence).limit(1))
