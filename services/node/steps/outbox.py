"""Step 5: what this node signed and made, sent to the matcher: statements by their numbers, then the bytes they name.

Everything here may be sent twice: the matcher takes the same again and says so.
"""

from __future__ import annotations

import base64
from asyncio import to_thread
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Literal, NamedTuple, TypeAlias

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.crypto.group import ELEMENT_BYTES
from aquila.errors import (
    AquilaError,
    BindingError,
    EquivocationError,
    MalformedError,
    OrderError,
    PolicyError,
    ProofError,
)
from aquila.matching.join import TOKEN_ROW_BYTES
from aquila.protocol.log_entries import refused_entry
from aquila.protocol.messages import Evaluation, Statement, StatementKind, Submission, Tokens
from aquila.protocol.messages.feed import MOST_PARTS, BytesPart, Consignment, ConsignmentAnswer, StatementPart
from aquila.protocol.registry import Registry
from aquila.protocol.rounds.round_state import EvaluationKey
from aquila.sentences import Sentence
from aquila.sentences.sentence import dumps
from services.kit.errors import NotFoundError, PeerFullError, error_from_problem, retry_after_of
from services.kit.http.peer import Peer
from services.kit.log.entries import append
from services.kit.logging import Log
from services.kit.storage.files import ChunkFiles
from services.kit.storage.store import Store
from services.kit.work.drivers import run_in_order, until
from services.node.context import Journal, NodeContext
from services.node.logs import inclusion_promises
from services.node.round_memory import RoundMemories, TakenStatement, round_row
from services.node.rounds import paths, statements
from services.node.storage.states import LocalRoundState, SubmissionState
from services.node.storage.tables import ChunkRow, ColumnPieceRow, EvaluationRow, StatementRow, SubmissionRow

_LOG = Log("node.outbox")
_PER_TURN = 512
_ROOM = "room"
_TOGETHER_BYTES = 1 << 19
_FEW_BYTES = 1 << 17  # of a statement, that travel with it
_AS_JSON = {"content-type": "application/json"}
_REFUSALS = (OrderError, EquivocationError, BindingError, PolicyError, MalformedError, ProofError)
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
    while waiting and not (sent and ends()):
        if node.contact.takes_consignments and (len(waiting) > 1 or waiting[0].kind in _WITH_BYTES):
            dealt_with, went = await _send_together(node, round_id, waiting)
        else:
            dealt_with, went = 1, await _send(node, waiting[0])
        sent |= went
        if not dealt_with:
            break  # the matcher cannot take more now
        waiting = waiting[dealt_with:]
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
    """Send one statement by itself, and return whether it was taken."""
    path = f"/v1/rounds/{row.round_id}/statements"
    try:
        await node.peer.call("POST", path, content=row.envelope, headers=_AS_JSON)
    except _REFUSALS as error:
        await _refused(node, row, error)
        return False
    # If we crash here, the statement is sent again.
    await _took(node, [row])
    return True


async def _send_together(node: NodeContext, round_id: str, rows: Sequence[StatementRow]) -> tuple[int, bool]:
    """Send several statements in one call, with the bytes that they name where these are few (PROTOCOL.md 9.8).

    Returns:
        How many statements were dealt with, and whether one of them was taken.

    Raises:
        PeerUnavailableError: The matcher is away.
        MalformedError: Its answer cannot be read.
    """
    items = await to_thread(_packed, node, rows)
    together = Consignment(parts=tuple(part for part, _ in items))
    path = f"/v1/rounds/{round_id}/consignments"
    answer = ConsignmentAnswer.from_payload(
        (await node.peer.call("POST", path, content=together.payload(), headers=_AS_JSON)).content
    )
    taken = [item for _, item in items[: answer.taken]]
    said = [item for item in taken if isinstance(item, StatementRow)]
    # If we crash here, all of it is sent again.
    await _took(node, said)
    for upload in (item for item in taken if isinstance(item, PendingUpload)):
        await to_thread(_parcel_sent, node.store, node.files, round_id, upload, _upload_place(round_id, upload))
    refused = items[answer.taken][1] if answer.problem is not None and answer.taken < len(items) else None
    if not isinstance(refused, StatementRow):
        return len(said), bool(
            said
        )  # bytes that were refused are sent by themselves, and what is said of them then counts
    error = error_from_problem((answer.problem or "").encode())
    if not isinstance(error, _REFUSALS):
        raise error
    await _refused(node, refused, error)
    return len(said) + 1, bool(said)


def _packed(
    node: NodeContext, rows: Sequence[StatementRow]
) -> list[tuple[StatementPart | BytesPart, StatementRow | PendingUpload]]:
    """Return the parts of a consignment, each with the data from which it was made: one statement at least."""
    items: list[_Item] = []
    room = _TOGETHER_BYTES
    for row in rows:
        uploads = _uploads_of(node, row) if row.kind in _WITH_BYTES else []
        if items and (len(items) + 1 + len(uploads) > MOST_PARTS or len(row.envelope) > room):
            break
        items.append((StatementPart(envelope=row.envelope.decode()), row))
        room -= len(row.envelope)
        if sum(upload.size for upload in uploads) <= min(room, _FEW_BYTES) and len(uploads) < MOST_PARTS:
            room -= sum(upload.size for upload in uploads)
            items += [(_bytes_part(upload), upload) for upload in uploads]
    return items


def _bytes_part(upload: PendingUpload) -> BytesPart:
    content = base64.b64encode(upload.read()).decode()
    return BytesPart(part=upload.what, submission_id=upload.submission_id, index=upload.chunk, content=content)


def _uploads_of(node: NodeContext, row: StatementRow) -> list[PendingUpload]:
    """Return the bytes that a statement names and the matcher has not got."""
    named = _named_by(node.registry, row)
    chunks = select(ChunkRow).where(ChunkRow.submission_id == named.submission_id).order_by(ChunkRow.index)
    with node.store.reading("outbox.named") as session:
        if row.kind == StatementKind.SUBMISSION:
            return [_blinded(node.files, one) for one in session.scalars(chunks.where(~ChunkRow.sent))]
        if row.kind == StatementKind.TOKENS:
            pieces = select(ColumnPieceRow).where(
                ColumnPieceRow.submission_id == named.submission_id, ~ColumnPieceRow.sent
            )
            return [
                *(
                    _tokens(node.files, node.rounds, one)
                    for one in session.scalars(chunks.where(~ChunkRow.tokens_sent))
                ),
                *(_piece(node.files, node.rounds, o) for o in session.scalars(pieces.order_by(ColumnPieceRow.index))),
            ]
        answer = session.get(EvaluationRow, (named.submission_id, named.chunk))
        return [] if answer is None or answer.sent else [_answer(node.code, node.files, answer)]


async def _took(node: NodeContext, rows: Sequence[StatementRow]) -> None:
    """Store that the matcher took statements."""
    await to_thread(_mark_sent, node.store, rows)
    for row in rows:
        if row.kind in _WITH_BYTES:
            node.rounds.of(row.round_id).taken.add(await to_thread(_named_by, node.registry, row))
        _LOG.info("statement_sent", round=row.round_id, state=row.kind)


async def _refused(node: NodeContext, row: StatementRow, error: AquilaError) -> None:
    """Store that the matcher refused a statement."""
    if isinstance(error, OrderError) and row.kind == StatementKind.TOKENS:
        # Tokens can be too early, and are sent again. Everything else is signed only when it is due, so it is too late.
        problem = Sentence.of("statement_not_taken", kind=row.kind, reason=error.sentence)
        await to_thread(_note, node.journal, row.round_id, _place(row), problem)
    elif isinstance(error, EquivocationError):
        # The matcher knows another statement under this number: we said more than this database remembers.
        problem = Sentence.of("number_used_before", number=row.sequence or 0, reason=error.sentence)
        await to_thread(_refuse, node.journal, row, problem)
    else:
        await to_thread(_give_up, node, row, error)


def _named_by(registry: Registry, row: StatementRow) -> TakenStatement:
    """Return the bytes that a statement names."""
    message = statements.message_of(statements.open_statement(registry, row.envelope))
    assert isinstance(message, Submission | Evaluation | Tokens)
    return TakenStatement(row.kind, message.submission_id, message.index if isinstance(message, Evaluation) else 0)


def _place(row: StatementRow) -> str:
    return f"statement {row.sequence}"


def _mark_sent(store: Store, rows: Sequence[StatementRow]) -> None:
    with store.transaction("outbox.sent") as session:
        for row in rows:
            stored = session.get_one(StatementRow, (row.round_id, row.digest))
            stored.sent = True
            inclusion_promises.expect(stored)
            statements.clear_problem(session, row.round_id, _place(row))


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
    """Bytes to send: the path, where they are read, what marks them as sent, what they are and how many."""

    path: str
    read: Callable[[], bytes]
    mark_sent: Callable[[Session], None]
    file: str
    what: Literal["blinded", "evaluation", "tokens"]
    submission_id: str
    chunk: int
    size: int


_Item: TypeAlias = tuple[StatementPart | BytesPart, StatementRow | PendingUpload]


async def send_bytes(node: NodeContext, round_id: str, ends: Callable[[], bool]) -> bool:
    """Send chunks, evaluations and tokens whose statements the matcher has, and return whether any was sent.

    Where the matcher has no room, sending pauses for as long as it says, and everything else goes on: what origins
    fetch and acknowledge meanwhile makes room.

    Raises:
        PeerUnavailableError: The matcher is away.
    """
    memory = node.rounds.of(round_id)
    if memory.is_paused():
        return False
    parcels = await to_thread(_parcels, node, round_id)
    taken: list[PendingUpload] = []
    send, finish = partial(_put, node.peer), partial(_finish_upload, node, round_id, taken)
    try:
        await run_in_order(until(ends, parcels), send, finish, node.calls)
    except PeerFullError as error:
        memory.full_until = node.clock() + (retry_after_of(error) or 1)
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


async def _finish_upload(
    node: NodeContext, round_id: str, taken: list[PendingUpload], parcel: PendingUpload, begun: Awaitable[None]
) -> None:
    place = _upload_place(round_id, parcel)
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


def _upload_place(round_id: str, parcel: PendingUpload) -> str:
    return f"upload {parcel.path.removeprefix(f'/v1/rounds/{round_id}/submissions/')}"


def _clear(store: Store, round_id: str, place: str) -> None:
    with store.transaction("outbox.recovered") as session:
        statements.clear_problem(session, round_id, place)


def _parcel_sent(store: Store, files: ChunkFiles, round_id: str, parcel: PendingUpload, place: str) -> None:
    with store.transaction("outbox.uploaded") as session:
        parcel.mark_sent(session)
        statements.clear_problem(session, round_id, place)
    if parcel.file:
        files.delete(parcel.file)


def _parcels(node: NodeContext, round_id: str) -> list[PendingUpload]:
    memory = node.rounds.of(round_id)
    with node.store.reading("outbox.bytes") as session, memory.reading() as round_:
        submitted = {*round_.submissions, *_named(memory.taken, StatementKind.SUBMISSION)}
        blinded = select(ChunkRow).where(
            ChunkRow.round_id == round_id, ~ChunkRow.sent, ChunkRow.submission_id.in_(submitted)
        )
        answers = select(EvaluationRow).where(EvaluationRow.round_id == round_id, ~EvaluationRow.sent)
        finalized = {*round_.tokens, *_named(memory.taken, StatementKind.TOKENS)}
        tokens = select(ChunkRow).where(
            ChunkRow.round_id == round_id, ~ChunkRow.tokens_sent, ChunkRow.submission_id.in_(finalized)
        )
        order = ChunkRow.submission_id, ChunkRow.index
        parcels = [_blinded(node.files, row) for row in session.scalars(blinded.order_by(*order).limit(_PER_TURN))]
        parcels += [
            _answer(node.code, node.files, row)
            for row in session.scalars(answers.order_by(EvaluationRow.submission_id, EvaluationRow.index))
            if EvaluationKey(row.submission_id, row.index, node.code) in round_.evaluations
            or TakenStatement(StatementKind.EVALUATION, row.submission_id, row.index) in memory.taken
        ][:_PER_TURN]
        parcels += [
            _tokens(node.files, node.rounds, row) for row in session.scalars(tokens.order_by(*order).limit(_PER_TURN))
        ]
        pieces = select(ColumnPieceRow).where(
            ColumnPieceRow.round_id == round_id, ~ColumnPieceRow.sent, ColumnPieceRow.submission_id.in_(finalized)
        )
        by_place = ColumnPieceRow.submission_id, ColumnPieceRow.index
        parcels += [
            _piece(node.files, node.rounds, row) for row in session.scalars(pieces.order_by(*by_place).limit(_PER_TURN))
        ]
    return parcels


def _named(taken: Iterable[TakenStatement], kind: StatementKind) -> Iterator[str]:
    """Yield the submissions that statements of a kind are about."""
    return (one.submission_id for one in taken if one.kind == kind)


def _blinded(files: ChunkFiles, row: ChunkRow) -> PendingUpload:
    name, key = paths.blinded(row.round_id, row.submission_id, row.index), (row.submission_id, row.index)

    def mark_sent(session: Session) -> None:
        session.get_one(ChunkRow, key).sent = True

    path = f"{_base(row.round_id, row.submission_id)}/blinded/{row.index}"
    size = row.elements * ELEMENT_BYTES
    return PendingUpload(
        path,
        lambda: files.read(name, bytes.fromhex(row.digest)),
        mark_sent,
        "",
        "blinded",
        row.submission_id,
        row.index,
        size,
    )


def _answer(code: str, files: ChunkFiles, row: EvaluationRow) -> PendingUpload:
    name, key = paths.answer(row.round_id, row.submission_id, row.index), (row.submission_id, row.index)

    def mark_sent(session: Session) -> None:
        session.get_one(EvaluationRow, key).sent = True

    path = f"{_base(row.round_id, row.submission_id)}/evaluations/{code}/{row.index}"
    size = row.elements * ELEMENT_BYTES
    return PendingUpload(
        path,
        lambda: files.read(name, bytes.fromhex(row.output_digest)),
        mark_sent,
        name,
        "evaluation",
        row.submission_id,
        row.index,
        size,
    )


def _tokens(files: ChunkFiles, rounds: RoundMemories, row: ChunkRow) -> PendingUpload:
    name, key = paths.tokens(row.round_id, row.submission_id, row.index), (row.submission_id, row.index)

    def mark_sent(session: Session) -> None:
        session.get_one(ChunkRow, key).tokens_sent = True
        _all_tokens_sent(session, row.submission_id)

    path = f"{_base(row.round_id, row.submission_id)}/tokens/{row.index}"
    size = (row.token_rows or 0) * TOKEN_ROW_BYTES
    return PendingUpload(
        path,
        lambda: rounds.of(row.round_id).key().open(name, files.read(name)),
        mark_sent,
        "",
        "tokens",
        row.submission_id,
        row.index,
        size,
    )


def _piece(files: ChunkFiles, rounds: RoundMemories, row: ColumnPieceRow) -> PendingUpload:
    name, key = paths.tokens(row.round_id, row.submission_id, row.index), (row.submission_id, row.index)

    def mark_sent(session: Session) -> None:
        session.get_one(ColumnPieceRow, key).sent = True
        _all_tokens_sent(session, row.submission_id)

    path = f"{_base(row.round_id, row.submission_id)}/tokens/{row.index}"
    return PendingUpload(
        path,
        lambda: rounds.of(row.round_id).key().open(name, files.read(name)),
        mark_sent,
        name,
        "tokens",
        row.submission_id,
        row.index,
        row.size,
    )


def _all_tokens_sent(session: Session, submission_id: str) -> None:
    """Note of a submission that the matcher has all of its tokens, where it has."""
    rows = select(ChunkRow).where(ChunkRow.submission_id == submission_id, ~ChunkRow.tokens_sent)
    pieces = select(ColumnPieceRow).where(ColumnPieceRow.submission_id == submission_id, ~ColumnPieceRow.sent)
    if session.scalars(rows).first() is None and session.scalars(pieces).first() is None:
        session.get_one(SubmissionRow, submission_id).enter(SubmissionState.TOKENS_SENT)


def _base(round_id: str, submission_id: str) -> str:
    return f"/v1/rounds/{round_id}/submissions/{submission_id}"
