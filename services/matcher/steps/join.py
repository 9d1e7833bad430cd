"""Joining the tokens of some submissions: files in, signed reports out, and nothing left behind (PROTOCOL.md 3.7)."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import fcntl
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aquila.errors import MalformedError, PolicyError
from aquila.matching.certainty import Level
from aquila.matching.join import TokenTable
from aquila.matching.list_rows import Multiplicity, first_bits, meeting_handles, rows_of
from aquila.matching.regional_counts import persons_by_parties
from aquila.protocol.log_entries import match_entry
from aquila.protocol.matcher import GradedPair, TokenCount, columns_of, find_pairs, make_reports
from aquila.protocol.messages import HitReport, TokenColumn
from aquila.protocol.rounds.verified_round import Round
from aquila.protocol.shadow.columns import read_column
from aquila.records.rules import RuleTable
from aquila.sentences import Sentence
from aquila.sentences.sentence import dumps
from services.kit.log.entries import append
from services.kit.logging import Log
from services.matcher.context import MatcherContext
from services.matcher.events import TOKENS
from services.matcher.round_memory import RoundTransaction
from services.matcher.rounds.chunks import ChunkAddress
from services.matcher.storage.tables import FlagRow, HitCountRow, KnownCountRow, ListCountRow

_LOG = Log("matcher.joining")
_LEAST_MEBIBYTES = 64
_FEW_ROWS = 100_000


class FaultyTokensError(MalformedError):
    """Token rows that are not valid rows of the round; the field `party` names their sender."""


@dataclasses.dataclass(frozen=True, slots=True)
class JoinResult:
    """The result of a join: two reports of each pair, the hits of each pair at each level, and flags."""

    reports: Iterable[HitReport]
    """Each report, or its pages in their order; they are made as they are taken, once."""
    pairs: list[tuple[str, str]]
    """The parties whose records were joined, whether they had hits or not."""
    hits: Counter[tuple[str, str, str]]
    met: dict[tuple[str, str], str]
    """The digest of the tags that met of each pair of lists whose columns fit (PROTOCOL.md 3.7.13)."""
    flags: dict[str, tuple[Sentence, ...]]
    """By submission, what in its tokens looks like guesses."""
    known: dict[Level, Counter[int]]
    """How many persons so many parties know, by the least level of the hits that join a person."""


def frozen(round_: Round) -> Round:
    """Return a copy of a record that stays as it is while the original goes on."""
    snapshot = copy.copy(round_)
    for field in dataclasses.fields(snapshot):
        part = getattr(round_, field.name)
        if isinstance(part, (dict, list)):
            setattr(snapshot, field.name, copy.copy(part))
    return snapshot


def join(context: MatcherContext, round_: Round, submissions: list[str], query: str | None) -> JoinResult | None:
    """Join the tokens of submissions; None where another process is joining.

    Args:
        context: The matcher's parts.
        round_: A record that nobody changes meanwhile.
        submissions: The two submissions of each pair, one after the other; a query comes first in each, and its lists
            were joined before.
        query: The query's submission id, or None for the lists.

    Raises:
        FaultyTokensError: A party's tokens are not one for each element, or no rows.
        NotFoundError, DigestError: A file was lost or changed on our disk.
        PolicyError: The matcher does not have the round's match rules, or its workers do not see its scratch folder.
        ExecutorError: A worker is gone; the join begins anew.
    """
    table = context.table_of(round_.manifest.rules.digest)
    limits = context.settings.match
    with _scratch(context.scratch) as folder, context.workers.lend() as opened:
        if folder is None:
            return None
        # Several tasks are at work at once, and share what the join may use.
        memory = max(_LEAST_MEBIBYTES, limits.memory_mebibytes // opened.workers)
        with TokenTable(
            folder, memory_mib=memory, threads=limits.threads, rows_per_range=limits.rows_per_range
        ) as tokens:
            columns = columns_of(round_, submissions)
            if query is None:
                flags = _add(context, round_, table, tokens, dict(enumerate(columns)))
            else:
                asked = {number: column for number, column in enumerate(columns) if column[0] == query}
                flags = _add(context, round_, table, tokens, asked)
                _add_meeting(context, round_, tokens, columns)
            # The little that can meet a query is less work than the way to a worker.
            executor = None if query is not None and tokens.rows <= _FEW_ROWS else opened.executor
            if executor is not None:
                check_view(executor, folder)
            earlier = [] if query is None else [_sent_before(context, round_, query, to) for _, to in columns[::2]]
            read = partial(_column, context, round_, query)
            graded, positions = find_pairs(round_, table, submissions, tokens, read, earlier, executor)
    reports = make_reports(round_, submissions, graded, positions, query, context.random)
    owners = [round_.submissions[submission_id].party for submission_id in submissions]
    hits: Counter[tuple[str, str, str]] = Counter()
    for pair, level, *_ in graded.pairs:
        left, right = sorted((owners[pair.left], owners[pair.right]))
        hits[left, right, level.value] += 1
    _LOG.info("tokens_joined", round=round_.round_id, count=hits.total())
    pairs = graded.grading_bases.keys()
    joined = sorted((min(found), max(found)) for a, b in pairs for found in [(owners[a], owners[b])])
    places = [sorted(set(owners)).index(owner) for owner in owners]
    allowed = {(places[a], places[b]) for a, b in pairs}
    known = {level: persons_by_parties(_sure(graded.pairs, places, level), allowed) for level in Level}
    tags = {
        (min(owners[a], owners[b]), max(owners[a], owners[b])): found.digest for (a, b), found in graded.met.items()
    }
    return JoinResult(reports, joined, hits, tags, flags, known)


def _sure(
    pairs: Iterable[GradedPair], places: Sequence[int], least: Level
) -> Iterator[tuple[tuple[int, bytes], tuple[int, bytes]]]:
    """Yield the two records of each hit that counts as a person: of a level at least, and not second to a surer one.

    A record is named by its party's place and its handle.
    """
    for pair, level, _grade, second in pairs:
        if level >= least and not second:
            yield (places[pair.left], pair.left_handle), (places[pair.right], pair.right_handle)


def check_view(executor: Executor, folder: Path) -> None:
    """Refuse workers of another machine that do not share this one's scratch folder.

    Raises:
        PolicyError: A worker does not see it.
    """
    if not executor.submit(Path.is_dir, folder).result():
        raise PolicyError("worker_scratch_folder_missing", folder=str(folder))


def store_counts(turn: RoundTransaction, joined: JoinResult, query: str | None) -> None:
    """Store the remains of a match: lists, hits, persons, flags, all as counts, and an entry for each pair."""
    record = turn.round
    submissions = [query] if query else [one for party in record.participants if (one := record.list_of(party))]
    for submission_id in submissions:
        submission = record.submissions[submission_id]
        turn.session.add(
            ListCountRow(
                round_id=turn.row.round_id,
                submission_id=submission_id,
                party=submission.party,
                kind=submission.kind.value,
                records=submission.records,
                matched_at=turn.clock(),
            )
        )
    if query is None:
        for level, known in joined.known.items():
            turn.session.add_all(
                KnownCountRow(round_id=turn.row.round_id, certainty=level.value, parties=parties, persons=persons)
                for parties, persons in known.items()
            )
    for left, right in joined.pairs:
        levels = {level.value: joined.hits[left, right, level.value] for level in Level}
        terms = left, right, query, levels, joined.met.get((left, right))
        append(turn.session, match_entry(turn.row.round_id, turn.clock(), *terms))
    for submission_id in submissions:
        for number, sign in enumerate(joined.flags.get(submission_id, ())):
            turn.session.add(
                FlagRow(round_id=turn.row.round_id, submission_id=submission_id, number=number, sentence=dumps(sign))
            )
    for (left, right, certainty), hits in joined.hits.items():
        turn.session.add(
            HitCountRow(
                round_id=turn.row.round_id,
                submission_id=query or "",
                left=left,
                right=right,
                certainty=certainty,
                hits=hits,
            )
        )


def _add(
    context: MatcherContext, round_: Round, table: RuleTable, tokens: TokenTable, columns: Mapping[int, tuple[str, str]]
) -> dict[str, tuple[Sentence, ...]]:
    """Add submissions' columns by list number, count each over all its chunks, and return the signs of guesses."""
    flags: dict[str, tuple[Sentence, ...]] = {}
    first: dict[str, TokenCount] = {}
    for number, (submission_id, counterpart) in columns.items():
        submission, count = round_.submissions[submission_id], TokenCount(table)
        multiplicity = Multiplicity(table, submission.elements.total())
        with _blamed_on(submission.party):
            for rows in _chunks(context, round_, submission_id, counterpart):
                count.add(rows)
                tokens.add(number, rows)
                multiplicity.add(rows)
            count.check(submission, first.setdefault(submission_id, count))
        known, signs = flags.get(submission_id, ()), multiplicity.flags(round_.manifest.frequency_limit)
        flags[submission_id] = (*known, *(sign for sign in signs if sign not in known))
    return flags


def _add_meeting(
    context: MatcherContext, round_: Round, tokens: TokenTable, columns: Sequence[tuple[str, str]]
) -> None:
    """Add of lists what can matter for a query, whose tokens are few; the lists were counted when they were joined."""
    for number in range(0, len(columns), 2):
        sought = first_bits(_chunks(context, round_, *columns[number]))
        handles = meeting_handles(_chunks(context, round_, *columns[number + 1]), sought)
        if len(handles):
            for rows in rows_of(_chunks(context, round_, *columns[number + 1]), handles):
                tokens.add(number + 1, rows)


def _chunks(context: MatcherContext, round_: Round, submission_id: str, counterpart: str) -> Iterator[bytes]:
    """Read the token rows of a submission for a party chunk by chunk; raises as `join` does for what is lost."""
    party, column = round_.submissions[submission_id].party, _said(round_, submission_id, counterpart)
    for index, reference in enumerate(column.chunks, start=round_.tokens[submission_id].first_chunk_for(counterpart)):
        place = ChunkAddress(round_.round_id, submission_id, TOKENS, party, index)
        yield context.files.read(place.name, bytes.fromhex(reference.digest))


def _said(round_: Round, submission_id: str, counterpart: str) -> TokenColumn:
    column = round_.tokens[submission_id].column_for(counterpart)
    assert column is not None  # as the rule of the statement has it
    return column


def _sent_before(context: MatcherContext, round_: Round, query: str, counterpart: str) -> list[bytes]:
    """Read what matters for a query and a party of its asker's earlier submissions; raises as `_chunks` does."""
    sought = first_bits(_chunks(context, round_, query, counterpart))
    found = []
    for one in round_.sent_before(query, counterpart):
        handles = meeting_handles(_chunks(context, round_, one, counterpart), sought)
        found.append(b"".join(rows_of(_chunks(context, round_, one, counterpart), handles)))
    return found


def _column(
    context: MatcherContext, round_: Round, query: str | None, submission_id: str, counterpart: str
) -> NDArray[np.bytes_]:
    """Read the shadow column of a submission for a party; of a list that a query meets only what can meet it.

    Raises:
        NotFoundError, DigestError: A file was lost or changed on our disk.
    """
    if query is None or submission_id == query:
        return read_column(_pieces(context, round_, submission_id, counterpart))
    asked = read_column(_pieces(context, round_, query, round_.submissions[submission_id].party))
    pieces = _pieces(context, round_, submission_id, counterpart)
    return np.concatenate(
        [asked[:0], *(piece[np.isin(piece, asked)] for piece in (read_column([one]) for one in pieces))]
    )


def _pieces(context: MatcherContext, round_: Round, submission_id: str, counterpart: str) -> Iterator[bytes]:
    """Read a shadow column piece by piece."""
    party, column = round_.submissions[submission_id].party, _said(round_, submission_id, counterpart)
    for index, piece in enumerate(column.pieces, start=round_.tokens[submission_id].first_piece_for(counterpart)):
        place = ChunkAddress(round_.round_id, submission_id, TOKENS, party, index)
        yield context.files.read(place.name, bytes.fromhex(piece.digest))


@contextlib.contextmanager
def _blamed_on(party: str) -> Iterator[None]:
    try:
        yield
    except MalformedError as error:
        raise FaultyTokensError(error.sentence, party=party) from None


@contextlib.contextmanager
def _scratch(folder: Path) -> Iterator[Path | None]:
    """Hand out the empty scratch folder, or None while another process uses it; empty again afterwards.

    A lock on a file, not a row: it ends with the process that holds it, however that ends. What a killed process
    left is wiped by the next one.
    """
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
        place.mkdir(mode=0o700)
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)
    finally:
        os.close(descriptor)


def wipe_scratch(context: MatcherContext) -> None:
    """Remove what a killed join left, unless one is going on."""
    with _scratch(context.scratch):
        pass
