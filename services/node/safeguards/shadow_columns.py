"""Shadow columns that this node sends with its tokens, sealed under the round key until then (PROTOCOL.md 3.7.12)."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.crypto.keys import SecretBytes
from aquila.matching.list_rows import ReadRows
from aquila.protocol.messages import Kind, Mode, StatementKind, TokenColumn, Tokens
from aquila.protocol.registry import Registry
from aquila.protocol.rounds.locks import pair_key
from aquila.protocol.rounds.round_state import ColumnKey
from aquila.protocol.rounds.verified_round import Round
from aquila.protocol.shadow.columns import Column
from aquila.protocol.shadow.columns import make_column as make_column_of_list
from aquila.protocol.shadow.meeting import ColumnTerms, left_out_before, sets_between
from aquila.protocol.shadow.queries import AskedRows, asked_rows, make_query_column, query_number
from aquila.protocol.shadow.token_rows import RecordRows, TokenRows
from aquila.protocol.submissions.submission import FinalizedChunk, order_rows
from aquila.sentences import Sentence
from services.node.context import NodeContext
from services.node.rounds import paths, statements
from services.node.storage.tables import ProblemRow, StatementRow, SubmissionRow, TokenPartRow

_MISSING_TOKENS = "tokens "
_FEED_SECONDS = 600  # in which a statement that the matcher took is in its feed


def token_rows(node: NodeContext, round_id: str, submission: str, counterpart: str) -> Iterator[bytes]:
    """Yield the token rows of an own submission for a counterpart, chunk by chunk.

    Raises:
        KeyMaterialError: The round key is missing.
    """
    key = node.rounds.of(round_id).key()
    for part in parts_of_rows(node, submission, counterpart):
        name = paths.tokens(round_id, submission, counterpart, part.index)
        yield key.open(name, node.files.read(name))


def parts_of_rows(node: NodeContext, submission: str, counterpart: str) -> Sequence[TokenPartRow]:
    """Return the parts with the token rows of an own submission for a counterpart, in their order."""
    of_column = TokenPartRow.submission_id == submission, TokenPartRow.counterpart == counterpart, TokenPartRow.is_rows
    with node.store.reading("shadow_columns.parts") as session:
        return session.scalars(select(TokenPartRow).where(*of_column).order_by(TokenPartRow.index)).all()


def kept_rows(node: NodeContext, round_: Round, submission: str, counterpart: str) -> ReadRows:
    """Return the rows of an own submission for a counterpart, for a few of them to be found; raises as `token_rows`."""
    read = partial(token_rows, node, round_.round_id, submission, counterpart)
    count = round_.submissions[submission].elements.total()
    return node.rounds.kept.rows.of(round_.round_id, f"{submission} {counterpart}", count, read)


def rows_of_query(node: NodeContext, round_: Round, query: str, counterpart: str) -> AskedRows:
    """Return an own query's rows for a counterpart, and what is needed of those before it; raises as `token_rows`."""
    own, *earlier = (
        kept_rows(node, round_, one, counterpart) for one in (query, *round_.sent_before(query, counterpart))
    )
    return asked_rows(own, earlier)


def column_key(node: NodeContext, round_: Round, counterpart: str) -> SecretBytes:
    """Return the key of the tags that this node and a counterpart compare; raises as `token_rows` and `pair_key` do."""
    return pair_key(round_, node.code, node.rounds.of(round_.round_id).secrets(), counterpart, "shadow")


def make_column(
    node: NodeContext, round_: Round, row: SubmissionRow, counterpart: str
) -> tuple[TokenColumn, list[TokenPartRow]]:
    """Make the column of an own list or query for a counterpart, on the disk; return it, and rows of its pieces.

    Its chunks are all finalized; nothing of them changes.

    Raises:
        KeyMaterialError: The round key is missing.
    """
    memory, chunks = node.rounds.of(row.round_id), _order_rows(node, round_, row.submission_id, counterpart)
    with column_key(node, round_, counterpart) as key:
        make = _list_column if row.kind == Kind.LIST else _query_column
        column, rules = make(node, round_, row.submission_id, counterpart, key)
        said = column.statement(counterpart, key, rules, chunks)
    pieces = []
    for place, piece in enumerate(column.pieces(), start=len(chunks)):
        name = paths.tokens(row.round_id, row.submission_id, counterpart, place)
        node.files.write(name, memory.seal(name, piece))
        pieces.append(
            TokenPartRow(
                submission_id=row.submission_id,
                counterpart=counterpart,
                index=place,
                round_id=row.round_id,
                is_rows=False,
                size=len(piece),
            )
        )
    return said, pieces


def _order_rows(node: NodeContext, round_: Round, submission: str, counterpart: str) -> list[tuple[int, str]]:
    """Put the rows of a column in order over each class; return rows and SHA-256 of each of its chunks."""
    memory, signed = node.rounds.of(round_.round_id), round_.submissions[submission].chunks

    def read(place: int) -> FinalizedChunk:
        name = paths.finalized(round_.round_id, submission, counterpart, place)
        return FinalizedChunk.from_bytes(memory.key().open(name, node.files.read(name)))

    parts = {}
    for place, chunk in order_rows(signed, read):
        at = round_.round_id, submission, counterpart, place
        for name, content in ((paths.tokens(*at), chunk.rows), (paths.token_secrets(*at), chunk.secrets)):
            node.files.write(name, memory.seal(name, content))
        parts[place] = signed[place].elements, hashlib.sha256(chunk.rows).hexdigest()
    return [part for _, part in sorted(parts.items())]


def _list_column(
    node: NodeContext, round_: Round, own: str, counterpart: str, key: SecretBytes
) -> tuple[Column, Mapping[int, int]]:
    """Return the tags of the own list for a counterpart, and by rule how many rows it has."""
    takes_queries = round_.manifest.mode is Mode.LISTS_AND_QUERIES
    rows = RecordRows(token_rows(node, round_.round_id, own, counterpart))
    sets = sets_between(round_, node.table_of(round_.manifest), node.code, counterpart)
    column = make_column_of_list(key, rows, sets, counterpart if takes_queries else None)
    return column, _counts(rows.numbers)


def _query_column(
    node: NodeContext, round_: Round, own: str, counterpart: str, key: SecretBytes
) -> tuple[Column, Mapping[int, int]]:
    """Return the tags of an own query for a counterpart, and by rule how many rows it has."""
    asked = rows_of_query(node, round_, own, counterpart)
    sets = sets_between(round_, node.table_of(round_.manifest), node.code, counterpart)
    terms = ColumnTerms(sets, frozenset(), left_out_before(round_, own, counterpart))
    column = make_query_column(key, asked, terms, node.code, query_number(round_, own, counterpart))
    return column, _counts(asked.own)


def _counts(rows: TokenRows) -> Mapping[int, int]:
    rules, counts = np.unique(rows.rules, return_counts=True)
    return dict(zip(rules.tolist(), counts.tolist(), strict=True))


def signed_columns(session: Session, round_id: str) -> list[ColumnKey]:
    """Return the own columns of a round whose statements are signed."""
    key = TokenPartRow.submission_id, TokenPartRow.counterpart
    pieces = select(*key).where(TokenPartRow.round_id == round_id, ~TokenPartRow.is_rows).distinct()
    return [ColumnKey(*column) for column in session.execute(pieces)]


def asked_next(round_: Round, own: str, signed: Iterable[ColumnKey]) -> frozenset[str]:
    """Return the counterparts for whom the tokens of a query may be signed.

    The own check of the two lists counts, and so do all earlier tokens for the counterpart: what a column leaves out
    follows from what the matcher took before it. So its queries go one after the other, and none goes after one whose
    tokens were refused.
    """
    waiting = {counterpart for one, counterpart in signed if (one, counterpart) not in round_.tokens}
    checked = {report.counterpart for report in round_.list_reports(own) if report in round_.checked}
    return frozenset(checked - waiting)


def place_of(counterpart: str) -> str:
    """Return the place of the problem that the matcher has not taken own tokens for a counterpart."""
    return f"{_MISSING_TOKENS}{counterpart}"


def report_missing_tokens(node: NodeContext, round_id: str) -> None:
    """Report for whom the matcher refused own tokens, or took some a while ago and does not show them in its feed."""
    taken = StatementRow.sent & (StatementRow.taken_at < node.rounds.of(round_id).read_at - _FEED_SECONDS)
    own = StatementRow.round_id == round_id, StatementRow.own, StatementRow.kind == StatementKind.TOKENS.value
    missing = select(StatementRow.envelope).where(
        *own, StatementRow.event_id.is_(None), StatementRow.refusal.is_not(None) | taken
    )
    reported = select(ProblemRow.place).where(
        ProblemRow.round_id == round_id, ProblemRow.place.startswith(_MISSING_TOKENS)
    )
    with node.store.reading("shadow_columns.missing_tokens") as session:
        due = {_counterpart_of(node.registry, envelope) for envelope in session.scalars(missing)}
        known = {place.removeprefix(_MISSING_TOKENS) for place in session.scalars(reported)}
    if due == known:
        return
    with node.store.transaction("shadow_columns.report_missing_tokens") as session:
        for counterpart in due - known:
            problem = Sentence.of("tokens_not_in_feed", counterpart=counterpart)
            statements.report_problem(session, node.clock, round_id, place_of(counterpart), problem)
        for counterpart in known - due:
            statements.clear_problem(session, round_id, place_of(counterpart))


def _counterpart_of(registry: Registry, envelope: bytes) -> str:
    message = statements.message_of(statements.open_statement(registry, envelope))
    assert isinstance(message, Tokens)  # as the row's kind says
    return message.column.counterpart
