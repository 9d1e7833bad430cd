"""Joining the tokens of a pair: files in, signed reports out, and nothing left behind (PROTOCOL.md 3.7)."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import fcntl
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Self

import duckdb
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from aquila.errors import MalformedError, PolicyError
from aquila.matching.certainty import Level
from aquila.matching.join import TokenTable
from aquila.matching.list_rows import Multiplicity, ReadRows
from aquila.protocol.log_entries import match_entry
from aquila.protocol.matcher import TokenCount, find_pairs, make_reports
from aquila.protocol.messages import HitReport, TagPiece, TokenChunkReference
from aquila.protocol.rounds.round_state import ColumnKey, ReportKey
from aquila.protocol.rounds.verified_round import Round
from aquila.protocol.shadow.columns import read_column, tags_alike
from aquila.records.rules import RuleTable
from aquila.sentences import Sentence
from aquila.sentences.sentence import dumps
from services.kit.errors import StoreError
from services.kit.log.entries import append
from services.kit.logging import Log
from services.kit.storage.files import disk
from services.matcher.context import MatcherContext
from services.matcher.events import TOKENS
from services.matcher.round_memory import RoundTransaction
from services.matcher.rounds.chunks import ChunkAddress
from services.matcher.rounds.known_counts import packed
from services.matcher.storage.tables import FlagRow, HitCountRow, ListCountRow, SurePairRow

_LOG = Log("matcher.joining")
_LEAST_MEBIBYTES = 64
_FEW_ROWS = 100_000


class FaultyTokensError(MalformedError):
    """Token rows that are not valid rows of the round, and the column that has them."""

    column: ColumnKey

    @classmethod
    def of(cls, error: MalformedError, column: ColumnKey) -> Self:
        """Return the error of a column."""
        found = cls(error.sentence)
        found.column = column
        return found


@dataclasses.dataclass(frozen=True, slots=True)
class JoinResult:
    """The result of a join of two lists, or of a query and a list: two reports, the hits at each level, and flags."""

    pair: ReportKey
    """The pair by the report of one side; of two lists that of the earlier party in the alphabet."""
    reports: Iterable[HitReport]
    """Each report, or its pages in their order; they are made as they are taken, once."""
    hits: Counter[str]
    """By level."""
    met: str | None
    """The digest of the tags that met, if the two columns fit (PROTOCOL.md 3.7.13)."""
    flags: dict[str, tuple[Sentence, ...]]
    """By submission, what in its tokens looks like guesses."""
    sure: bytes
    """What persons are counted from (`known_counts.packed`)."""


def frozen(round_: Round) -> Round:
    """Return a copy of a record that stays as it is while the original goes on."""
    snapshot = copy.copy(round_)
    for field in dataclasses.fields(snapshot):
        part = getattr(round_, field.name)
        if isinstance(part, (dict, list)):
            setattr(snapshot, field.name, copy.copy(part))
    return snapshot


def join(context: MatcherContext, round_: Round, pair: ReportKey) -> JoinResult | None:
    """Join the tokens of a pair; None where another process is joining.

    Args:
        round_: A record that nobody changes meanwhile.
        pair: The pair, by the report of one side: of a query the asker's, whose lists were joined before.

    Raises:
        FaultyTokensError: A party's tokens are not one for each element, or no rows.
        NotFoundError, DigestError: A file was lost or changed on our disk.
        PolicyError: The matcher does not have the round's match rules, or its workers do not see its scratch folder.
        ExecutorError: A worker is gone; the join begins anew.
        StoreError: The disk refused; the join begins anew.
    """
    table = context.table_of(round_.manifest.rules.digest)
    limits, query = context.settings.match, pair.submission_id
    columns = round_.columns_of(pair)
    assert columns is not None  # a pair that is joined has both its columns
    submissions = [column.submission_id for column in columns]
    with _scratch(context.scratch) as folder, context.workers.lend() as opened:
        if folder is None:
            return None
        # Several tasks are at work at once, and share what the join may use.
        memory = max(_LEAST_MEBIBYTES, limits.memory_mebibytes // opened.workers)
        with TokenTable(
            folder, memory_mib=memory, threads=limits.threads, rows_per_range=limits.rows_per_range
        ) as tokens:
            flags = _add(context, round_, table, tokens, columns if query is None else columns[:1])
            if query is not None:
                _add_meeting(context, round_, tokens, *columns)
            # The little that can meet a query is less work than the way to a worker.
            executor = None if query is not None and tokens.rows <= _FEW_ROWS else opened.executor
            if executor is not None:
                check_view(executor, folder)
            earlier = [] if query is None else [_sent_before(context, round_, columns[0])]
            read = partial(_column, context, round_, query)
            graded, positions = find_pairs(round_, table, submissions, tokens, read, earlier, executor)
    reports = make_reports(round_, submissions, graded, positions, query, context.random)
    hits = Counter(level.value for _pair, level, *_ in graded.pairs)
    _LOG.info("tokens_joined", round=round_.round_id, count=hits.total())
    met = next((found.digest for found in graded.met.values()), None)
    return JoinResult(pair, reports, hits, met, flags, packed(graded.pairs))


def check_view(executor: Executor, folder: Path) -> None:
    """Refuse workers of another machine that do not share this one's scratch folder."""
    if not executor.submit(Path.is_dir, folder).result():
        raise PolicyError("worker_scratch_folder_missing", folder=str(folder))


def store_counts(turn: RoundTransaction, joined: JoinResult) -> None:
    """Store the remains of a join: lists, hits, flags, all as counts, an entry, and what persons are counted from."""
    round_id, (party, counterpart, query), now = turn.row.round_id, joined.pair, turn.clock()
    left, right = sorted((party, counterpart))
    for submission_id in joined.flags:
        _store_list(turn, submission_id, now)
        _store_flags(turn, submission_id, joined.flags[submission_id])
    levels = {level.value: joined.hits[level.value] for level in Level}
    append(turn.session, match_entry(round_id, now, left, right, query, levels, joined.met))
    pair = {"round_id": round_id, "left": left, "right": right}
    for certainty, hits in joined.hits.items():
        turn.session.add(HitCountRow(**pair, submission_id=query or "", certainty=certainty, hits=hits))
    if query is None:
        turn.session.add(SurePairRow(**pair, records=joined.sure))


def _store_list(turn: RoundTransaction, submission_id: str, now: int) -> None:
    """Store the size of a list or query, when the first of its pairs is joined."""
    if turn.session.get(ListCountRow, (turn.row.round_id, submission_id)) is not None:
        return
    submission = turn.round.submissions[submission_id]
    turn.session.add(
        ListCountRow(
            round_id=turn.row.round_id,
            submission_id=submission_id,
            party=submission.party,
            kind=submission.kind.value,
            records=submission.records,
            matched_at=now,
        )
    )


def _store_flags(turn: RoundTransaction, submission_id: str, signs: Iterable[Sentence]) -> None:
    """Store the signs of guesses in a submission's tokens that no earlier column of it had."""
    round_id = turn.row.round_id
    mine = FlagRow.round_id == round_id, FlagRow.submission_id == submission_id
    known = set(turn.session.scalars(select(FlagRow.sentence).where(*mine)))
    new = dict.fromkeys(sentence for sentence in map(dumps, signs) if sentence not in known)
    for number, sentence in enumerate(new, start=len(known)):
        turn.session.add(FlagRow(round_id=round_id, submission_id=submission_id, number=number, sentence=sentence))


def _add(
    context: MatcherContext, round_: Round, table: RuleTable, tokens: TokenTable, columns: Iterable[ColumnKey]
) -> dict[str, tuple[Sentence, ...]]:
    """Add columns by list number, count each over all its chunks, and return the signs of guesses by submission."""
    flags: dict[str, tuple[Sentence, ...]] = {}
    for number, column in enumerate(columns):
        submission = round_.submissions[column.submission_id]
        count = TokenCount(table, submission)
        multiplicity = Multiplicity(table, submission.elements.total())
        try:
            for rows in _chunks(context, round_, column):
                count.add(rows)
                tokens.add(number, rows)
                multiplicity.add(rows)
            count.check(round_.tokens[column].column)
        except MalformedError as error:
            raise FaultyTokensError.of(error, column) from None
        flags[column.submission_id] = tuple(multiplicity.flags(round_.manifest.frequency_limit))
    return flags


def _add_meeting(context: MatcherContext, round_: Round, tokens: TokenTable, query: ColumnKey, met: ColumnKey) -> None:
    """Add of a list what can matter for a query, whose tokens are few; the list was counted when it was joined."""
    listed = _kept(context, round_, met)
    tokens.add(1, listed.of_records(listed.bearing(_kept(context, round_, query).first_bits())))


def _chunks(context: MatcherContext, round_: Round, column: ColumnKey) -> Iterator[bytes]:
    """Read the token rows of a column chunk by chunk; raises as `join` does for what is lost."""
    return _parts(context, round_, column, 0, round_.tokens[column].column.chunks)


def _kept(context: MatcherContext, round_: Round, column: ColumnKey) -> ReadRows:
    """Return the token rows of a column, for a few of them to be found; raises as `_chunks` does."""
    count = round_.submissions[column.submission_id].elements.total()
    return context.rows.of(round_.round_id, " ".join(column), count, partial(_chunks, context, round_, column))


def _pieces(context: MatcherContext, round_: Round, column: ColumnKey) -> Iterator[bytes]:
    """Read the shadow column of a column piece by piece; raises as `join` does for what is lost."""
    told = round_.tokens[column].column
    return _parts(context, round_, column, len(told.chunks), told.pieces)


def _parts(
    context: MatcherContext,
    round_: Round,
    column: ColumnKey,
    start: int,
    parts: Iterable[TokenChunkReference | TagPiece],
) -> Iterator[bytes]:
    for index, part in enumerate(parts, start=start):
        place = ChunkAddress(round_.round_id, column.submission_id, TOKENS, column.counterpart, index)
        yield context.files.read(place.name, bytes.fromhex(part.digest))


def _sent_before(context: MatcherContext, round_: Round, query: ColumnKey) -> list[bytes]:
    """Read what matters for a query of its asker's earlier columns for a list's owner; raises as `_chunks` does."""
    sought = _kept(context, round_, query).first_bits()
    before = (_kept(context, round_, query._replace(submission_id=one)) for one in round_.sent_before(*query))
    return [rows.of_records(rows.bearing(sought)) for rows in before]


def _column(
    context: MatcherContext, round_: Round, query: str | None, submission_id: str, counterpart: str
) -> NDArray[np.bytes_]:
    """Read the shadow column of a submission for a party; of a list that a query meets only what can meet it.

    Raises:
        NotFoundError, DigestError: A file was lost or changed on our disk.
    """
    pieces = _pieces(context, round_, ColumnKey(submission_id, counterpart))
    if query is None or submission_id == query:
        return read_column(pieces)
    asked = read_column(_pieces(context, round_, ColumnKey(query, round_.submissions[submission_id].party)))
    return tags_alike(map(read_column, ([piece] for piece in pieces)), asked)


@contextlib.contextmanager
def _scratch(folder: Path) -> Iterator[Path | None]:
    """Hand out the empty scratch folder, or None while another process uses it; empty again afterwards.

    A lock on a file, not a row: it ends with the process that holds it, however that ends. What a killed process
    left is wiped by the next one.

    Raises:
        StoreError: The disk refused, mostly because it is full.
    """
    with disk(folder / "lock"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        place = folder / "join"
        shutil.rmtree(place, ignore_errors=True)
        with disk(place):
            place.mkdir(mode=0o700)
        try:
            yield place
        except duckdb.IOException:  # it has no error number: only its text says why
            raise StoreError("join_disk_refused", folder=str(place)) from None
        finally:
            shutil.rmtree(place, ignore_errors=True)
    finally:
        os.close(descriptor)


def wipe_scratch(context: MatcherContext) -> None:
    """Remove what a killed join left, unless one is going on."""
    with _scratch(context.scratch):
        pass
