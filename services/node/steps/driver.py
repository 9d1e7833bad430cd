"""The driver's step: every round one step further."""

from __future__ import annotations

import time
from asyncio import create_task, gather, to_thread
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import select, union

from aquila.errors import AquilaError, KeyMaterialError, RestoredBackupError
from aquila.protocol.rounds.round_state import ENDED_PHASES, Phase
from services.kit.errors import (
    ExposedSecretError,
    PeerFailedError,
    PeerFullError,
    PeerUnavailableError,
    StoreConflictError,
    StoreError,
)
from services.kit.logging import Log
from services.kit.work.drivers import Driver, each, raise_last
from services.kit.work.pipeline import side_by_side
from services.node.logs import pending_statements
from services.node.round_memory import round_row
from services.node.rounds import statements
from services.node.rounds.due_steps import due_in
from services.node.rounds.requests import is_consent_due
from services.node.safeguards import alarms, canaries
from services.node.steps import (
    close,
    consent,
    discover,
    exchange_notes,
    exclude_absent,
    expire,
    outbox,
    send_suggestions,
    sync,
    verify_logs,
    withdraw,
)
from services.node.steps.listen import Listener
from services.node.steps.submissions import evaluate, finalize, prepare, verify
from services.node.storage.states import LocalRoundState
from services.node.storage.tables import RoundRow, StatementRow

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from aquila.protocol.messages.feed import Events
    from services.kit.storage.store import Store
    from services.node.context import Journal, LongPollResult, NodeContext
    from services.node.rounds.due_steps import Due

_LOG = Log("node.driver")
_LAST_DELAY = 10.0
_ONGOING = [phase.value for phase in Phase if phase not in ENDED_PHASES]
_AT_ONCE = 4  # rounds that are at work, and feeds that travel, at the same time
_TURN_SECONDS = 5.0
_EXPIRY_SECONDS = 3_600


class RoundsDriver:
    """Advances all rounds of a node, a few at the same time: one with much to do does not hold up the others.

    Nor does one that cannot go on: it is tried again after a while of its own, or when a person asks for something.

    A look at few open rounds is one at each. Where many are open, a look costs what has happened and not how many there
    are: it is one at the rounds in which there was something to do, and at those that the matcher has news of. All of
    them are looked at after the start, after a wait without news, when a person asked for something, when the state of
    the matcher's list has changed, and every `poll_seconds` while there is work.
    """

    def __init__(self, node: NodeContext) -> None:
        self._node = node
        self._busy = self._again = False
        self._working: list[str] = []
        self._unsettled: set[str] = set()
        self._looked_at: set[str] = set()
        self._all_at: float | None = None
        self._expires_at = 0
        node.wake = self._look_at_all

    def driver(self) -> Driver:
        """Return the driver that repeats `step`, and let handlers wake it."""
        node = self._node
        listener = Listener(node, self._listened_to)
        driver = Driver(
            "rounds", self._turn, interval=node.settings.poll_seconds, last_delay=_LAST_DELAY, wait=listener.wait
        )
        node.wake, node.stopping = partial(self._wake, driver), lambda: driver.stopping
        return driver

    def _look_at_all(self) -> None:
        """Let the next step look at every open round: a person asked for something in one of them."""
        self._all_at = None
        self._node.retries.end_waits()

    def _wake(self, driver: Driver) -> None:
        self._look_at_all()
        driver.wake()

    async def _turn(self) -> bool:
        """Take one step and finish the work that it makes possible; return whether another has something to do already.

        Raises:
            AquilaError: As `step` does.
        """
        await self.step(self._node.retries.waiting())
        ends = _turn(self._node)
        while self._working and not (self._again or ends()):
            working, self._working = self._working, []
            await each(working, partial(self._take, looked=True), _AT_ONCE)
        return self._again or bool(self._working)

    async def step(self, waiting: Collection[str] = ()) -> bool:
        """Take one step in every round, and return whether there was anything to do.

        Args:
            waiting: Rounds that could not go on, and whose time has not come.

        Raises:
            AquilaError: No round can go on now: the matcher is away, the disk is full, or a log was rewritten.
        """
        node = self._node
        held, node.contact.held = node.contact.held, None
        known = await to_thread(self._open_rounds)
        node.retries.forget_others(known)
        rounds = [one for one in self._due(known, held) if one not in waiting]
        # The feeds travel while the log is looked at, or have come with a long poll. Nothing of them counts before the
        # log was found right.
        pages = {one: create_task(sync.fetch(node, one, held)) for one in rounds[:_AT_ONCE]}
        try:
            return await self._step(rounds, pages, held)
        finally:
            for page in pages.values():
                page.cancel()
            await gather(*pages.values(), return_exceptions=True)

    def _open_rounds(self) -> list[str]:
        """Return the open rounds, and forget what is known of most others: a node has years of them."""
        found = open_rounds(self._node)
        self._node.rounds.forget_resting(found)
        return found

    def _listened_to(self) -> list[str]:
        """Return the open rounds of which news is waited for: a round that cannot go on has taken none of what came."""
        waiting = self._node.retries.waiting()
        return [one for one in open_rounds(self._node) if one not in waiting]

    def _due(self, rounds: list[str], held: LongPollResult | None) -> list[str]:
        """Return which of the open rounds the next look is at."""
        node, now = self._node, time.monotonic()
        known, self._looked_at = self._looked_at, set(rounds)
        feeds = None if held is None else held.news.feeds
        is_enough = (
            len(rounds) > _AT_ONCE
            and self._all_at is not None
            and node.contact.obstacle is None
            # With a long poll the matcher says where there is news; without one only work is a reason to look again.
            and (
                self._busy and now - self._all_at < node.settings.poll_seconds
                if held is None
                else feeds is not None and held.news.state == node.contact.state
            )
        )
        if not is_enough:
            self._all_at = now
            return rounds
        return [one for one in rounds if one in self._unsettled or one not in known or self._has_news(one, feeds or {})]

    def _has_news(self, round_id: str, feeds: Mapping[str, Events]) -> bool:
        """Return whether the page of a feed that came with a long poll has anything that this node does not know."""
        page, memory = feeds.get(round_id), self._node.rounds.of(round_id)
        if page is None:
            return False
        return bool(page.events) or frozenset(page.ready) != memory.ready or page.late != memory.late

    async def _step(
        self, rounds: list[str], pages: Mapping[str, Awaitable[sync.FeedPage]], held: LongPollResult | None
    ) -> bool:
        node = self._node
        # A matcher that is away keeps no round from being destroyed by our own clock, or at the operator's word.
        # While there is work, what others named and the matcher promised is proved where a signature needs it.
        await verify_logs.verify_logs(node, prove=not self._busy and held is None, held=held)
        # While there is work, new rounds can wait, but for those that a long poll told of.
        was_quiet = not self._busy
        first, last = list[Callable[[], Awaitable[bool]]](), list[Callable[[], Awaitable[bool]]]()
        if (was_quiet or held) and node.contact.obstacle is None:
            listed = None if held is None else held.news
            first = [partial(discover.discover, node, listed), partial(send_suggestions.send_suggestions, node)]
        if node.clock() >= self._expires_at:
            last = [partial(_expire, node)]
            self._expires_at = node.clock() + _EXPIRY_SECONDS
        self._busy = self._again = False
        self._working = []
        self._unsettled.difference_update(rounds)
        try:
            self._busy = await _in_turn(
                partial(each, first, self._other),
                partial(each, rounds, lambda one: self._take(one, pages.get(one)), _AT_ONCE),
                partial(each, last, self._other),
            )
            if not self._busy and node.contact.obstacle is None:
                await verify_logs.prove_at_rest(node)
            if not self._busy and node.contact.obstacle is None:
                await verify_logs.send_cosignature(node)
                if was_quiet:  # what others check of this node's log can wait until the work is done
                    await verify_logs.publish_log(node)
        except PeerUnavailableError as error:
            if isinstance(error, PeerFullError):
                node.contact.answered(node.clock())
            else:
                node.contact.lost(node.clock(), error)
            raise
        return self._busy

    async def _take(self, round_id: str, page: Awaitable[sync.FeedPage] | None = None, *, looked: bool = False) -> bool:
        """Advance a round, and return whether it had anything to do; raises what `advance` does and concerns all."""
        self._unsettled.add(round_id)
        try:
            busy = await advance(self._node, round_id, page, looked=looked, ends=self._turn_of_round())
        except AquilaError as error:
            if _concerns_all(error) or self._node.contact.obstacle is not None:
                raise
            write = _LOG.warning if self._node.retries.failed(round_id, error) else _LOG.debug
            write("round_failed", round=round_id, error=error)
            return False
        if failures := self._node.retries.succeeded(round_id):
            _LOG.info("round_recovered", round=round_id, count=failures)
        memory = self._node.rounds.of(round_id)
        if not busy and not memory.goes_on:
            self._unsettled.discard(round_id)
        # What is waited for from others comes with news; another step is for what this one has left to do here.
        self._again |= busy and memory.goes_on
        if busy and memory.works_on:
            self._working.append(round_id)
        return busy

    def _turn_of_round(self) -> Callable[[], bool]:
        """Return whether a round lets the others have a look: after a while, or once one of them needs one."""
        ends = _turn(self._node)
        return lambda: self._again or ends()

    async def _other(self, piece: Callable[[], Awaitable[bool]]) -> bool:
        """Take a piece that is about no round, and return whether it had anything to do; raises as the piece does."""
        busy = await piece()
        self._again |= busy
        return busy


async def _in_turn(*parts: Callable[[], Awaitable[bool]]) -> bool:
    """Do parts one after another, whatever becomes of those before, and return whether there was anything to do.

    Raises:
        AquilaError: The last failure; the others are logged.
    """
    busy, failed = False, list[AquilaError]()
    for part in parts:
        try:
            busy |= await part()
        except AquilaError as error:
            failed.append(error)
    raise_last(failed)
    return busy


def open_rounds(node: NodeContext) -> list[str]:
    """Return the rounds that are not over here.

    They are active, being destroyed, or not ended; or there is something to say or to hear in them after their end.
    """
    told = [round_id for round_id, newest in node.contact.news.items() if _is_behind(node.store, round_id, newest)]
    # Each part by an index of its own: among years of rounds those that are over would all be read otherwise.
    known = select(RoundRow.round_id)
    going = union(
        known.where(RoundRow.state.in_([LocalRoundState.ACTIVE, LocalRoundState.DESTROYING])),
        known.where(RoundRow.state == LocalRoundState.DESTROYED, RoundRow.phase.in_(_ONGOING)),
        select(StatementRow.round_id).where(StatementRow.own, ~StatementRow.sent, StatementRow.refusal.is_(None)),
        withdraw.rounds_to_correct(node.clock, node.settings.outcome_hours),
        *exchange_notes.rounds_to_exchange(),
        pending_statements.rounds_with_due(),
        known.where(RoundRow.round_id.in_(told)),
    )
    query = select(RoundRow.round_id).where(RoundRow.round_id.in_(going))
    with node.store.reading("rounds.open") as session:
        return list(session.scalars(query.order_by(RoundRow.discovered_at, RoundRow.round_id)))


async def _expire(node: NodeContext) -> bool:
    """Erase what retention ends; raises as `expire.expire` does."""
    return await to_thread(expire.expire, node)


def _is_behind(store: Store, round_id: str, newest: int) -> bool:
    """Return whether a round's feed has something about withdrawals that this node has not read."""
    with store.reading("rounds.behind") as session:
        row = session.get(RoundRow, round_id)
    return row is not None and row.refused is None and row.cursor < newest


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
    memory, ends = node.rounds.of(round_id), ends or _turn(node)
    memory.goes_on, memory.works_on = not looked, False
    try:
        busy = await (_go_on(node, round_id, ends) if looked else _advance(node, round_id, page, ends))
    except AquilaError as error:
        if _ends_part(error):
            # A database that became an older copy meanwhile concerns every round.
            await to_thread(verify_logs.check_own_log, node)
            await to_thread(_refuse, node.journal, round_id, error)
            return True
        if _concerns_all(error):
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


def _concerns_all(error: AquilaError) -> bool:
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
    # Before tokens are signed: whoever signs an amendment sends no tokens under the old set.
    signed = await to_thread(_sign_amendment, node, round_id)
    if due.alarms:
        signed |= await _acknowledge_released(node, round_id)
        signed |= await to_thread(alarms.send_refusals, node, round_id)
    return signed


def _sign_amendment(node: NodeContext, round_id: str) -> bool:
    node.rounds.of(round_id).check_key()
    return exclude_absent.exclude_absent(node, round_id)


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
    sends = (
        (due.acknowledges, verify.acknowledge),
        (due.says, outbox.send_statements),
        (due.sends, outbox.send_bytes),
    )
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
    if await to_thread(pending_statements.sign, node, round_id):
        return True
    await verify_logs.prove_log(node)
    return await to_thread(pending_statements.sign, node, round_id)


async def _noted(made: list[bool], lane: Awaitable[bool]) -> bool:
    """Let a lane run, and note whether it had anything to do; raises as the lane does."""
    made.append(await lane)
    return made[-1]


def _row(store: Store, round_id: str) -> RoundRow:
    with store.reading("round.look") as session:
        return round_row(session, round_id)


def _decide(node: NodeContext, row: RoundRow) -> bool:
    """Judge what takes the round key, then look whether the round ends here; return whether it does.

    Raises:
        AquilaError: Something cannot be read or judged, and the end has not come; it keeps no round from its end.
    """
    try:
        if row.refused is None:
            canaries.judge(node, row.round_id)
        return close.decide(node, row)
    except AquilaError as error:
        # Where this node takes no further part, nothing is judged in the next step.
        if _ends_part(error) or not close.decide_unread(node, row, error):
            raise
        return True


def _turn(node: NodeContext) -> Callable[[], bool]:
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
