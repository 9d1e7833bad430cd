"""Step 5: what this node signed and made, sent to the matcher: statements by their numbers, then the bytes they name.

Everything here may be sent twice: the matcher takes the same again and says so.
"""

from __future__ import annotations

from asyncio import to_thread
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from aquila.errors import (
    AquilaError,
    BindingError,
    EquivocationError,
    MalformedError,
    OrderError,
    PolicyError,
    ProofError,
)
from aquila.protocol.log_entries import refused_entry
from aquila.protocol.messages import Evaluation, Statement, Submission, Tokens
from aquila.protocol.messages.kinds import StatementKind
from aquila.protocol.rounds.round_state import EvaluationKey
from aquila.sentences import Sentence
from aquila.sentences.sentence import dumps
from services.kit.errors import NotFoundError, PeerFullError, retry_after_of
from services.kit.log.entries import append
from services.kit.logging import Log
from services.kit.work.pipeline import run_in_order, until
from services.node.logs import inclusion_promises
from services.node.round_memory import TakenStatement, round_row
from services.node.rounds import paths, statements
from services.node.storage.states import LocalRoundState, SubmissionState
from services.node.storage.tables import ChunkRow, EvaluationRow, StatementRow, SubmissionRow

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from sqlalchemy.orm import Session

    from aquila.protocol.registry import Registry
    from services.kit.http.peer import Peer
    from services.kit.storage.files import ChunkFiles
    from services.kit.storage.store import Store
    from services.node.context import Journal, NodeContext
    from services.node.round_memory import RoundMemories

_LOG = Log("node.outbox")
_PER_TURN = 512
_ROOM = "room"
_WITH_BYTES = frozenset({StatementKind.SUBMISSION, StatementKind.EVALUATION, StatementKind.TOKENS})


async def send_statements(node: NodeContext, round_id: str, ends: Callable[[], bool] = lambda: False) -> bool:
    """Send own statements in the order of their numbers, and return whether any was sent.

    The high-water mark is raised before: once for all of them, and the bytes that they name go after them.

    Raises:
        PeerUnavailableError: The matcher is away.
        RestoredBackupError: The database is older than what was sent before.
    """
    waiting = await to_thread(_unsent, node.store, round_id)
    if waiting:
        await to_thread(node.high_water.keep, round_id)
    sent = False
    for row in until(ends, waiting):
        sent |= await _send(node, row)
    return sent


def _unsent(store: Store, round_id: str) -> list[StatementRow]:
    query = select(StatementRow).where(
        StatementRow.round_id == round_id, StatementRow.own, ~StatementRow.sent, StatementRow.refusal.is_(None)
    )
    with store.reading("outbox.statements") as session:
        row = round_row(session, round_id)
        if row.state != LocalRoundState.ACTIVE:
            query = query.where(StatementRow.kind.in_(statements.LAST_WORDS))
        if row.refused is not None:
            query = query.where(StatementRow.kind == StatementKind.REFUSAL.value)
        return list(session.scalars(query.order_by(StatementRow.sequence).limit(_PER_TURN)))


async def _send(node: NodeContext, row: StatementRow) -> bool:
    place = f"statement {row.sequence}"
    try:
        path = f"/v1/rounds/{row.round_id}/statements"
        await node.peer.call("POST", path, content=row.envelope, headers={"content-type": "application/json"})
    except OrderError as error:
        # Tokens can be too early, and are sent again. Everything else is signed only when it is due, so it is too late.
        if row.kind == StatementKind.TOKENS:
            problem = Sentence.of("statement_not_taken", kind=row.kind, reason=error.sentence)
            await to_thread(_note, node.journal, row.round_id, place, problem)
        else:
            await to_thread(_give_up, node, row, error)
        return False
    except EquivocationError as error:
        # The matcher knows another statement under this number: we said more than this database remembers.
        problem = Sentence.of("number_used_before", number=row.sequence or 0, reason=error.sentence)
        await to_thread(_refuse, node.journal, row, problem)
        return False
    except (BindingError, PolicyError, MalformedError, ProofError) as error:
        await to_thread(_give_up, node, row, error)
        return False
    # If we crash here, the statement is sent again.
    await to_thread(_mark_sent, node.store, row, place)
    if row.kind in _WITH_BYTES:
        node.rounds.of(row.round_id).taken.add(await to_thread(_taken, node.registry, row))
    _LOG.info("statement_sent", round=row.round_id, state=row.kind)
    return True


def _taken(registry: Registry, row: StatementRow) -> TakenStatement:
    """Return the bytes that a statement names."""
    message = statements.message_of(statements.open_statement(registry, row.envelope))
    assert isinstance(message, Submission | Evaluation | Tokens)
    return TakenStatement(row.kind, message.submission_id, message.index if isinstance(message, Evaluation) else 0)


def _mark_sent(store: Store, row: StatementRow, place: str) -> None:
    with store.transaction("outbox.sent") as session:
        stored = session.get_one(StatementRow, (row.round_id, row.digest))
        stored.sent = True
        inclusion_promises.expect(stored)
        statements.clear_problem(session, row.round_id, place)


def _note(journal: Journal, round_id: str, place: str, problem: Sentence) -> None:
    with journal.store.transaction("outbox.problem") as session:
        statements.report_problem(session, journal.clock, round_id, place, problem)


def _refuse(journal: Journal, row: StatementRow, problem: Sentence) -> None:
    with journal.store.transaction("outbox.refuse") as session:
        session.get_one(StatementRow, (row.round_id, row.digest)).refusal = dumps(problem)
        statements.refuse(session, journal.clock, row.round_id, "restored", problem)


def _give_up(node: NodeContext, row: StatementRow, error: AquilaError) -> None:
    """Keep a statement that will never be taken, with the reason; a submission that it speaks of has failed."""
    with node.store.transaction("outbox.give_up") as session:
        session.get_one(StatementRow, (row.round_id, row.digest)).refusal = dumps(error.sentence)
        problem = Sentence.of("statement_refused", kind=row.kind, reason=error.sentence)
        statements.report_problem(session, node.clock, row.round_id, f"statement {row.sequence}", problem)
        message = statements.message_of(statements.open_statement(node.registry, row.envelope))
        assert isinstance(message, Statement)
        append(session, refused_entry(message, row.digest, node.clock()))
        if isinstance(message, Submission):
            session.get_one(SubmissionRow, message.submission_id).enter(SubmissionState.FAILED)
    _LOG.warning("statement_refused", round=row.round_id, state=row.kind, error=error)


class PendingUpload(NamedTuple):
    """Bytes to send: where to, from where, and what to note when they are there."""

    path: str
    read: Callable[[], bytes]
    note: Callable[[Session], None]
    file: str


async def send_bytes(node: NodeContext, round_id: str, ends: Callable[[], bool]) -> bool:
    """Send chunks, evaluations and tokens whose statements the matcher has, and return whether any was sent.

    Where the matcher has no room, sending pauses for as long as it says, and everything else goes on: what origins
    fetch and acknowledge meanwhile makes room.

    Raises:
        PeerUnavailableError: The matcher is away.
    """
    book = node.rounds.of(round_id)
    if book.is_paused():
        return False
    parcels = await to_thread(_parcels, node, round_id)
    taken: list[PendingUpload] = []
    send, note = partial(_put, node.peer), partial(_note_sent, node, round_id, taken)
    try:
        await run_in_order(until(ends, parcels), send, note, node.calls)
    except PeerFullError as error:
        book.full_until = node.clock() + (retry_after_of(error) or 1)
        problem = Sentence.of("matcher_has_no_room", reason=error.sentence)
        await to_thread(_note, node.journal, round_id, _ROOM, problem)
        return False
    if taken:
        await to_thread(_clear, node.store, round_id, _ROOM)
    # What was not taken is no work: it is tried again when something else has happened, or after the usual wait.
    return bool(taken)


async def _put(peer: Peer, parcel: PendingUpload) -> None:
    content = await to_thread(parcel.read)
    await peer.call("PUT", parcel.path, content=content)


async def _note_sent(
    node: NodeContext, round_id: str, taken: list[PendingUpload], parcel: PendingUpload, begun: Awaitable[None]
) -> None:
    place = f"upload {parcel.path.removeprefix(f'/v1/rounds/{round_id}/submissions/')}"
    try:
        await begun
    except (OrderError, NotFoundError, BindingError) as error:
        # Its statement may not count there yet, or the round may have gone on: the feed will tell.
        problem = Sentence.of("chunk_not_taken", reason=error.sentence)
        await to_thread(_note, node.journal, round_id, place, problem)
    else:
        # If we crash here, the bytes are sent again.
        await to_thread(_parcel_sent, node.store, node.files, round_id, parcel, place)
        taken.append(parcel)


def _clear(store: Store, round_id: str, place: str) -> None:
    with store.transaction("outbox.recovered") as session:
        statements.clear_problem(session, round_id, place)


def _parcel_sent(store: Store, files: ChunkFiles, round_id: str, parcel: PendingUpload, place: str) -> None:
    with store.transaction("outbox.uploaded") as session:
        parcel.note(session)
        statements.clear_problem(session, round_id, place)
    if parcel.file:
        files.delete(parcel.file)


def _parcels(node: NodeContext, round_id: str) -> list[PendingUpload]:
    book = node.rounds.of(round_id)
    with node.store.reading("outbox.bytes") as session, book.reading() as round_:
        submitted = {*round_.submissions, *_named(book.taken, StatementKind.SUBMISSION)}
        blinded = select(ChunkRow).where(
            ChunkRow.round_id == round_id, ~ChunkRow.sent, ChunkRow.submission_id.in_(submitted)
        )
        answers = select(EvaluationRow).where(EvaluationRow.round_id == round_id, ~EvaluationRow.sent)
        finalized = {*round_.tokens, *_named(book.taken, StatementKind.TOKENS)}
        tokens = select(ChunkRow).where(
            ChunkRow.round_id == round_id, ~ChunkRow.tokens_sent, ChunkRow.submission_id.in_(finalized)
        )
        order = ChunkRow.submission_id, ChunkRow.index
        parcels = [_blinded(node.files, row) for row in session.scalars(blinded.order_by(*order).limit(_PER_TURN))]
        parcels += [
            _answer(node.code, node.files, row)
            for row in session.scalars(answers.order_by(EvaluationRow.submission_id, EvaluationRow.index))
            if EvaluationKey(row.submission_id, row.index, node.code) in round_.evaluations
            or TakenStatement(StatementKind.EVALUATION, row.submission_id, row.index) in book.taken
        ][:_PER_TURN]
        parcels += [
            _tokens(node.files, node.rounds, row) for row in session.scalars(tokens.order_by(*order).limit(_PER_TURN))
        ]
    return parcels


def _named(taken: Iterable[TakenStatement], kind: StatementKind) -> Iterator[str]:
    """Yield the submissions that statements of a kind are about."""
    return (one.submission_id for one in taken if one.kind == kind)


def _blinded(files: ChunkFiles, row: ChunkRow) -> PendingUpload:
    name, key = paths.blinded(row.round_id, row.submission_id, row.index), (row.submission_id, row.index)

    def note(session: Session) -> None:
        session.get_one(ChunkRow, key).sent = True

    path = f"{_base(row.round_id, row.submission_id)}/blinded/{row.index}"
    return PendingUpload(path, lambda: files.read(name, bytes.fromhex(row.digest)), note, "")


def _answer(code: str, files: ChunkFiles, row: EvaluationRow) -> PendingUpload:
    name, key = paths.answer(row.round_id, row.submission_id, row.index), (row.submission_id, row.index)

    def note(session: Session) -> None:
        session.get_one(EvaluationRow, key).sent = True

    path = f"{_base(row.round_id, row.submission_id)}/evaluations/{code}/{row.index}"
    return PendingUpload(path, lambda: files.read(name, bytes.fromhex(row.output_digest)), note, name)


def _tokens(files: ChunkFiles, rounds: RoundMemories, row: ChunkRow) -> PendingUpload:
    name, key = paths.tokens(row.round_id, row.submission_id, row.index), (row.submission_id, row.index)

    def note(session: Session) -> None:
        session.get_one(ChunkRow, key).tokens_sent = True
        left = select(ChunkRow).where(ChunkRow.submission_id == row.submission_id, ~ChunkRow.tokens_sent)
        if session.scalars(left).first() is None:
            session.get_one(SubmissionRow, row.submission_id).enter(SubmissionState.TOKENS_SENT)

    path = f"{_base(row.round_id, row.submission_id)}/tokens/{row.index}"
    return PendingUpload(path, lambda: rounds.of(row.round_id).key().open(name, files.read(name)), note, "")


def _base(round_id: str, submission_id: str) -> str:
    return f"/v1/rounds/{round_id}/submissions/{submission_id}"
