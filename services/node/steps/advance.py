"""The steps of a round: it is looked at, what follows its hits is said, and pieces of work are done.

Each step starts from the store. Its row (`services.node.rounds.work`) is settled together with those that follow.
"""

import math
import time
from asyncio import to_thread
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple, TypeAlias

from aquila.errors import AquilaError, KeyMaterialError, RestoredBackupError
from aquila.followup.lifecycle import HOUR
from aquila.sentences.sentence import dumps
from services.kit.errors import (
    ExposedSecretError,
    PeerFailedError,
    PeerFullError,
    PeerUnavailableError,
    StoreConflictError,
    StoreError,
)
from services.kit.log.entries import Journal
from services.kit.logging import Log
from services.kit.storage.store import Store
from services.kit.work.drivers import delay_after, is_news, side_by_side
from services.node.context import NodeContext
from services.node.logs import checks
from services.node.round_memory import round_row
from services.node.rounds import statements, work
from services.node.rounds.attention import stored_manifest
from services.node.rounds.due_steps import Due, Piece, due_in
from services.node.rounds.requests import deadlines, is_consent_due
from services.node.safeguards import alarms, left_out, shadow_columns
from services.node.steps import close, consent, exchange_notes, outbox, sync, verify_logs, withdraw
from services.node.steps.submissions import evaluate, finalize, prepare, verify
from services.node.storage.states import LocalRoundState, Step
from services.node.storage.tables import ProblemRow, RoundRow, WorkRow

_LOG = Log("node.driver")
_TURN_SECONDS = 5.0
_SOON = 5  # of `poll_seconds`, until a round in which there was something to do is looked at again
_WORKING = {Piece.SIGN, *(piece for piece in Piece if piece.step is Step.WORK)}

Ends: TypeAlias = Callable[[], bool]
"""Returns whether a step ends after the pieces at hand."""


class Outcome(NamedTuple):
    """What came of a step."""

    busy: bool = False
    """Whether there was anything to do."""
    again: bool = False
    """Whether it is to be taken again at once: something is left to do here, rather than to wait for from others."""
    follows: frozenset[Step] = frozenset()
    """The steps for which there may be something to do now."""


async def take(
    node: NodeContext, taken: WorkRow, page: Awaitable[sync.FeedPage] | None = None, ends: Ends | None = None
) -> Outcome:
    """Take a step that is due, and settle its row.

    Args:
        page: The next page of the round's feed, where a look has asked for it already.
        ends: Whether to end after the pieces at hand; after some seconds if not given.

    Raises:
        AquilaError: No round can go on now, or the step was cut short by what forbids to sign or send; it stays due.
    """
    round_id = taken.round_id
    try:
        found = await STEPS[taken.step](node, round_id, page, ends or turn(node))
    except AquilaError as error:
        if _ends_part(error):
            # A database that became an older copy meanwhile concerns every round.
            await to_thread(verify_logs.check_own_log, node)
            await to_thread(_refuse, node.journal, round_id, error)
            return Outcome(busy=True, again=True)
        if concerns_all(error):
            raise
        if node.contact.obstacle is not None:
            if taken.step is Step.LOOK:
                await to_thread(_note, node.journal, taken, error)
            raise
        await to_thread(_fail, node.journal, taken, error)
        return Outcome()
    await to_thread(_settle, node, taken, found)
    return found


def _ends_part(error: AquilaError) -> bool:
    """Return whether this node can take no further part in a round: what it needs for that is lost."""
    return isinstance(error, KeyMaterialError | RestoredBackupError) and not isinstance(error, ExposedSecretError)


def concerns_all(error: AquilaError) -> bool:
    """Return whether no round can go on: the matcher is away, or this node's store fails.

    A matcher that answers that it has no room, or cannot do a call, has shown its log just before: that is about one
    round, and so is a row that is there already.
    """
    about_one = PeerFullError | PeerFailedError | StoreConflictError
    return isinstance(error, PeerUnavailableError | StoreError) and not isinstance(error, about_one)


def _settle(node: NodeContext, taken: WorkRow, found: Outcome) -> None:
    """Put a step off that was taken, or remove its row, and let those that follow be taken."""
    round_id = taken.round_id
    row = _row(node.store, round_id)
    has_rest = not (found.again or found.follows) and row.state == LocalRoundState.DESTROYED
    is_over = has_rest and due_in(node.store, round_id).is_over
    look_at = work.NOW if found.again else _next_look(node, row, busy=found.busy)
    with node.store.transaction("work.settle") as session:
        if taken.attempts:
            statements.clear_problem(session, round_id, _place(taken))
        if taken.step is Step.LOOK or found.again:
            work.put_off(session, taken, look_at)
        else:
            work.done(session, taken)
            work.advance_look(session, round_id, look_at)
        for step in found.follows:
            work.put(session, round_id, step)
        if is_over:
            work.rest(session, round_id)
    if taken.attempts:
        _LOG.info("round_recovered", round=round_id, state=taken.step.value, count=taken.attempts)


def _next_look(node: NodeContext, row: RoundRow, *, busy: bool) -> int | None:
    """Return when a round is to be looked at without news: soon after work, else when one of its times has passed."""
    now = node.clock()
    if busy:
        return now + math.ceil(_SOON * node.settings.poll_seconds)
    memory = node.rounds.of(row.round_id)
    times = [*deadlines(stored_manifest(row)), memory.full_until]
    if row.refused is None:
        with memory.reading() as round_:
            times.append(round_.notes_expire)
    if row.outcomes_changed_at is not None:
        times.append(row.outcomes_changed_at + node.settings.outcome_hours * HOUR)
    if row.follow_ups_at is not None:
        times.append(row.follow_ups_at)
    # A deadline has passed when its last second is over.
    return min((1 + at for at in times if at >= now), default=None)


def _fail(journal: Journal, taken: WorkRow, error: AquilaError) -> None:
    """Put a step off that cannot be done now, longer each time, and tell people why."""
    attempts = taken.attempts + 1
    at = journal.clock() + math.ceil(delay_after(attempts, error, work.LAST_DELAY))
    with journal.store.transaction("work.failed") as session:
        stored = session.get(ProblemRow, (taken.round_id, _place(taken)))
        is_other = stored is None or stored.sentence != dumps(error.sentence)
        statements.report_problem(session, journal.clock, taken.round_id, _place(taken), error.sentence)
        work.fail(session, taken, at)
    write = _LOG.warning if is_news(attempts, is_other=is_other) else _LOG.debug
    write("round_failed", round=taken.round_id, state=taken.step.value, count=attempts, error=error)


def _note(journal: Journal, taken: WorkRow, error: AquilaError) -> None:
    """Tell people why no round goes on, once: an alarm comes back in every look, for days. The look stays due."""
    with journal.store.reading("work.noted") as session:
        stored = session.get(ProblemRow, (taken.round_id, _place(taken)))
    if stored is None or stored.sentence != dumps(error.sentence):
        with journal.store.transaction("work.problem") as session:
            statements.report_problem(session, journal.clock, taken.round_id, _place(taken), error.sentence)
            work.fail(session, taken, work.NOW)


def _refuse(journal: Journal, round_id: str, error: AquilaError) -> None:
    with journal.store.transaction("round.refuse") as session:
        statements.refuse(session, journal.clock, round_id, "key", error.sentence)
    _LOG.error("round_refused", round=round_id, error=error)


def _place(taken: WorkRow) -> str:
    return f"step {taken.step.value}"


async def _look(node: NodeContext, round_id: str, page: Awaitable[sync.FeedPage] | None, _ends: Ends) -> Outcome:
    """Read what came, look whether the round ends here, and sign what a person or the matcher waits for."""
    row = await to_thread(_row, node.store, round_id)
    if row.state == LocalRoundState.DESTROYING:
        destroyed = await to_thread(close.destroy_key, node, round_id)
        return Outcome(destroyed, again=destroyed)
    if row.state == LocalRoundState.ACTIVE and await to_thread(_decide, node, row):
        return Outcome(busy=True, again=True)
    if node.contact.obstacle is not None:
        raise node.contact.obstacle  # keys can still be destroyed, but nothing is signed or sent
    found = await sync.sync(node, row, page)
    if found is None:
        return Outcome(await to_thread(close.end_unknown, node, row))
    due = await to_thread(due_in, node.store, round_id)
    if due.row.state == LocalRoundState.ACTIVE and await to_thread(_decide, node, due.row):
        return Outcome(busy=True, again=True)
    read, more = found
    return await _sign(node, due, read=read, more=more)


async def _sign(node: NodeContext, due: Due, *, read: bool, more: bool) -> Outcome:
    """Sign what is due now; whether a page of the feed was `read`, and `more` is left of it, goes into the outcome."""
    round_id, row, memory, follows = due.row.round_id, due.row, node.rounds.of(due.row.round_id), set[Step]()
    if row.refused is not None:
        await to_thread(exchange_notes.forget_if_refused, node.store, node.rounds, round_id)
    elif memory.synced:  # it may be told that this database is a restored one, until the whole feed was read
        # No withdrawal and no note leaves before the receipt.
        if Piece.SIGN not in due.pieces or await _sign_pending(node, round_id):
            follows |= await to_thread(_follow_ups, node, due)
        if row.state == LocalRoundState.ACTIVE:
            more |= await _sign_in_time(node, due)
    if read or more or due.pieces & _WORKING:
        follows.add(Step.WORK)
    busy = read or more
    return Outcome(busy, again=busy and (more or not memory.synced), follows=frozenset(follows))


async def _sign_in_time(node: NodeContext, due: Due) -> bool:
    """Sign a consent that people want, or what goes before all pieces of work; return whether there was anything."""
    if is_consent_due(due.row):
        return await to_thread(consent.consent, node, due.row.round_id)
    return due.row.consent_digest is not None and await _sign_before_work(node, due)


async def _sign_before_work(node: NodeContext, due: Due) -> bool:
    """Sign what goes before all pieces of work, and return whether there was anything.

    Raises:
        KeyMaterialError: The round key is missing.
        AquilaError: The matcher's log cannot be found right; receipts of released reports are signed when it can.
    """
    round_id = due.row.round_id
    if Piece.SEND in due.pieces:  # so they do while a query's tokens wait for the feed
        await to_thread(shadow_columns.report_missing_tokens, node, round_id)
    signed = await to_thread(_sign_locks, node, round_id)
    if Piece.ALARM in due.pieces:
        signed |= await _acknowledge_released(node, round_id)
        signed |= await to_thread(alarms.send_refusals, node, round_id)
    return signed


def _sign_locks(node: NodeContext, round_id: str) -> bool:
    node.rounds.of(round_id).check_key()
    return consent.sign_locks(node, round_id)


async def _acknowledge_released(node: NodeContext, round_id: str) -> bool:
    """Sign the receipts of reports that were released, once the matcher's log is proved to hold what came before.

    The proof is asked for here: a person waits, and the next look may come an hour later.
    """
    if not await to_thread(alarms.waits_for_receipt, node, round_id):
        return False
    if await to_thread(alarms.acknowledge, node, round_id):
        return True
    await verify_logs.prove_log(node)
    return await to_thread(alarms.acknowledge, node, round_id)


def _follow_ups(node: NodeContext, due: Due) -> set[Step]:
    """Return the step that says what follows the hits of a round, if there may be anything."""
    is_due = due.row.state != LocalRoundState.ACTIVE or due.pieces & {Piece.CORRECT, Piece.EXCHANGE}
    if not is_due and due.prepared >= len(node.rounds.of(due.row.round_id).record().reports):
        return set()
    return {Step.FOLLOW_UP}


async def _follow_up(node: NodeContext, round_id: str, _page: Awaitable[sync.FeedPage] | None, ends: Ends) -> Outcome:
    """Sign corrections, and take the exchange of notes as far as it goes."""
    due, exchanged, left = await _due_now(node, round_id), False, False
    if due is None or due.row.refused is not None or Piece.SIGN in due.pieces or not node.rounds.of(round_id).synced:
        return Outcome()  # the next look tells
    if due.row.state != LocalRoundState.ACTIVE:  # an asker may have its report as the round ends
        await to_thread(left_out.sign_unchecked, node, round_id)
        await to_thread(left_out.compare, node, round_id)
    corrected = Piece.CORRECT in due.pieces and await to_thread(withdraw.send_corrections, node, round_id)
    if Piece.EXCHANGE in due.pieces or due.prepared < len(node.rounds.of(round_id).record().reports):
        while not left and await to_thread(exchange_notes.exchange_notes, node, round_id):
            exchanged, left = True, ends()
    return Outcome(corrected or exchanged, again=left, follows=frozenset({Step.WORK}))


async def _work(node: NodeContext, round_id: str, _page: Awaitable[sync.FeedPage] | None, ends: Ends) -> Outcome:
    """Do the next pieces of submissions, and send what was signed and made."""
    due = await _due_now(node, round_id)
    if due is None:
        return Outcome()
    row, memory = due.row, node.rounds.of(round_id)
    takes_part = row.state == LocalRoundState.ACTIVE and row.refused is None and row.consent_digest is not None
    if not takes_part or not memory.synced:
        return Outcome(await outbox.send_statements(node, round_id))
    await to_thread(memory.check_key)
    made = list[bool]()
    makes = (
        ({Piece.EVALUATE}, evaluate.evaluate),
        ({Piece.VERIFY, Piece.FINALIZE}, _verify_and_finalize),
        ({Piece.PREPARE}, prepare.prepare),
    )
    sends = (
        ({Piece.ACKNOWLEDGE}, verify.acknowledge),
        ({Piece.SAY}, outbox.send_statements),
        ({Piece.SEND}, outbox.send_bytes),
    )
    # Fetching, computing and sending overlap; what is signed, counted or stored is so piece by piece.
    busy = await side_by_side(
        *(_noted(made, lane(node, round_id, ends)) for pieces, lane in makes if pieces & due.pieces),
        *(lane(node, round_id, ends) for pieces, lane in sends if pieces & due.pieces),
        failures=memory.failures,
    )
    if busy and await outbox.send_statements(node, round_id, ends):
        await outbox.send_bytes(node, round_id, ends)  # those that were just signed for
    return Outcome(busy, again=busy and (any(made) or ends()))


async def _verify_and_finalize(node: NodeContext, round_id: str, ends: Ends) -> bool:
    """Verify evaluations, and make the columns that are due by then: together, which takes less time than one by one.

    Raises:
        AquilaError: As `verify` and `finalize` do; evaluations that cannot be had hold up no other column.
    """
    try:
        verified = await verify.verify(node, round_id, ends)
    except AquilaError:
        await finalize.finalize(node, round_id, ends)
        raise
    return await finalize.finalize(node, round_id, ends) or verified


async def _due_now(node: NodeContext, round_id: str) -> Due | None:
    """Return what is due in a round; None while its key is being destroyed: what is said of that is sent after.

    Raises:
        AquilaError: What forbids to sign or send.
    """
    if node.contact.obstacle is not None:
        raise node.contact.obstacle
    due = await to_thread(due_in, node.store, round_id)
    return None if due.row.state == LocalRoundState.DESTROYING else due


STEPS: Mapping[Step, Callable[[NodeContext, str, Awaitable[sync.FeedPage] | None, Ends], Awaitable[Outcome]]] = {
    Step.LOOK: _look,
    Step.FOLLOW_UP: _follow_up,
    Step.WORK: _work,
}


async def _sign_pending(node: NodeContext, round_id: str) -> bool:
    """Sign what is due, once the matcher's log is proved to hold what came before; return whether nothing is left.

    Raises:
        AquilaError: The matcher's log cannot be found right.
    """
    if await to_thread(checks.sign_pending, node, round_id):
        return True
    await verify_logs.prove_log(node)
    return await to_thread(checks.sign_pending, node, round_id)


async def _noted(made: list[bool], lane: Awaitable[bool]) -> bool:
    """Let a lane run, and note whether it had anything to do; raises as the lane does."""
    made.append(await lane)
    return made[-1]


def _row(store: Store, round_id: str) -> RoundRow:
    with store.reading("round.look") as session:
        return round_row(session, round_id)


def _decide(node: NodeContext, row: RoundRow) -> bool:
    """Compare what both sides checked, then look whether the round ends here; return whether it does.

    Raises:
        AquilaError: Something cannot be read or compared, and the end has not come; it keeps no round from its end.
    """
    try:
        if row.refused is None:
            left_out.check_waiting(node, row.round_id)
            left_out.compare(node, row.round_id)
        return close.decide(node, row)
    except AquilaError as error:
        # Where this node takes no further part, nothing is compared in the next step.
        if _ends_part(error) or not close.decide_unread(node, row, error):
            raise
        return True


def turn(node: NodeContext) -> Ends:
    """Return the state whose change makes a new look necessary: feed, deadlines, operator and other rounds."""
    ends = time.monotonic() + _TURN_SECONDS
    return lambda: node.stopping() or time.monotonic() > ends
