"""Step 0: before anything is signed or sent, this database is not an older copy, and the matcher's log has only grown.

The node cosigns what it found right, and shows its own log to the matcher, which witnesses it in turn (PROTOCOL.md
3.2.4 and 10.5).
"""

import contextlib
from asyncio import to_thread
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from sqlalchemy.orm import Session

from aquila.audit.checkpoint import Checkpoint, Note, parse_checkpoint
from aquila.errors import AquilaError, AuditError, LogRewrittenError, RestoredBackupError
from aquila.protocol.messages.feed import ProofRequest, Proofs
from aquila.protocol.registry import MATCHER
from aquila.sentences import Sentence
from services.kit.errors import NotFoundError, PeerFullError, PeerUnavailableError, StoreError
from services.kit.log.witness import Accusation
from services.kit.logging import Log
from services.node.context import LongPollResult, NodeContext
from services.node.logs import checks
from services.node.rounds import statements as round_statements
from services.node.storage.high_water import RESTORED
from services.node.storage.tables import NamedHeadRow, StatementRow

_LOG = Log("node.verify_logs")
_ENTRIES_SECONDS = 600
_MOST_DIGITS = 20


async def verify_logs(
    node: NodeContext, *, prove: bool, held: LongPollResult | None = None, at_rest: bool = False
) -> None:
    """Check the own database and the matcher's log, and keep in `contact.obstacle` what forbids to sign or send.

    After a start, and after an alarm, the own log is shown to the matcher too before anything else is done.

    Args:
        prove: Whether to demand proofs of what others named and the matcher promised too. That costs the matcher a
            checkpoint, so it is done before a signature that needs it, and when the work is done.
        held: The answer of a long poll, which may have brought the newest checkpoint.
        at_rest: Whether everything in the feed was taken, so that what the log says of this party can be judged.
    """
    async with node.contact.looking:
        await _verify_logs(node, prove=prove, held=held, at_rest=at_rest)


async def _verify_logs(node: NodeContext, *, prove: bool, held: LongPollResult | None, at_rest: bool) -> None:
    try:
        await to_thread(check_own_log, node)
        if node.contact.cosignature_failed:
            await send_cosignature(node)
        await _look(node, await to_thread(_open, node, prove=prove, at_rest=at_rest), held)
        if not node.contact.witnessed:
            await publish_log(node)
    except AquilaError as error:
        node.contact.obstacle = error
        if isinstance(error, PeerUnavailableError):
            if not isinstance(error, PeerFullError):
                node.contact.lost(node.clock(), error)
        elif not isinstance(error, LogRewrittenError | StoreError):
            node.contact.answered(node.clock())  # a refusal is an answer, and is what is shown from now on
        return
    node.contact.obstacle = None
    node.contact.answered(node.clock())


def check_own_log(node: NodeContext) -> None:
    """Compare the database with what this node has shown of its log, and with its high-water mark.

    Raises:
        LogRewrittenError: The database is older. The alarm is stored, and open rounds are refused.
    """
    try:
        node.log.own.check()
        node.high_water.keep()
    except (LogRewrittenError, RestoredBackupError) as error:
        raise alarm_over_own_log(node, error) from None


def alarm_over_own_log(node: NodeContext, found: LogRewrittenError | RestoredBackupError) -> LogRewrittenError:
    """Store the alarm and refuse the open rounds for good, together; return the reason that forbids to sign or send.

    Acknowledging the alarm revives none of these rounds.
    """
    newest = node.log.own.newest()

    def refuse(session: Session) -> None:
        node.high_water.count_lost(session)
        round_statements.refuse_open(session, node, Sentence.of(RESTORED))

    error = LogRewrittenError(found.sentence, **({"what": "shrunk"} | found.fields))
    node.log.witness.report_contradiction(error, b"" if newest is None else newest.to_bytes(), refuse)
    # If we crash here, rounds that this database does not know raise the alarm once more.
    node.high_water.reconcile()
    node.contact.obstacle, node.contact.witnessed = error, 0
    return error


@dataclass(frozen=True, slots=True)
class _Open:
    """Proofs that the next check demands: growth since a size, heads that others named, statements, named entries."""

    old: int
    heads: Sequence[NamedHeadRow]
    statements: Sequence[StatementRow]
    entries_from: int | None

    def __bool__(self) -> bool:
        return bool(self.heads or self.statements or self.entries_from is not None)

    def request(self) -> bytes:
        """Return the body of the call that asks for it."""
        heads = tuple(sorted({head.size for head in self.heads}))
        said = tuple(s.digest for s in self.statements)
        return ProofRequest(old=self.old, heads=heads, statements=said, entries_from=self.entries_from).payload()


async def prove_log(node: NodeContext) -> None:
    """Look at the matcher's log, with all proofs, before a signature that needs them.

    Raises:
        AquilaError: What forbids to sign or send.
    """
    await verify_logs(node, prove=True)
    if node.contact.obstacle is not None:
        raise node.contact.obstacle


async def prove_at_rest(node: NodeContext) -> None:
    """Look at the matcher's log if anything is not proved yet; what forbids to sign is kept as by `verify_logs`."""
    if await to_thread(_open, node, prove=True, at_rest=True):
        await verify_logs(node, prove=True, at_rest=True)


async def _look(node: NodeContext, wanted: _Open, held: LongPollResult | None) -> None:
    content = await _shown(node, wanted, held)
    if content is None:
        await to_thread(node.log.witness.vanished, MATCHER)
        return
    cosigned = await to_thread(_judge, node, wanted, content)
    size = parse_checkpoint(cosigned.text).size
    if size != node.contact.cosigned:
        node.contact.cosignature, node.contact.cosigned = cosigned.to_bytes(), size


async def _shown(node: NodeContext, wanted: _Open, held: LongPollResult | None) -> bytes | None:
    """Return the matcher's answer about its log, from the long poll if that is enough; None for an empty log."""
    if wanted:
        answer = await node.peer.call("POST", "/v1/log/proofs", content=wanted.request())
    elif held is not None and held.news.log is not None and held.log_size == wanted.old:
        return held.news.log.encode()
    else:
        answer = await node.peer.call("GET", "/v1/log/checkpoint", params={"old": wanted.old})
    return None if answer.status_code == HTTPStatus.NO_CONTENT else answer.content


async def send_cosignature(node: NodeContext) -> None:
    """Send the newest cosignature of the matcher's log, unless the matcher has it.

    It covers all checkpoints before it, so one is enough after a piece of work. Where the matcher is away, the next
    step begins with it. One that does not fit the matcher's log or clock is not sent again: the log, which is looked at
    next, tells why, and what it shows then gets another one.

    Raises:
        AquilaError: The matcher does not take it.
    """
    contact = node.contact
    if contact.cosignature is not None:
        contact.cosignature_failed = True
        try:
            await node.peer.call("POST", "/v1/log/cosignatures", content=contact.cosignature)
        except (AuditError, NotFoundError) as error:
            _LOG.warning("cosignature_refused", count=contact.cosigned, error=error)
        contact.cosignature, contact.cosignature_failed = None, False


def _open(node: NodeContext, *, prove: bool, at_rest: bool) -> _Open:
    """Return the proofs to demand; raises as `Witness.seen_size` does.

    Entries that name this party go with the other proofs, and by themselves only now and then: the log grows by what
    is none of its business, too.
    """
    old = node.log.witness.seen_size(MATCHER)
    if not prove:
        return _Open(old, (), (), None)
    with node.store.reading("watch.open") as session:
        heads, said = checks.unverified_heads(session), checks.unproved_promises(session)
        judged = min(old, checks.judged_entries(session)) if at_rest else old
    asks = judged < old and bool(heads or said or node.clock() >= node.contact.entries_due)
    return _Open(old, heads, said, judged if asks else None)


def _judge(node: NodeContext, wanted: _Open, content: bytes) -> Note:
    """Verify an answer, store its consequences, and return the checkpoint with the own cosignature.

    Raises:
        LogRewrittenError: The log is not what was seen, named by others or promised.
        AuditError: It cannot be told.
        MalformedError: The answer cannot be read.
    """
    witness = node.log.witness
    if not wanted:
        return witness.cosign(MATCHER, content)
    proofs = Proofs.from_payload(content)
    update = proofs.update.encode()
    # Statements are verified before the transaction, which others wait for.
    shown = witness.read(MATCHER, update)
    judged = checks.judge_promises(
        node.registry, wanted.statements, shown, {one.digest: one for one in proofs.statements}
    )
    start = wanted.entries_from
    entries = None if start is None else _judge_entries(node, start, shown, proofs)

    def check(session: Session, shown: Checkpoint) -> Accusation | None:
        named = {one.size: [bytes.fromhex(h) for h in one.hashes] for one in proofs.heads}
        return (
            checks.check_heads(session, node.clock, wanted.heads, shown, named)
            or checks.record_promises(session, judged, shown)
            or (None if entries is None else entries(session))
        )

    return witness.cosign(MATCHER, update, check)


def _judge_entries(
    node: NodeContext, start: int, shown: Checkpoint, proofs: Proofs
) -> Callable[[Session], Accusation | None]:
    """Judge the entries that name this party, and return the call that stores the outcome.

    Where they cannot be judged, that is the outcome: what the other proofs show comes first.
    """
    try:
        found = checks.judge_entries(node, start, shown, proofs)
    except AquilaError as error:
        return partial(_raise, error)
    # Further entries wait where the answer did not reach the end of the log.
    node.contact.entries_due = node.clock() + (_ENTRIES_SECONDS if found.judged >= shown.size or found.waits else 0)
    return lambda session: checks.record_entries(session, node, found, shown)


def _raise(error: AquilaError, _session: Session) -> Accusation | None:
    raise error


async def publish_log(node: NodeContext) -> None:
    """Publish the own log, and let the matcher witness it.

    Raises:
        LogRewrittenError: The own log is not what was shown before, or the matcher has an alarm over its own; an
            administrator has to look.
    """
    async with node.contact.showing:
        await _publish_log(node)


async def show_looks(node: NodeContext) -> bool:
    """Publish the own log for what only people did, such as a look at hits: a minute later the matcher has seen it.

    So whoever erases a look from the database after that forks the log. A matcher that is away sees it later; until
    then the files of the own log have it.
    """
    if node.contact.obstacle is None:
        with contextlib.suppress(PeerUnavailableError):
            await publish_log(node)
    return False


async def _publish_log(node: NodeContext) -> None:
    own, contact = node.log.own, node.contact
    try:
        await to_thread(own.publish)
        newest = await to_thread(own.newest)
        if newest is None or parse_checkpoint(newest.text).size == contact.witnessed:
            return
        seen = await node.peer.call("GET", "/v1/log/witnessed")
        update = await to_thread(own.update, _size(seen.content))
        assert update is not None
        cosigned = (await node.peer.call("POST", "/v1/log/checkpoints", content=update.to_bytes())).content
    except LogRewrittenError as error:
        if error.fields.get("origin", own.origin) != own.origin:
            raise  # the matcher is in doubt about its own log, and not about this one
        raise await to_thread(alarm_over_own_log, node, error) from None
    await to_thread(own.take_cosignature, MATCHER, cosigned)
    contact.witnessed = parse_checkpoint(newest.text).size


def _size(content: bytes) -> int:
    """Read the size that the matcher saw last; raises AuditError if it is not a size."""
    if not content.isdigit() or len(content) > _MOST_DIGITS:
        raise AuditError("matcher_seen_size_missing")
    return int(content)
