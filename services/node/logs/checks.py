"""The node's own log, put together; and the matcher's, held against what this node knows (PROTOCOL.md section 10).

Three things are compared, and a contradiction in any of them is an alarm, as a fork is.

1. The matcher's answer to a statement, and an announcement in its feed, promise an entry in its log (PROTOCOL.md
   10.5.2). The node asks for the proof with its next look, and makes the entry itself from what was signed, so that
   nothing else can be proved in its place. Until then it signs no tokens, no receipt and no closing in that round. A
   promise that a few looks do not prove is an alarm.
2. Other parties name heads of the log in their statements. The matcher takes no statement that names a head which its
   log has never signed (3.2.5). So a statement that came through it and names a head that does not fit shows that the
   matcher keeps two logs, whoever signed it (10.5).
3. Entries name this party: proposals of its rounds, matches of its pairs, reports to it, sealed notes from it or for
   it, and statements of it that are said to have been refused (10.5.3). What this node cannot know yet, because the
   feed has not brought it, has an hour to come.

A receipt and a closing are signed at once where everything is proved already, and otherwise wait here for the look that
proves it. Tokens wait likewise, where they are made (`services.node.steps.submissions.finalize`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from aquila.audit.checkpoint import Checkpoint, check_named
from aquila.audit.entries import Entry, EntryKind, read_entry
from aquila.audit.merkle import verify_inclusion
from aquila.errors import AquilaError, AuditError, LogRewrittenError
from aquila.protocol.log_entries import REFUSED, WITHOUT_ENVELOPE, statement_entry
from aquila.protocol.messages import LogHead, Message, Statement, StatementKind
from aquila.protocol.messages.feed import MOST_HEADS, MOST_STATEMENTS, EntryProof, Proofs, StatementProof
from aquila.protocol.party import Party
from aquila.protocol.registry import MATCHER, Registry
from aquila.protocol.rounds.round_state import ReportKey
from aquila.protocol.rounds.verified_round import Round
from services.kit.home_folder import LOG_FOLDER
from services.kit.log.publication import OwnLog
from services.kit.log.witness import Accusation, Witness
from services.kit.log_access.use_cases import LogUseCases
from services.kit.storage.files import ChunkFiles
from services.kit.storage.store import Store, enter_all, following
from services.node.context import Clock, NodeContext, Signer
from services.node.rounds import statements
from services.node.storage.states import PROMISE_TRANSITIONS, Promise
from services.node.storage.tables import (
    NamedEntriesRow,
    NamedHeadRow,
    PendingStatementKind,
    PendingStatementRow,
    RoundRow,
    StatementRow,
)

_ANNOUNCED = frozenset({StatementKind.OPENING, StatementKind.HIT_REPORT, StatementKind.ENDING})
_MOST_LOOKS = 3
_PROVABLE = frozenset({Promise.PROMISED, Promise.EXCUSED})  # a look can begin before the acknowledgement


@dataclass(frozen=True, slots=True)
class PromiseCheck:
    """A promise after a look: where the log holds its statement, or None where that was not proved."""

    row: StatementRow
    index: int | None


def expect_entry(row: StatementRow) -> None:
    """Note that the matcher has an own statement, so that its log must hold it."""
    if row.promise == Promise.SIGNED:
        row.promise = following(PROMISE_TRANSITIONS, row.promise, Promise.PROMISED)


def expect_announced(row: StatementRow) -> None:
    """Note that the matcher's feed has a statement, so that the log must hold it where it is the matcher's own."""
    expect_entry(row)
    if row.kind in _ANNOUNCED and row.promise is None:
        row.promise = Promise.PROMISED


def unproved_promises(session: Session) -> Sequence[StatementRow]:
    """Return statements that are to be proved, at most as many as one check proves."""
    query = select(StatementRow).where(StatementRow.promise == Promise.PROMISED)
    return session.scalars(
        query.order_by(StatementRow.unproved.desc(), StatementRow.taken_at).limit(MOST_STATEMENTS)
    ).all()


def promises_are_kept(session: Session, round_id: str) -> bool:
    """Return whether the log is proved to hold everything of a round that it is to hold by now."""
    query = select(StatementRow.digest).where(
        StatementRow.round_id == round_id, StatementRow.promise == Promise.PROMISED
    )
    return session.scalar(query.limit(1)) is None


def judge_promises(
    registry: Registry, rows: Sequence[StatementRow], shown: Checkpoint, proofs: Mapping[str, StatementProof]
) -> list[PromiseCheck]:
    """Verify what came for each promise against a checkpoint; a proof of anything else does not count."""
    return [PromiseCheck(row, _proved_at(registry, row, shown, proofs.get(row.digest))) for row in rows]


def record_promises(session: Session, judged: Sequence[PromiseCheck], shown: Checkpoint) -> Accusation | None:
    """Store which statements a check proved and which it did not; return those missing for good, if any."""
    for one in judged:
        place = StatementRow.round_id == one.row.round_id, StatementRow.digest == one.row.digest
        values = {"unproved": StatementRow.unproved + 1} if one.index is None else {"log_index": one.index}
        session.execute(update(StatementRow).where(*place).values(**values))
        if one.index is not None:
            enter_all(session, StatementRow.promise, PROMISE_TRANSITIONS, _PROVABLE, Promise.PROVED, *place)
    lost = (one.row for one in judged if one.index is None and one.row.unproved + 1 >= _MOST_LOOKS)
    missing = next(lost, None)
    if missing is None:
        return None
    error = LogRewrittenError(
        "log_lacks_taken_statement",
        what="missing",
        round=missing.round_id,
        got=shown.size,
        origin=shown.origin,
        kind=missing.kind,
    )
    return Accusation(error, missing.envelope)


def excuse_promises(session: Session, *, lost: bool) -> None:
    """Stop asking for what looks did not prove, in the transaction of an administrator's acknowledgement.

    Where entries were lost, nothing that was promised before is asked for, looked for or not.
    """
    looked = () if lost else (StatementRow.unproved >= _MOST_LOOKS,)
    enter_all(session, StatementRow.promise, PROMISE_TRANSITIONS, {Promise.PROMISED}, Promise.EXCUSED, *looked)


def _proved_at(registry: Registry, row: StatementRow, shown: Checkpoint, proof: StatementProof | None) -> int | None:
    """Return the place at which the log holds a statement, or None where the proof does not show it."""
    if proof is None:
        return None
    try:
        message = statements.message_of(statements.open_statement(registry, row.envelope))
        leaf = statement_entry(message, row.digest, proof.time).salted(proof.salt).leaf()
        verify_inclusion(leaf, proof.index, shown.size, shown.root, [bytes.fromhex(one) for one in proof.hashes])
    except AquilaError:
        return None
    return proof.index


def store_head(session: Session, party: Party, message: Message, digest: str) -> None:
    """Remember the head that another party's statement names, in the transaction that takes the statement.

    One that this node saw last itself needs no proof.
    """
    if not isinstance(message, Statement) or message.log_head is None or message.party == party.code:
        return
    head = message.log_head
    if head != party.log_head() and session.get(NamedHeadRow, (head.size, head.root)) is None:
        place = {"party": message.party, "round_id": message.round_id, "digest": digest}
        session.add(NamedHeadRow(size=head.size, root=head.root, **place))


def unverified_heads(session: Session) -> Sequence[NamedHeadRow]:
    """Return heads that are to be compared with the log, the smallest first, at most as many as one check proves."""
    query = select(NamedHeadRow).where(NamedHeadRow.verified_at.is_(None)).order_by(NamedHeadRow.size)
    return session.scalars(query.limit(MOST_HEADS)).all()


def heads_are_verified(session: Session) -> bool:
    """Return whether everything that others named was held against the log."""
    return session.scalar(select(NamedHeadRow.size).where(NamedHeadRow.verified_at.is_(None)).limit(1)) is None


def check_heads(
    session: Session, clock: Clock, heads: Sequence[NamedHeadRow], shown: Checkpoint, proofs: Mapping[int, list[bytes]]
) -> Accusation | None:
    """Compare heads with the current log, and return the contradictions, if any.

    The heads are those of `unverified_heads` before the look; the signature of what the log shows, and that it grew,
    were verified. Proofs are by the size at which they begin.
    """
    for head in heads:
        if head.size < shown.size and head.size not in proofs:
            raise AuditError("matcher_log_growth_not_proved", size=head.size)
        try:
            check_named(shown, head.size, bytes.fromhex(head.root), proofs.get(head.size, []))
        except LogRewrittenError as error:
            statement = session.get(StatementRow, (head.round_id, head.digest))
            return Accusation(error, None if statement is None else statement.envelope)
    query = update(NamedHeadRow).where(NamedHeadRow.verified_at.is_(None))
    for head in heads:
        session.execute(
            query.where(NamedHeadRow.size == head.size, NamedHeadRow.root == head.root).values(verified_at=clock())
        )
    return None


def explain_heads(session: Session, now: int) -> None:
    """Take what was named up to now as explained, in the transaction of an administrator's acknowledgement."""
    session.execute(update(NamedHeadRow).where(NamedHeadRow.verified_at.is_(None)).values(verified_at=now))


_WAIT_SECONDS = 3_600
"""How long an entry may be ahead of the feed: a node that is at rest has read all of it."""


@dataclass(frozen=True, slots=True)
class EntryCheck:
    """The outcome of a look at the entries that name this party."""

    judged: int
    """Up to which entry of the log nothing is open."""
    wrong: tuple[int, Entry] | None = None
    """The first entry that contradicts what this node knows, and the index after it."""
    waits: tuple[int, Entry] | None = None
    """The first entry of which it does not know yet."""


def judged_entries(session: Session) -> int:
    """Return up to which entry of the matcher's log those that name this party were judged."""
    row = session.get(NamedEntriesRow, 1)
    return 0 if row is None else row.judged


def judge_again(session: Session) -> None:
    """Judge every entry again, since the log is another one than before, in the transaction of an acknowledgement."""
    row = session.get(NamedEntriesRow, 1)
    if row is not None:
        row.judged, row.waiting_since = 0, None


def judge_entries(node: NodeContext, start: int, shown: Checkpoint, proofs: Proofs) -> EntryCheck:
    """Verify the entries that came, and hold each against what this node knows.

    The entries were asked for from `start` on, and are proved under the checkpoint that is shown.

    Raises:
        MalformedError: One of them is not an entry.
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


def record_entries(session: Session, node: NodeContext, found: EntryCheck, shown: Checkpoint) -> Accusation | None:
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
    others = sides - {node.code}
    other = next(iter(others)) if len(others) == 1 else ""
    query = entry.ids.get("submission")
    key = ReportKey(node.code, other, None if query is None else str(query))
    with node.rounds.of(entry.round or "").reading() as round_:
        if key not in round_.reports:
            return None
        return (entry.digests.get("met"), entry.counts) == (round_.met[key], round_.reported[key].model_dump())


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


def may_sign(session: Session, round_id: str) -> bool:
    """Return whether the log is proved to hold all of a round that it is to hold, and to be the one that others saw."""
    return promises_are_kept(session, round_id) and heads_are_verified(session)


def put_pending(session: Session, signer: Signer, round_: Round, row: PendingStatementRow) -> None:
    """Queue a receipt or closing for signing as soon as it is allowed, in the transaction of its content."""
    session.add(row)
    session.flush()
    _sign_all_pending(session, signer, round_)


def sign_pending(node: NodeContext, round_id: str) -> bool:
    """Sign what was due and may be signed now; return whether nothing is left."""
    with node.store.reading("due.look") as session:
        if (
            session.scalar(select(PendingStatementRow.kind).where(PendingStatementRow.round_id == round_id).limit(1))
            is None
        ):
            return True
    with node.rounds.of(round_id).reading() as round_, node.store.transaction("due.sign") as session:
        return _sign_all_pending(session, node.signer, round_)


def _sign_all_pending(session: Session, signer: Signer, round_: Round) -> bool:
    """Sign receipts, and then the closing, where the log holds everything; return whether it does.

    The closing of a round in which a pair is missing waits for the ending (PROTOCOL.md 3.9.2).
    """
    round_id = round_.round_id
    if not may_sign(session, round_id):
        return False
    due = [PendingStatementRow.round_id == round_id]
    if not round_.ending and not round_.has_its_hits(signer.code):
        due.append(PendingStatementRow.kind != PendingStatementKind.CLOSING)
    query = select(PendingStatementRow).where(*due).order_by(PendingStatementRow.kind.desc())
    for row in session.scalars(query).all():
        number = statements.next_number(session, round_id)
        if row.kind == PendingStatementKind.CLOSING:
            empty = statements.given_up(session, signer.high_water, round_id, number)
            envelope = signer.party.close(round_, number, row.hits, empty)
        else:
            envelope = signer.party.receipt(round_, number, row.counterpart, row.submission_id or None)
        statements.put_signed(session, signer, round_id, envelope)
    session.execute(delete(PendingStatementRow).where(*due))
    return True


_AT_ONCE = 500


def open_log(home: Path, store: Store, party: Party, registry: Registry, clock: Callable[[], int]) -> LogUseCases:
    """Put the node's log together, with nothing running yet; raises StoreError if the folder cannot be made."""
    files = ChunkFiles(home / LOG_FOLDER)
    own = OwnLog(store, files, party.code, party.identity, registry, clock, statements_of, _no_statistics)
    witness = Witness(store, files, party.code, party.identity, registry, clock, _explained)
    return LogUseCases(own, witness)


def seen_head(witness: Witness) -> LogHead | None:
    """Return the newest matcher checkpoint that this node saw, as its statements name it (PROTOCOL.md 3.2.5)."""
    seen = witness.latest(MATCHER)
    return None if seen is None or not seen.size else LogHead(size=seen.size, root=seen.root.hex())


def _explained(session: Session, now: int, what: str) -> None:
    """Hold nothing against the matcher's log that came up before an administrator acknowledged an alarm over it."""
    explain_heads(session, now)
    excuse_promises(session, lost=what == "shrunk")
    if what in {"shrunk", "fork"}:
        judge_again(session)


def statements_of(session: Session, entries: Sequence[Entry]) -> list[bytes | None]:
    """Return the envelopes of this node's own statements that entries are about.

    The matcher's reports are not among them: they hold handles of records; nor are sealed notes.
    """
    said = [(entry.round or "", entry.digests["statement"]) for entry in entries if _is_own(entry)]
    envelopes: dict[str, bytes] = {}
    for first in range(0, len(said), _AT_ONCE):
        some = said[first : first + _AT_ONCE]
        # With their rounds: rows are found by round and digest.
        rounds = StatementRow.round_id.in_({round_id for round_id, _ in some})
        digests = StatementRow.digest.in_([digest for _, digest in some])
        query = select(StatementRow.digest, StatementRow.envelope).where(rounds, digests)
        envelopes |= dict(session.execute(query).all())
    return [envelopes.get(entry.digests["statement"]) if _is_own(entry) else None for entry in entries]


def _is_own(entry: Entry) -> bool:
    return "statement" in entry.digests and entry.kind not in WITHOUT_ENVELOPE | REFUSED


def _no_statistics(_session: Session, _round_id: str) -> None:
    """A node publishes no statistics: the matcher's log has what all parties did."""
