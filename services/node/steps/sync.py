"""Step 2: the matcher's feed of a round, read in order and verified statement by statement (PROTOCOL.md 3.2 to 3.9)."""

import base64
from asyncio import to_thread
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass

from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from aquila import errors
from aquila.crypto.envelope import OpenedEnvelope, open_envelope
from aquila.protocol import messages
from aquila.protocol.messages.feed import Event, EventKind, Events
from aquila.protocol.registry import Registry
from aquila.protocol.rounds.round_state import Phase
from aquila.protocol.rounds.verified_round import AcceptedStatement, Round
from aquila.sentences import Sentence
from services.kit.errors import NotFoundError
from services.kit.logging import Log
from services.kit.storage.store import Store
from services.node.context import Clock, LongPollResult, NodeContext
from services.node.hits import notes
from services.node.logs import checks
from services.node.round_memory import RoundMemory, round_row
from services.node.rounds import statements
from services.node.safeguards.left_out import OwnRows
from services.node.steps import consent, follow_ups, reports
from services.node.storage.changes import note_answer
from services.node.storage.high_water import RESTORED
from services.node.storage.states import EVIDENCE, DestructionReason, LocalRoundState
from services.node.storage.tables import ChunkDownloadRow, EvaluationDownloadRow, RoundRow, StatementRow

_LOG = Log("node.sync")
PAGE = 500
SLACK_SECONDS = 600
"""How far the matcher's clock and this node's may be apart, both ways, and a little for what is being stored."""

_MOST_REFUSED = 100  # of one party in one round


@dataclass(frozen=True, slots=True)
class FeedPage:
    """A page of the feed as it came, and when it was asked for in seconds since 1970."""

    events: Events
    asked_at: int


async def fetch(node: NodeContext, round_id: str, held: LongPollResult | None = None) -> FeedPage:
    """Fetch the next page of a round's feed; nothing of it counts before `sync` has taken it.

    The answer of a long poll may have brought it.
    """
    with node.store.reading("round.cursor") as session:
        row = round_row(session, round_id)
    came = None if held is None or held.read.get(round_id) != row.cursor else (held.news.feeds or {}).get(round_id)
    if held is not None and came is not None:
        return FeedPage(came, held.asked_at)
    asked_at = node.clock()
    path, query = f"/v1/rounds/{round_id}/events", {"after": row.cursor, "limit": PAGE, "wait": 0}
    answer = (await node.peer.call("GET", path, params=query)).content
    try:
        page = Events.model_validate_json(answer)
    except ValidationError:
        raise errors.MalformedError("matcher_feed_page_unreadable", round=round_id) from None
    return FeedPage(page, asked_at)


async def sync(
    node: NodeContext, row: RoundRow, fetched: Awaitable[FeedPage] | None = None
) -> tuple[bool, bool] | None:
    """Store a page of the feed; return whether there was anything new, and whether there is likely more.

    The page may have been asked for already.

    Returns:
        None where the matcher does not know a round that was aborted here.

    Raises:
        NotFoundError: It does not know another round: that it says so is signed by nobody, so nothing follows from it.
    """
    round_id = row.round_id
    try:
        found = await (fetched or fetch(node, round_id))
    except NotFoundError:
        if row.outcome == DestructionReason.ABORTED or row.abort_reason is not None:
            return None
        raise
    page = found.events
    node.contact.clock_difference = page.time - node.clock()
    if row.refused is None:
        await to_thread(take_page, node, round_id, page)
    else:
        await to_thread(look_for_the_end, node.store, node.registry, round_id, page)
    if not page.events:
        node.rounds.of(round_id).read_at = found.asked_at
    return bool(page.events), len(page.events) >= PAGE


def look_for_the_end(store: Store, registry: Registry, round_id: str, page: Events) -> None:
    """Take from a page of a round that this node refused nothing but its ending, so that its keys go then too.

    The record of such a round may be wrong or behind, so nothing is verified against it: the ending is what the pinned
    matcher signed for this round, and all that follows from it is that this node destroys what it has.
    """
    ending = next((found for event in page.events if (found := _ending_of(registry, round_id, event))), None)
    with store.transaction("round.refused_sync") as session:
        row = round_row(session, round_id)
        row.cursor = max([row.cursor, *(event.event_id for event in page.events)])
        if ending is None:
            return
        row.phase = (Phase.CLOSED if ending.outcome is messages.Outcome.CLOSED else Phase.ABORTED).value
        if row.state == LocalRoundState.ACTIVE:
            row.enter(LocalRoundState.DESTROYING)
            row.outcome = DestructionReason(ending.outcome).value
    _LOG.info("round_ends", round=round_id, state=ending.outcome.value)


def _ending_of(registry: Registry, round_id: str, event: Event) -> messages.Ending | None:
    """Return the matcher's ending of a round, if an event is one."""
    if event.kind is not EventKind.STATEMENT or event.envelope is None:
        return None
    matcher = registry.matcher
    try:
        found = open_envelope(event.envelope.encode(), [messages.Ending.payload_type], {matcher.fingerprint: matcher})
        ending = messages.Ending.from_payload(found.payload)
    except errors.ProtocolError:
        return None
    return ending if ending.round_id == round_id else None


def take_page(node: NodeContext, round_id: str, page: Events) -> None:
    """Take a page into the record: statements, and what can be fetched."""
    memory = node.rounds.of(round_id)
    own = OwnRows(node, round_id)
    for events in _in_turns(node.code, node.registry, page.events):
        # Positions of handles take a while to find: before the transaction, so that no other writer waits for it.
        found = reports.resolve(node, round_id, events[0], own) if len(events) == 1 else None
        with memory.changing() as round_, node.store.transaction("round.sync") as session:
            row = round_row(session, round_id)
            taking = _FeedContext(session, node, round_, row, found, max(0, memory.read_at - SLACK_SECONDS))
            for event in events:
                if not _take(taking, event):
                    return
                row.cursor, row.phase = event.event_id, round_.phase.value
            # If we crash here, nothing of these events was taken, and they are fetched again.
    _keep_bytes(memory, page)
    memory.synced = memory.synced or len(page.events) < PAGE


def _keep_bytes(memory: RoundMemory, page: Events) -> None:
    """Keep the bytes that came with a page for this step; what does not use them now fetches them later."""
    memory.brought.clear()
    for event in page.events:
        if event.content is not None:
            party = "" if event.kind is EventKind.BLINDED else event.party or ""
            # Something else than base64 is not what was signed, as the digest will tell.
            memory.brought[event.submission_id or "", event.index or 0, party] = _decoded(event.content)


def _decoded(content: str) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except ValueError:
        return b""


@dataclass(frozen=True, slots=True)
class _FeedContext:
    """Data into which the events of one transaction are collected."""

    session: Session
    node: NodeContext
    round: Round
    row: RoundRow
    found: reports.ResolvedReport | None
    """The positions of a report's handles."""
    not_before: int
    """When they came at the earliest, by this node's clock and with slack (PROTOCOL.md 3.2.7)."""


def _in_turns(code: str, registry: Registry, events: Sequence[Event]) -> Iterator[list[Event]]:
    """Part a page into transactions: reports of hits alone, everything else together."""
    together: list[Event] = []
    for event in events:
        if reports.is_own_report(code, registry, event):
            if together:
                yield together
            yield [event]
            together = []
        else:
            together.append(event)
    if together:
        yield together


def _take(taking: _FeedContext, event: Event) -> bool:
    """Take one event, and return whether to go on with the next."""
    if event.event_id <= taking.row.cursor:
        raise errors.MalformedError("matcher_feed_goes_backwards", round=taking.row.round_id)
    if event.kind is EventKind.STATEMENT:
        return _take_statement(taking, event)
    _store_download(taking, event)
    return True


def _take_statement(taking: _FeedContext, event: Event) -> bool:
    session, node, row = taking.session, taking.node, taking.row
    envelope = (event.envelope or "").encode()
    opened = statements.open_statement(node.registry, envelope)
    stored = session.get(StatementRow, (row.round_id, opened.digest))
    signer = node.registry.by_fingerprint()[opened.signer.fingerprint][0]
    own = signer == node.code
    # 1. A statement of our own that we do not know: this database is older than what we have said.
    if own and stored is None:
        statements.refuse(session, node.clock, row.round_id, "restored", Sentence.of(RESTORED))
        _LOG.error("restored_backup", round=row.round_id)
        return False
    # 2. The record verifies it. What it refuses is kept as evidence and does not count.
    try:
        if stored is None and opened.signer != node.registry.key_of(signer):
            raise errors.SignatureError("statement_by_replaced_key", party=signer)
        reports.check(node, taking.round, statements.message_of(opened))
        accepted = taking.round.accept(envelope, now=taking.not_before)
    except (errors.ProtocolError, errors.PolicyError) as error:
        return _keep_refused(taking, opened, envelope, error)
    # 3. It is stored with its place in the feed.
    if stored is None:
        stored = _row_of(node.clock, row.round_id, opened, envelope, accepted)
        session.add(stored)
    stored.event_id, stored.sent = event.event_id, True
    checks.expect_announced(stored)
    session.flush()
    checks.store_head(session, node.party, accepted.message, accepted.digest)
    _follow(taking, accepted.message, accepted.digest)
    if isinstance(accepted.message, messages.HitReport | messages.WithheldAnswer):
        note_answer(session, accepted.message)
    return True


def _follow(taking: _FeedContext, message: messages.Message, digest: str) -> None:
    """Do at this node what follows from a statement that counts."""
    session, node, round_, row = taking.session, taking.node, taking.round, taking.row
    if isinstance(message, messages.HitReport):
        node.rounds.of(row.round_id).take_report(message)
    if isinstance(message, messages.Opening):
        consent.check_own_part(session, node.signer, round_, row)
    elif isinstance(message, messages.Locks):
        consent.check_lock(session, node, round_, row, message.party)
    elif isinstance(message, messages.HitReport) and message.party == node.code and row.state == LocalRoundState.ACTIVE:
        reports.store(session, node, round_, message, digest, taking.found)
    elif isinstance(message, messages.Ending) and message.outcome is messages.Outcome.CLOSED:
        _report_left_out(taking)
    else:
        _follow_hits(taking, message, digest)


def _follow_hits(taking: _FeedContext, message: messages.Message, digest: str) -> None:
    """Do at this node what follows from what a counterpart says of hits."""
    session, node = taking.session, taking.node
    if isinstance(message, messages.Notes) and message.to == node.code:
        notes.apply_notes(session, message, digest)
    elif isinstance(message, messages.Confirmation) and message.to == node.code:
        notes.apply_confirmation(session, node.journal, message)
    elif isinstance(message, messages.Withdrawal) and message.counterpart == node.code:
        notes.apply_withdrawal(session, node.journal, message, digest)
    elif isinstance(message, messages.Acknowledgement) and message.party != node.code:
        notes.apply_acknowledgement(session, node.clock, message, digest)
    elif isinstance(message, messages.FollowUp) and message.to == node.code:
        follow_ups.take(session, node, taking.round, message)


def _report_left_out(taking: _FeedContext) -> None:
    """Report with whom the own list was never compared, in a round that is closed, though both signed their tokens."""
    session, node, round_ = taking.session, taking.node, taking.round
    for report in round_.list_reports(node.code) if node.code in round_.participants else ():
        if round_.can_be_joined(report) and report not in round_.reports:
            problem = Sentence.of("pair_never_compared", pair="-".join(sorted(report[:2])))
            statements.report_problem(session, node.clock, round_.round_id, f"pair {report.counterpart}", problem)


def _store_download(taking: _FeedContext, event: Event) -> None:
    """Remember bytes that can be fetched, of submissions that count and concern this node."""
    session, round_, row, index = taking.session, taking.round, taking.row, event.index
    submission = round_.submissions.get(event.submission_id or "")
    if submission is None or index is None or index >= len(submission.chunks) or row.state != LocalRoundState.ACTIVE:
        return
    key, is_own = (submission.submission_id, index), submission.party == taking.node.code
    unusable = statements.unusable_locks(session, row.round_id)
    if event.kind is EventKind.BLINDED:
        wanted = taking.node.code in round_.evaluators_of(submission.submission_id)
        if wanted and submission.party not in unusable and session.get(ChunkDownloadRow, key) is None:
            session.add(ChunkDownloadRow(submission_id=key[0], index=index, round_id=row.round_id))
        return
    party = event.party or ""
    if (
        is_own
        and party in round_.evaluators_of(submission.submission_id)
        and party not in unusable
        and session.get(EvaluationDownloadRow, (*key, party)) is None
    ):
        session.add(EvaluationDownloadRow(submission_id=key[0], index=index, party=party, round_id=row.round_id))


def _keep_refused(taking: _FeedContext, opened: OpenedEnvelope, envelope: bytes, error: errors.AquilaError) -> bool:
    """Keep a signed statement that does not count, unless it repeats others, and return whether to go on after it."""
    session, node, row = taking.session, taking.node, taking.row
    signer = node.registry.by_fingerprint()[opened.signer.fingerprint][0]
    contradicts = isinstance(error, errors.BindingError | errors.EquivocationError)
    kept = session.get(StatementRow, (row.round_id, opened.digest)) is not None
    if not kept and (isinstance(error, errors.RepeatedError) or (not contradicts and _is_full(session, row, signer))):
        problem = Sentence.of("statements_not_kept", party=signer)
        statements.report_problem(session, node.clock, row.round_id, f"repeated {signer}", problem)
        return True
    if not kept:
        session.add(consent.evidence(row.round_id, opened.digest, signer, envelope))
    place = f"statement {opened.digest[:16]}"
    if contradicts:
        # Somebody contradicts itself, and this node signs nothing more in this round.
        statements.refuse(session, node.clock, row.round_id, place, error.sentence)
        return False
    problem = Sentence.of("statement_does_not_count", reason=error.sentence)
    statements.report_problem(session, node.clock, row.round_id, place, problem)
    return True


def _is_full(session: Session, row: RoundRow, signer: str) -> bool:
    """Return whether the limit of stored statements of a party that do not count is reached."""
    query = select(func.count()).where(
        StatementRow.round_id == row.round_id, StatementRow.party == signer, StatementRow.kind == EVIDENCE
    )
    return (session.scalar(query) or 0) >= _MOST_REFUSED


def _row_of(
    clock: Clock, round_id: str, opened: OpenedEnvelope, envelope: bytes, accepted: AcceptedStatement
) -> StatementRow:
    return StatementRow(
        round_id=round_id,
        digest=opened.digest,
        party=accepted.signer,
        sequence=getattr(accepted.message, "sequence", None),
        kind=messages.kind_of(accepted.message).value,
        envelope=envelope,
        own=False,
        sent=True,
        taken_at=clock(),
    )
