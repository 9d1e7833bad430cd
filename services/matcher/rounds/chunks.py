"""Use cases: chunks are received, fetched and deleted. Bytes are in files; rows record which are there.

What a crash leaves: a file without a row, which the same PUT writes again and which goes with the round's folder; or
a deleted file whose row does not say so yet, which the same deletion mends. Never a row without its file.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from sqlalchemy import select

from aquila.crypto.group import ELEMENT_BYTES
from aquila.errors import AquilaError, MalformedError, OrderError, PolicyError, ProtocolError
from aquila.matching.join import TOKEN_ROW_BYTES
from aquila.protocol.messages import TagPiece
from aquila.protocol.messages.feed import EventKind
from aquila.protocol.party import check_digest, chunk_of
from aquila.protocol.rounds.round_state import ColumnKey, EvaluationKey
from aquila.protocol.rounds.verified_round import Round
from aquila.protocol.submissions.column_sizes import TAG_BYTES
from services.kit.errors import NotFoundError, StoreFullError
from services.matcher.context import MatcherContext
from services.matcher.events import TOKENS, bytes_event
from services.matcher.round_memory import RoundTransaction
from services.matcher.rounds.statements import check_participant
from services.matcher.storage.tables import ChunkRow


@dataclass(frozen=True, slots=True)
class ChunkAddress:
    """The address of a chunk."""

    round_id: str
    submission_id: str
    what: str
    """`blinded`, `evaluation` or `tokens`."""
    party: str
    """Who sends it; of tokens, for whom their column is."""
    index: int
    """Its number in the submission, or in the column."""

    @property
    def key(self) -> tuple[str, str, str, str, int]:
        return self.round_id, self.submission_id, self.what, self.party, self.index

    @property
    def name(self) -> str:
        return f"{self.round_id}/{self.submission_id}/{self.what}/{self.party}/{self.index}"


class PutChunks(NamedTuple):
    """The outcome of some chunks that came together: of each one up to the first refusal whether it was new."""

    new: list[bool]
    refusal: AquilaError | None


def put_chunk(context: MatcherContext, caller: str, place: ChunkAddress, content: bytes) -> bool:
    """Store a chunk that the caller signed before, and return whether it was new.

    Raises:
        NotFoundError: There is no such round, or the caller is not in it.
        PolicyError: The chunk is another party's to send.
        OrderError: No statement tells of it.
        MalformedError, DigestError: It has another size or content than was signed.
        StoreFullError: The disk or the round's quota is full; come again later.
    """
    found = put_chunks(context, caller, [(place, content)])
    if found.refusal is not None:
        raise found.refusal
    return found.new[0]


def put_chunks(context: MatcherContext, caller: str, chunks: Sequence[tuple[ChunkAddress, bytes]]) -> PutChunks:
    """Store chunks of one round together, up to the first that is refused, for the reasons of `put_chunk`.

    Raises:
        NotFoundError: There is no such round, or the caller is not in it.
        OrderError: The round ended meanwhile; none is stored.
        StoreError: They may or may not be stored; the call can be repeated.
    """
    round_id = chunks[0][0].round_id
    # 1. They are due, and what was signed.
    due, refusal = _due(context, round_id, caller, chunks)
    # 2. The bytes, durable when `write` returns. If we crash after it, a file without a row is left.
    stored = list[_DueChunk]()
    try:
        for one in due:
            if not one.is_known:
                _write(context, one)
            stored.append(one)
    except AquilaError as error:
        refusal = error
    if all(one.is_known for one in stored):
        return PutChunks([False for _ in stored], refusal)
    # 3. The rows and the events. If we crash before the commit, the party sends the chunks again; if after it and
    #    before the answer, the same call finds the rows. A commit that failed may be one that came through: the files
    #    stay.
    try:
        with context.round_cache.writing("chunk.store", round_id) as turn:
            new = [not one.is_known and _record(turn, caller, one) for one in stored]
            # What fills the place of others makes a part of an answer worth a look, whoever it is for.
            readers = None if is_crowded(context, turn) else turn.readers
    except ProtocolError:
        # The round ended while we wrote: nobody will ask for these bytes.
        for one in stored:
            if not one.is_known:
                context.files.delete(one.place.name)
        raise
    for kind in {str(one.place.what) for one in stored}:
        context.wakeup.notify(kind, readers)
    return PutChunks(new, refusal)


class _DueChunk(NamedTuple):
    """A chunk that its sender may send: the bytes that came, and size and SHA-256 that were signed."""

    place: ChunkAddress
    content: bytes
    size: int
    digest: str
    is_known: bool


def _due(
    context: MatcherContext, round_id: str, caller: str, chunks: Sequence[tuple[ChunkAddress, bytes]]
) -> tuple[list[_DueChunk], AquilaError | None]:
    """Return the chunks up to the first that is not due, and why that one is not."""
    due = list[_DueChunk]()
    with context.round_cache.reading(round_id) as turn:
        check_participant(turn.round, caller)
        try:
            for place, content in chunks:
                size, digest = expected_chunk(turn.round, caller, place)
                is_known = turn.session.get(ChunkRow, place.key) is not None
                if not is_known:
                    _check_quota(context, turn, place, size)
                due.append(_DueChunk(place, content, size, digest, is_known))
        except AquilaError as error:
            return due, error
    return due, None


def _write(context: MatcherContext, chunk: _DueChunk) -> None:
    place, got = chunk.place, len(chunk.content)
    if got != chunk.size:
        raise MalformedError("chunk_size_differs", chunk=place.index, expected=chunk.size, got=got)
    check_digest(chunk.content, chunk.digest, submission=place.submission_id, chunk=place.index)
    context.files.write(place.name, chunk.content, bytes.fromhex(chunk.digest))


def get_chunk(context: MatcherContext, caller: str, place: ChunkAddress, most: int | None = None) -> bytes:
    """Return a chunk: blinded ones to those that evaluate them, evaluations to the submission's origin."""
    with context.round_cache.reading(place.round_id) as turn:
        check_participant(turn.round, caller)
        origin = _origin(turn.round, place)
        blinded = place.what == EventKind.BLINDED
        place = replace(place, party=origin) if blinded else place
        allowed = turn.round.evaluators_of(place.submission_id) if blinded else ()
        if caller not in (origin, *allowed):
            raise PolicyError("bytes_for_another_party", party=caller, chunk=place.index)
        row = turn.session.get(ChunkRow, place.key)
    if row is None or row.deleted_at is not None or (most is not None and row.size > most):
        raise NotFoundError("chunk_not_here", submission=place.submission_id, chunk=place.index)
    return context.files.read(place.name, bytes.fromhex(row.digest))


def acknowledge_evaluation(context: MatcherContext, caller: str, place: ChunkAddress) -> None:
    """Delete an evaluation that the submission's origin has fetched and stored; can be repeated."""
    with context.round_cache.reading(place.round_id) as turn:
        check_participant(turn.round, caller)
        if caller != _origin(turn.round, place):
            raise PolicyError("bytes_for_another_party", party=caller, chunk=place.index)
        row = turn.session.get(ChunkRow, place.key)
        needless = _needless_after(turn, place)
    if row is None:
        raise NotFoundError("evaluation_not_here", submission=place.submission_id, chunk=place.index)
    if row.deleted_at is None:
        delete_chunks(context, [place, *needless])


def _needless_after(turn: RoundTransaction, place: ChunkAddress) -> list[ChunkAddress]:
    """Return the blinded chunk too, once its origin has the evaluations of everyone else: nobody will ask for it."""
    others = set(turn.round.evaluators_of(place.submission_id)) - {place.party}
    query = select(ChunkRow.party).where(
        ChunkRow.round_id == place.round_id,
        ChunkRow.submission_id == place.submission_id,
        ChunkRow.what == EventKind.EVALUATION.value,
        ChunkRow.chunk_index == place.index,
        ChunkRow.deleted_at.is_not(None),
    )
    if others - set(turn.session.scalars(query)):
        return []
    return [replace(place, what=EventKind.BLINDED.value, party=_origin(turn.round, place))]


def delete_chunks(context: MatcherContext, places: list[ChunkAddress]) -> None:
    """Delete chunks of one round for good; can be repeated.

    The files go first: if we crash between, rows are left that tell of files which are gone, and whoever asked for
    the deletion asks again.
    """
    for place in places:
        context.files.delete(place.name)
    with context.round_cache.writing("chunk.delete", places[0].round_id) as turn:
        for place in places:
            row = turn.session.get(ChunkRow, place.key)
            if row is not None and row.deleted_at is None:
                row.deleted_at = context.clock()
                turn.row.evaluation_bytes -= row.size if place.what == EventKind.EVALUATION else 0


def expected_chunk(round_: Round, caller: str, place: ChunkAddress) -> tuple[int, str]:
    """Return size in bytes and SHA-256 of a chunk that the caller may send now."""
    if round_.ending is not None:
        raise OrderError("round_takes_no_chunks", round=place.round_id)
    origin = _origin(round_, place)
    sender = origin if place.what == TOKENS else place.party
    if caller != sender or (place.what != EventKind.EVALUATION and caller != origin):
        raise PolicyError("chunk_not_sent_by_signer", party=caller, submission=place.submission_id)
    if place.what == EventKind.BLINDED:
        reference = chunk_of(round_.submissions[place.submission_id], place.index)
        return reference.elements * ELEMENT_BYTES, reference.digest
    if place.what == EventKind.EVALUATION:
        evaluation = round_.evaluations.get(EvaluationKey(place.submission_id, place.index, caller))
        if evaluation is not None:
            return evaluation.elements * ELEMENT_BYTES, evaluation.output_digest
    tokens = round_.tokens.get(ColumnKey(place.submission_id, place.party))
    if place.what == TOKENS and tokens is not None and 0 <= place.index < len(tokens.column.parts):
        part = tokens.column.parts[place.index]
        size = part.tags * TAG_BYTES if isinstance(part, TagPiece) else part.rows * TOKEN_ROW_BYTES
        return size, part.digest
    raise OrderError("chunk_statement_not_accepted", submission=place.submission_id, chunk=place.index)


def _origin(round_: Round, place: ChunkAddress) -> str:
    submission = round_.submissions.get(place.submission_id)
    if submission is None:
        raise OrderError("submission_unknown", submission=place.submission_id)
    return submission.party


def _check_quota(context: MatcherContext, turn: RoundTransaction, place: ChunkAddress, size: int) -> None:
    """Hold evaluators back while origins are slow to fetch (back-pressure).

    Calls at the same time may pass together; the overshoot is as many chunks as there are threads.
    """
    quota = context.settings.quotas
    if place.what == EventKind.EVALUATION and turn.row.evaluation_bytes + size > quota.evaluation_bytes:
        raise StoreFullError("evaluation_quota_used_up", round=place.round_id, retry_after=quota.retry_seconds)


def _record(turn: RoundTransaction, caller: str, chunk: _DueChunk) -> bool:
    """Store that a chunk is there, and return whether it is new; raises as `expected_chunk` does."""
    place = chunk.place
    expected_chunk(turn.round, caller, place)
    if turn.session.get(ChunkRow, place.key) is not None:
        return False
    turn.session.add(
        ChunkRow(
            round_id=place.round_id,
            submission_id=place.submission_id,
            what=str(place.what),
            party=place.party,
            chunk_index=place.index,
            size=chunk.size,
            digest=chunk.digest,
        )
    )
    turn.row.evaluation_bytes += chunk.size if place.what == EventKind.EVALUATION else 0
    readers = {EventKind.BLINDED: turn.round.evaluators_of(place.submission_id), TOKENS: ()}
    of = readers.get(place.what, (_origin(turn.round, place),))
    turn.add_bytes(bytes_event(place.round_id, place.what, place.submission_id, place.index, place.party, of))
    return True


def is_crowded(context: MatcherContext, turn: RoundTransaction) -> bool:
    """Return whether a round's evaluations fill half of the place that there is for them."""
    return 2 * turn.row.evaluation_bytes > context.settings.quotas.evaluation_bytes
