"""Step 5: what this node signed and made, sent to the matcher: statements by their numbers, then the bytes they name.

Everything here may be sent twice: the matcher takes the same again and says so.
"""

from __future__ import annotations

import base64
from asyncio import to_thread
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, inspect, select, tuple_
from sqlalchemy.orm import Session, object_mapper

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
from aquila.interface.rounds import SubmissionState
from aquila.protocol.log_entries import refused_entry
from aquila.protocol.messages import Evaluation, Kind, Statement, StatementKind, Submission, Tokens
from aquila.protocol.messages.feed import MOST_PARTS, BytesPart, Consignment, ConsignmentAnswer, StatementPart
from aquila.protocol.registry import Registry
from aquila.protocol.rounds.round_state import ColumnKey, EvaluationKey
from aquila.sentences import Sentence
from aquila.sentences.sentence import dumps
from services.kit.errors import NotFoundError, PeerFullError, error_from_problem, retry_after_of
from services.kit.http.peer import AS_JSON
from services.kit.log.entries import Journal, append
from services.kit.logging import Log
from services.kit.storage.files import ChunkFiles
from services.kit.storage.store import Store
from services.kit.work.drivers import run_in_order, until
from services.node.context import NodeContext
from services.node.logs import checks
from services.node.round_memory import RoundMemories, TakenStatement, round_row
from services.node.rounds import paths, statements, work
from services.node.safeguards import shadow_columns
from services.node.storage.states import LocalRoundState, Step
from services.node.storage.tables import ChunkRow, EvaluationRow, StatementRow, SubmissionRow, TokenPartRow

_LOG = Log("node.outbox")
_PER_TURN = 512
_ROOM = "room"
_TOGETHER_BYTES = 1 << 19
_FEW_BYTES = 1 << 17  # of a statement, that travel with it, and of a chunk that travels with others
_REFUSALS = (OrderError, EquivocationError, BindingError, PolicyError, MalformedError, ProofError)
RowT = TypeVar("RowT", ChunkRow, EvaluationRow, TokenPartRow)
_WITH_BYTES = frozenset({StatementKind.SUBMISSION, StatementKind.EVALUATION, StatementKind.TOKENS})


async def send_statements(node: NodeContext, round_id: str, ends: Callable[[], bool] = lambda: False) -> bool:
    """Send own statements in the order of their numbers, and return whether any was sent.

    The high-water mark is raised before: once for all of them, and the bytes that they name go after them.

    Raises:
        RestoredBackupError: The database is older than what was sent before.
    """
    waiting = await to_thread(_unsent, node.store, round_id)
    if waiting:
        await to_thread(node.high_water.keep, round_id)
    sent = False
    while waiting and not (sent and ends()):
        dealt_with, went = await _send_together(node, round_id, waiting)
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


async def _send_together(node: NodeContext, round_id: str, rows: Sequence[StatementRow]) -> tuple[int, bool]:
    """Send several statements in one call, with the bytes that they name where these are few (PROTOCOL.md 9.8).

    Returns:
        How many statements were dealt with, and whether one of them was taken.

    Raises:
        MalformedError: Its answer cannot be read.
    """
    items = await to_thread(_packed, node, rows)
    answer = await _consign(node, round_id, [part for part, _ in items])
    taken = [item for _, item in items[: answer.taken]]
    said = [item for item in taken if isinstance(item, StatementRow)]
    # If we crash here, all of it is sent again.
    await _took(node, said)
    await to_thread(_uploads_sent, node.store, node.files, [one for one in taken if isinstance(one, PendingUpload)])
    refused = items[answer.taken][1] if answer.problem is not None and answer.taken < len(items) else None
    if not isinstance(refused, StatementRow):
        # Bytes that were refused are sent by themselves, and what is said of them then counts.
        return len(said), bool(said)
    error = error_from_problem((answer.problem or "").encode())
    if not isinstance(error, _REFUSALS):
        raise error
    await _refused(node, refused, error)
    return len(said) + 1, bool(said)


async def _consign(node: NodeContext, round_id: str, parts: Sequence[StatementPart | BytesPart]) -> ConsignmentAnswer:
    """Send parts in one call, and return what was taken of them; raises MalformedError if its answer cannot be read."""
    path, content = f"/v1/rounds/{round_id}/consignments", Consignment(parts=tuple(parts)).payload()
    return ConsignmentAnswer.from_payload(
        (await node.peer.call("POST", path, content=content, headers=AS_JSON)).content
    )


def _packed(
    node: NodeContext, rows: Sequence[StatementRow]
) -> list[tuple[StatementPart | BytesPart, StatementRow | PendingUpload]]:
    """Return the parts of a consignment, each with the data from which it was made: one statement at least."""
    items: list[_Item] = []
    room = _TOGETHER_BYTES
    for row in rows:
        uploads = _uploads_of(node, row) if row.kind in _WITH_BYTES and not _waits_for_feed(node, row) else []
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
    return BytesPart(
        part=upload.what,
        submission_id=upload.row.submission_id,
        index=upload.row.index,
        counterpart=upload.counterpart,
        content=content,
    )


def _waits_for_feed(node: NodeContext, row: StatementRow) -> bool:
    """Return whether the bytes that a statement names wait until it is in the feed: tokens of a query (3.6.3).

    A matcher that had them and refused the statement would get the same dummies in the column of the next query.
    """
    if row.kind != StatementKind.TOKENS:
        return False
    return (
        node.rounds.of(row.round_id).record().submissions[_named_by(node.registry, row).submission_id].kind
        is Kind.QUERY
    )


def _uploads_of(node: NodeContext, row: StatementRow) -> list[PendingUpload]:
    """Return the bytes that a statement names and the matcher has not got."""
    named, files = _named_by(node.registry, row), node.files
    chunks = select(ChunkRow).where(ChunkRow.submission_id == named.submission_id).order_by(ChunkRow.index)
    with node.store.reading("outbox.named") as session:
        if row.kind == StatementKind.SUBMISSION:
            return [_blinded(files, one) for one in session.scalars(chunks.where(~ChunkRow.sent))]
        if row.kind == StatementKind.TOKENS:
            of_column = TokenPartRow.submission_id == named.submission_id, TokenPartRow.counterpart == named.counterpart
            parts = select(TokenPartRow).where(*of_column, ~TokenPartRow.sent).order_by(TokenPartRow.index)
            return [_tokens(files, node.rounds, one) for one in session.scalars(parts)]
        answer = session.get(EvaluationRow, (named.submission_id, named.chunk))
        return [] if answer is None or answer.sent else [_answer(files, answer)]


async def _took(node: NodeContext, rows: Sequence[StatementRow]) -> None:
    """Store that the matcher took statements."""
    await to_thread(_mark_sent, node.store, rows)
    for row in rows:
        if row.kind in _WITH_BYTES and not _waits_for_feed(node, row):
            node.rounds.of(row.round_id).taken.add(await to_thread(_named_by, node.registry, row))
        _LOG.info("statement_sent", round=row.round_id, state=row.kind)


async def _refused(node: NodeContext, row: StatementRow, error: AquilaError) -> None:
    """Store that the matcher refused a statement."""
    if isinstance(error, EquivocationError):
        # The matcher knows another statement under this number: we said more than this database remembers.
        problem = Sentence.of("number_used_before", number=row.sequence or 0, reason=error.sentence)
        await to_thread(_refuse, node.journal, row, problem)
    else:
        await to_thread(_give_up, node, row, error)


def _named_by(registry: Registry, row: StatementRow) -> TakenStatement:
    """Return the bytes that a statement names."""
    message = statements.message_of(statements.open_statement(registry, row.envelope))
    assert isinstance(message, Submission | Evaluation | Tokens)
    taken = TakenStatement(row.kind, message.submission_id)
    if isinstance(message, Tokens):
        return taken._replace(counterpart=message.column.counterpart)
    return taken._replace(chunk=message.index) if isinstance(message, Evaluation) else taken


def _place(row: StatementRow) -> str:
    return f"statement {row.sequence}"


def _mark_sent(store: Store, rows: Sequence[StatementRow]) -> None:
    with store.transaction("outbox.sent") as session:
        for row in rows:
            stored = session.get_one(StatementRow, (row.round_id, row.digest))
            stored.sent = True
            checks.expect_entry(stored)
            if row.kind == StatementKind.TOKENS:
                # A query's bytes wait for it in the feed, and no held call ends for what is one's own.
                work.put(session, row.round_id, Step.LOOK)
        for round_id in {row.round_id for row in rows}:
            statements.clear_problem(session, round_id, *map(_place, rows))


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
        message = statements.message_of(statements.open_statement(node.registry, row.envelope))
        assert isinstance(message, Statement)
        place, problem = _place(row), Sentence.of("statement_refused", kind=row.kind, reason=error.sentence)
        if isinstance(message, Tokens):
            counterpart = message.column.counterpart
            place = shadow_columns.place_of(counterpart)
            problem = Sentence.of("tokens_refused", counterpart=counterpart, reason=error.sentence)
        statements.report_problem(session, node.clock, row.round_id, place, problem)
        append(session, refused_entry(message, row.digest, node.clock()))
        if isinstance(message, Submission):
            session.get_one(SubmissionRow, message.submission_id).enter(SubmissionState.FAILED)
    _LOG.warning("statement_refused", round=row.round_id, state=row.kind, error=error)


class PendingUpload(NamedTuple):
    """Bytes to send: what they are, the row that names them, how many they are, and where and how they are read."""

    what: Literal["blinded", "evaluation", "tokens"]
    row: ChunkRow | EvaluationRow | TokenPartRow
    size: int
    file: str
    read: Callable[[], bytes]

    def path(self, code: str) -> str:
        """Return the path of the call that brings them to the matcher."""
        kind = f"evaluations/{code}" if self.what == "evaluation" else self._kind
        return f"/v1/rounds/{self.row.round_id}/submissions/{self.row.submission_id}/{kind}/{self.row.index}"

    @property
    def counterpart(self) -> str | None:
        """Of tokens, for whom their column is."""
        return self.row.counterpart if isinstance(self.row, TokenPartRow) else None

    @property
    def subject(self) -> str:
        """The subject of a problem with them."""
        return f"upload {self.row.submission_id}/{self._kind}/{self.row.index}"

    @property
    def _kind(self) -> str:
        return f"{self.what}/{self.counterpart}" if self.counterpart else self.what

    def mark_sent(self, session: Session) -> None:
        """Note in their row that the matcher has them."""
        kind: type[Any] = type(self.row)
        row = session.get_one(kind, object_mapper(self.row).primary_key_from_instance(self.row))
        row.sent = True


_Item: TypeAlias = tuple[StatementPart | BytesPart, StatementRow | PendingUpload]


async def send_bytes(node: NodeContext, round_id: str, ends: Callable[[], bool]) -> bool:
    """Send chunks, evaluations and tokens whose statements the matcher has, and return whether any was sent.

    Where the matcher has no room, sending pauses for as long as it says, and everything else goes on: what origins
    fetch and acknowledge meanwhile makes room.
    """
    memory = node.rounds.of(round_id)
    if memory.is_paused():
        return False
    uploads = await to_thread(_pending_uploads, node, round_id)
    taken: list[PendingUpload] = []
    try:
        taken += await _send_few(node, round_id, uploads)
        left = until(ends, uploads[len(taken) :])
        await run_in_order(left, partial(_put, node), partial(_finish_upload, node, taken), node.calls)
    except PeerFullError as error:
        memory.full_until = node.clock() + (retry_after_of(error) or 1)
        problem = Sentence.of("matcher_has_no_room", reason=error.sentence)
        await to_thread(_note, node.journal, round_id, _ROOM, problem)
        return False
    if taken:
        await to_thread(_clear, node.store, round_id, _ROOM)
    # What was not taken is tried again when something else has happened, or after the usual wait.
    return bool(taken)


async def _send_few(node: NodeContext, round_id: str, uploads: Sequence[PendingUpload]) -> Sequence[PendingUpload]:
    """Send bytes in one call where they are few, such as those of a query's tokens, and return those that were taken.

    What was refused is sent by itself, where the answer says what is wrong with it.
    """
    sizes = [upload.size for upload in uploads]
    if not 1 < len(sizes) <= MOST_PARTS or max(sizes) > _FEW_BYTES or sum(sizes) > _TOGETHER_BYTES:
        return ()
    parts = await to_thread(lambda: [_bytes_part(upload) for upload in uploads])
    taken = uploads[: (await _consign(node, round_id, parts)).taken]
    # If we crash here, the bytes are sent again.
    await to_thread(_uploads_sent, node.store, node.files, taken)
    return taken


async def _put(node: NodeContext, upload: PendingUpload) -> None:
    content = await to_thread(upload.read)
    await node.peer.call("PUT", upload.path(node.code), content=content)


async def _finish_upload(
    node: NodeContext, taken: list[PendingUpload], upload: PendingUpload, begun: Awaitable[None]
) -> None:
    try:
        await begun
    except (OrderError, NotFoundError, BindingError) as error:
        # Its statement may not count there yet, or the round may have gone on: the feed will tell.
        problem = Sentence.of("chunk_not_taken", reason=error.sentence)
        await to_thread(_note, node.journal, upload.row.round_id, upload.subject, problem)
    else:
        # If we crash here, the bytes are sent again.
        await to_thread(_uploads_sent, node.store, node.files, [upload])
        taken.append(upload)


def _clear(store: Store, round_id: str, place: str) -> None:
    with store.transaction("outbox.recovered") as session:
        statements.clear_problem(session, round_id, place)


def _uploads_sent(store: Store, files: ChunkFiles, uploads: Sequence[PendingUpload]) -> None:
    """Store that the matcher has bytes of a round, and in submissions when these were their last tokens."""
    if not uploads:
        return
    with store.transaction("outbox.uploaded") as session:
        for upload in uploads:
            upload.mark_sent(session)
        for submission_id in {upload.row.submission_id for upload in uploads if upload.what == "tokens"}:
            statements.note_all_sent(session, submission_id)
        statements.clear_problem(session, uploads[0].row.round_id, *(upload.subject for upload in uploads))
    # Chunks are needed again: for the proofs, and their rows for the notes.
    for upload in uploads:
        if isinstance(upload.row, EvaluationRow) or (isinstance(upload.row, TokenPartRow) and not upload.row.is_rows):
            files.delete(upload.file)


def _pending_uploads(node: NodeContext, round_id: str) -> list[PendingUpload]:
    """Return the next bytes of each kind whose statement the matcher has."""
    memory, files = node.rounds.of(round_id), node.files
    with node.store.reading("outbox.bytes") as session, memory.reading() as round_:
        submitted = {*round_.submissions}
        submitted |= {one.submission_id for one in memory.taken if one.kind == StatementKind.SUBMISSION}

        def rows(kind: type[RowT], *where: ColumnElement[bool]) -> Iterator[RowT]:
            query = select(kind).where(kind.round_id == round_id, *where)
            ordered = query.order_by(*inspect(kind).primary_key).execution_options(yield_per=_PER_TURN)
            return iter(session.scalars(ordered))

        def answered(row: EvaluationRow) -> bool:
            key = EvaluationKey(row.submission_id, row.index, node.code)
            named = TakenStatement(StatementKind.EVALUATION, row.submission_id, row.index)
            return key in round_.evaluations or named in memory.taken

        def is_signed(column: ColumnKey) -> bool:
            named = TakenStatement(StatementKind.TOKENS, column.submission_id, counterpart=column.counterpart)
            return column in round_.tokens or named in memory.taken

        blinded = rows(ChunkRow, ~ChunkRow.sent, ChunkRow.submission_id.in_(submitted))
        answers = rows(EvaluationRow, ~EvaluationRow.sent)
        key = TokenPartRow.submission_id, TokenPartRow.counterpart
        unsent = select(*key).where(TokenPartRow.round_id == round_id, ~TokenPartRow.sent).distinct()
        signed = [place for place in session.execute(unsent) if is_signed(ColumnKey(*place))]
        tokens = rows(TokenPartRow, ~TokenPartRow.sent, tuple_(*key).in_(signed))
        kinds = (
            (_blinded(files, row) for row in blinded),
            (_answer(files, row) for row in answers if answered(row)),
            (_tokens(files, node.rounds, row) for row in tokens),
        )
        return [upload for kind in kinds for upload in islice(kind, _PER_TURN)]


def _blinded(files: ChunkFiles, row: ChunkRow) -> PendingUpload:
    name = paths.blinded(row.round_id, row.submission_id, row.index)
    size, digest = row.elements * ELEMENT_BYTES, bytes.fromhex(row.digest)
    return PendingUpload("blinded", row, size, name, lambda: files.read(name, digest))


def _answer(files: ChunkFiles, row: EvaluationRow) -> PendingUpload:
    name = paths.answer(row.round_id, row.submission_id, row.index)
    size, digest = row.elements * ELEMENT_BYTES, bytes.fromhex(row.output_digest)
    return PendingUpload("evaluation", row, size, name, lambda: files.read(name, digest))


def _tokens(files: ChunkFiles, rounds: RoundMemories, row: TokenPartRow) -> PendingUpload:
    name = paths.tokens(row.round_id, row.submission_id, row.counterpart, row.index)
    return PendingUpload(
        "tokens", row, row.size, name, lambda: rounds.of(row.round_id).key().open(name, files.read(name))
    )
