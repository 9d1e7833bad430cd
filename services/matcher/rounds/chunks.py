"""Use cases: chunks are received, fetched and deleted. Bytes are in files; rows record which are there.

What a crash leaves: a file without a row, which the same PUT writes again and which goes with the round's folder; or
a deleted file whose row does not say so yet, which the same deletion mends. Never a row without its file.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlalchemy import select

from aquila.crypto.group import ELEMENT_BYTES
from aquila.errors import MalformedError, OrderError, PolicyError, ProtocolError
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


def put_chunk(context: MatcherContext, caller: str, place: ChunkAddress, content: bytes) -> bool:
    """Store a chunk that the caller signed before, and return whether it was new.

    Raises:
        NotFoundError: There is no such round, or the caller is not in it.
        PolicyError: The chunk is another party's to send.
        OrderError: No statement tells of it.
        MalformedError, DigestError: It has another size or content than was signed.
        StoreFullError: The disk or the round's quota is full; come again later.
    """
    # 1. It is due, and what was signed.
    with context.round_cache.reading(place.round_id) as turn:
        check_participant(turn.round, caller)
        size, digest = expected_chunk(turn.round, caller, place)
        if turn.session.get(ChunkRow, place.key) is not None:
            return False
        _check_quota(context, turn, place, size)
    if len(content) != size:
        raise MalformedError("chunk_size_differs", chunk=place.index, expected=size, got=len(content))
    check_digest(content, digest, submission=place.submission_id, chunk=place.index)
    # 2. The bytes, durable when `write` returns. If we crash after it, a file without a row is left.
    context.files.write(place.name, content, bytes.fromhex(digest))
    # 3. The row and the event. If we crash before the commit, the party sends the chunk again; if after it and before
    #    the answer, the same call finds the row. A commit that failed may be one that came through: the file stays.
    try:
        new, readers = _record(context, caller, place, size, digest)
    except ProtocolError:
        # The round ended while we wrote: nobody will ask for these bytes.
        context.files.delete(place.name)
        raise
    context.wakeup.notify(str(place.what), readers)
    return new


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


def _record(
    context: MatcherContext, caller: str, place: ChunkAddress, size: int, digest: str
) -> tuple[bool, Collection[str] | None]:
    """Store that a chunk is there; return whether it is new, and the parties that may have something to do for it."""
    with context.round_cache.writing("chunk.store", place.round_id) as turn:
        expected_chunk(turn.round, caller, place)
        if turn.session.get(ChunkRow, place.key) is not None:
            return False, ()
        turn.session.add(
            ChunkRow(
                round_id=place.round_id,
                submission_id=place.submission_id,
                what=str(place.what),
                party=place.party,
                chunk_index=place.index,
                size=size,
                digest=digest,
            )
        )
        turn.row.evaluation_bytes += size if place.what == EventKind.EVALUATION else 0
        readers = {EventKind.BLINDED: turn.round.evaluators_of(place.submission_id), TOKENS: ()}
        of = readers.get(place.what, (_origin(turn.round, place),))
        turn.add_bytes(bytes_event(place.round_id, place.what, place.submission_id, place.index, place.party, of))
        # What fills the place of others makes a part of an answer worth a look, whoever it is for.
        return True, None if is_crowded(context, turn) else turn.readers


def is_crowded(context: MatcherContext, turn: RoundTransaction) -> bool:
    """Return whether a round's evaluations fill half of the place that there is for them."""
    return 2 * turn.row.evaluation_bytes > context.settings.quotas.evaluation_bytes
