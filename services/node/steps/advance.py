"""One step in one round: what came is read, what is due is stated, and a piece of work is done."""

import time
from asyncio import to_thread
from collections.abc import Awaitable, Callable
from dataclasses import replace

from aquila.errors import AquilaError, KeyMaterialError, RestoredBackupError
from services.kit.errors import (
    ExposedSecretError,
    PeerFailedError,
    PeerFullError,
    PeerUnavailableError,
    StoreConflictError,
    StoreError,
)
from services.kit.logging import Log
from services.kit.storage.store import Store
from services.kit.work.drivers import side_by_side
from services.node.context import Journal, NodeContext
from services.node.logs import checks
from services.node.round_memory import round_row
from services.node.rounds import statements
from services.node.rounds.due_steps import Due, due_in
from services.node.rounds.requests import is_consent_due
from services.node.safeguards import alarms, left_out, shadow_columns
from services.node.steps import close, consent, exchange_notes, outbox, sync, verify_logs, withdraw
from services.node.steps.submissions import evaluate, finalize, prepare, verify
from services.node.storage.states import LocalRoundState
from services.node.storage.tables import RoundRow

_LOG = Log("node.driver")
_TURN_SECONDS = 5.0


async def advance(
    node: NodeContext,
    round_id: str,
    page: Awaitable[sync.FeedPage] | None = None,
    *,
    looked: bool = False,
    ends: Callable[[], bool] | None = None,
) -> bool:
    """Take one step in a round, and return whether there was anything to do.

    Args:
        node: The node.
        round_id: The round.
        page: The next page of its feed, where that was asked for already.
        looked: Whether the step before has just looked at log and feed, so that this one only works.
        ends: Whether to end after the pieces at hand; after some seconds if not given.

    Raises:
        PeerUnavailableError, StoreError: It cannot go on now.
        AquilaError: What stands in the way was noted as a problem of the round.
    """
    memory, ends = node.rounds.of(round_id), ends or turn(node)
    memory.goes_on, memory.works_on = not looked, False
    try:
        busy = await (_go_on(node, round_id, ends) if looked else _advance(node, round_id, page, ends))
    except AquilaError as error:
        if _ends_part(error):
            # A database that became an older copy meanwhile concerns every round.
            await to_thread(verify_logs.check_own_log, node)
            await to_thread(_refuse, node.journal, round_id, error)
            return True
        if concerns_all(error):
            raise
        if memory.noted != error.sentence:  # an alarm comes back in every step, for days
            await to_thread(_note, node.journal, round_id, error)
        memory.troubled, memory.noted = True, error.sentence
        raise
    if memory.troubled:
        await to_thread(_clear, node.store, round_id)
        memory.troubled, memory.noted = False, None
    return busy


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


async def _advance(
    node: NodeContext, round_id: str, page: Awaitable[sync.FeedPage] | None, ends: Callable[[], bool]
) -> bool:
    row = await to_thread(_row, node.store, round_id)
    if row.state == LocalRoundState.DESTROYING:
        return await to_thread(close.destroy_key, node, round_id)
    if row.state == LocalRoundState.ACTIVE and await to_thread(_decide, node, row):
        return True
    if node.contact.obstacle is not None:
        raise node.contact.obstacle  # keys can still be destroyed, but nothing is signed or sent
    found = await sync.sync(node, row, page)
    if found is None:
        node.rounds.of(round_id).goes_on = False
        return await to_thread(close.end_unknown, node, row)
    read, more = found
    # Nothing is signed before the whole feed was read: it may tell that this database is a restored one.
    memory, due = node.rounds.of(round_id), await to_thread(due_in, node.store, round_id)
    row = due.row
    if row.state == LocalRoundState.ACTIVE and await to_thread(_decide, node, row):
        return True
    # No withdrawal and no note leaves before the receipt.
    if memory.synced and row.refused is None and (not due.signs or await _sign_pending(node, round_id)):
        exchanged, left = await _follow_up(node, due, ends)
        read, more = read or exchanged, more or left
    if row.refused is not None:
        await to_thread(exchange_notes.forget_if_refused, node.store, node.rounds, round_id)
    takes_part = row.state == LocalRoundState.ACTIVE and row.refused is None and memory.synced
    if takes_part and is_consent_due(row):
        more |= await to_thread(consent.consent, node, round_id)
    if not takes_part or row.consent_digest is None:
        memory.goes_on = more or not memory.synced
        return await outbox.send_statements(node, round_id) or read or more
    more |= await _sign_before_work(node, due)
    due = replace(due, says=due.says or due.signs or read or more)
    busy, memory.works_on = await _work(node, due, ends)
    memory.goes_on = more
    return read or more or busy


async def _go_on(node: NodeContext, round_id: str, ends: Callable[[], bool]) -> bool:
    """Do what the step before has made possible, and return whether there was anything; raises as `advance` does."""
    if node.contact.obstacle is not None:
        raise node.contact.obstacle
    memory, due = node.rounds.of(round_id), await to_thread(due_in, node.store, round_id)
    if due.row.state != LocalRoundState.ACTIVE or due.row.refused is not None:
        memory.goes_on = True
        return True
    await to_thread(memory.check_key)
    busy, memory.works_on = await _work(node, due, ends)
    return busy


async def _sign_before_work(node: NodeContext, due: Due) -> bool:
    """Sign what goes before all pieces of work, and return whether there was anything.

    Raises:
        KeyMaterialError: The round key is missing.
        AquilaError: The matcher's log cannot be found right; receipts of released reports are signed when it can.
    """
    round_id = due.row.round_id
    if due.sends:  # so they do while a query's tokens wait for the feed
        await to_thread(shadow_columns.report_missing_tokens, node, round_id)
    # Before tokens are signed: whoever signs an amendment sends no tokens under the old set.
    signed = await to_thread(_sign_amendment, node, round_id)
    if due.alarms:
        signed |= await _acknowledge_released(node, round_id)
        signed |= await to_thread(alarms.send_refusals, node, round_id)
    return signed


def _sign_amendment(node: NodeContext, round_id: str) -> bool:
    node.rounds.of(round_id).check_key()
    return consent.exclude_absent(node, round_id)


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


async def _follow_up(node: NodeContext, due: Due, ends: Callable[[], bool]) -> tuple[bool, bool]:
    """Send corrections, and take the exchange of notes as far as it goes.

    Returns:
        Whether anything was exchanged, and whether more is left.
    """
    round_id, exchanged = due.row.round_id, False
    if due.row.state != LocalRoundState.ACTIVE:  # an asker may have its report as the round ends
        await to_thread(left_out.sign_unchecked, node, round_id)
        await to_thread(left_out.compare, node, round_id)
    more = due.corrects and await to_thread(withdraw.send_corrections, node, round_id)
    if not due.exchanges and due.prepared >= len(node.rounds.of(round_id).record().reports):
        return False, more
    while await to_thread(exchange_notes.exchange_notes, node, round_id):
        exchanged = True
        if ends():
            return True, True
    return exchanged, more


async def _work(node: NodeContext, due: Due, ends: Callable[[], bool]) -> tuple[bool, bool]:
    """Do the next pieces of submissions; return whether there was anything, and whether that may make more possible."""
    round_id, made = due.row.round_id, list[bool]()
    makes = (
        (due.evaluates, evaluate.evaluate),
        (due.verifies, verify.verify),
        (due.prepares, prepare.prepare),
        (due.finalizes, finalize.finalize),
    )
    sends = ((due.acknowledges, verify.acknowledge), (due.says, outbox.send_statements), (due.sends, outbox.send_bytes))
    # Fetching, computing and sending overlap; what is signed, counted or stored is so piece by piece.
    busy = await side_by_side(
        *(_noted(made, lane(node, round_id, ends)) for is_due, lane in makes if is_due),
        *(lane(node, round_id, ends) for is_due, lane in sends if is_due),
        failures=node.rounds.of(round_id).failures,
    )
    if busy and await outbox.send_statements(node, round_id, ends):
        await outbox.send_bytes(node, round_id, ends)  # those that were just signed for
    return busy, any(made) or ends()


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


def turn(node: NodeContext) -> Callable[[], bool]:
    """Return the state whose change makes a new look necessary: feed, deadlines, operator and other rounds."""
    ends = time.monotonic() + _TURN_SECONDS
    return lambda: node.stopping() or time.monotonic() > ends


def _refuse(journal: Journal, round_id: str, error: AquilaError) -> None:
    with journal.store.transaction("round.refuse") as session:
        statements.refuse(session, journal.clock, round_id, "key", error.sentence)
    _LOG.error("round_refused", round=round_id, error=error)


def _clear(store: Store, round_id: str) -> None:
    with store.transaction("round.recovered") as session:
        statements.clear_problem(session, round_id, "step")


def _note(journal: Journal, round_id: str, error: AquilaError) -> None:
    with journal.store.transaction("round.problem") as session:
        statements.report_problem(session, journal.clock, round_id, "step", error.sentence)
