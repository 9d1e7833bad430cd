"""Shadow columns that this node sends with its tokens, sealed under the round key until then (PROTOCOL.md 3.7.12)."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from aquila.crypto.keys import SecretBytes
from aquila.matching.join import TOKEN_ROW_BYTES
from aquila.protocol.messages import Kind, Mode, StatementKind, TokenColumn
from aquila.protocol.rounds.locks import pair_key
from aquila.protocol.rounds.verified_round import Round
from aquila.protocol.shadow.columns import Column, make_column
from aquila.protocol.shadow.meeting import ColumnTerms, left_out_before, sets_between
from aquila.protocol.shadow.queries import AskedRows, asked_rows, make_query_column, query_number
from aquila.protocol.shadow.token_rows import RecordRows
from aquila.sentences import Sentence
from services.node.context import NodeContext
from services.node.rounds import paths, statements
from services.node.storage.tables import ProblemRow, StatementRow, SubmissionRow, TokenPartRow

_MISSING_TOKENS = "tokens"
_FEED_SECONDS = 600  # in which a statement that the matcher took is in its feed


def token_rows(node: NodeContext, round_id: str, submission: str, counterpart: str) -> Iterator[bytes]:
    """Yield the token rows of an own submission for a counterpart, chunk by chunk.

    Raises:
        KeyMaterialError: The round key is missing.
    """
    key = node.rounds.of(round_id).key()
    for part in parts_of_rows(node, submission, counterpart):
        name = paths.tokens(round_id, submission, part.index)
        yield key.open(name, node.files.read(name))


def parts_of_rows(node: NodeContext, submission: str, counterpart: str) -> Sequence[TokenPartRow]:
    """Return the parts with the token rows of an own submission for a counterpart, in their order."""
    of_column = TokenPartRow.submission_id == submission, TokenPartRow.counterpart == counterpart, TokenPartRow.is_rows
    with node.store.reading("shadow_columns.parts") as session:
        return session.scalars(select(TokenPartRow).where(*of_column).order_by(TokenPartRow.index)).all()


def rows_of_query(node: NodeContext, round_: Round, query: str, counterpart: str) -> AskedRows:
    """Return an own query's rows for a counterpart, and what is needed of those before it; raises as `token_rows`."""

    def reader(submission: str) -> Callable[[], Iterator[bytes]]:
        return partial(token_rows, node, round_.round_id, submission, counterpart)

    return asked_rows(reader(query), [reader(one) for one in round_.sent_before(query, counterpart)])


def column_key(node: NodeContext, round_: Round, counterpart: str) -> SecretBytes:
    """Return the key of the tags that this node and a counterpart compare; raises as `token_rows` and `pair_key` do."""
    return pair_key(round_, node.code, node.rounds.of(round_.round_id).secrets(), counterpart, "shadow")


def make_columns(
    node: NodeContext, round_: Round, row: SubmissionRow
) -> tuple[tuple[TokenColumn, ...], list[TokenPartRow]]:
    """Make the shadow columns of an own list or query, on the disk; return the columns of its statement and rows.

    Raises:
        KeyMaterialError: The round key is missing.
    """
    memory = node.rounds.of(row.round_id)
    make = _list_columns(node, round_, row) if row.kind == Kind.LIST else _query_columns(node, round_, row)
    counterparts = round_.evaluators_of(row.submission_id)
    columns, pieces, index = [], [], count(len(counterparts) * len(round_.submissions[row.submission_id].chunks))
    for counterpart in counterparts:
        rows = parts_of_rows(node, row.submission_id, counterpart)
        with column_key(node, round_, counterpart) as key:
            column = make(counterpart, key)
            chunks = [(part.size // TOKEN_ROW_BYTES, part.digest or "") for part in rows]
            columns.append(column.statement(counterpart, key, chunks))
        for piece in column.pieces():
            place = next(index)
            name = paths.tokens(row.round_id, row.submission_id, place)
            node.files.write(name, memory.seal(name, piece))
            pieces.append(
                TokenPartRow(
                    submission_id=row.submission_id,
                    index=place,
                    round_id=row.round_id,
                    counterpart=counterpart,
                    is_rows=False,
                    size=len(piece),
                )
            )
    return tuple(columns), pieces


def _list_columns(node: NodeContext, round_: Round, row: SubmissionRow) -> Callable[[str, SecretBytes], Column]:
    """Return what makes the column of the own list for a counterpart."""
    table, takes_queries = node.table_of(round_.manifest), round_.manifest.mode is Mode.LISTS_AND_QUERIES

    def make(counterpart: str, key: SecretBytes) -> Column:
        rows = RecordRows(token_rows(node, row.round_id, row.submission_id, counterpart))
        sets = sets_between(round_, table, node.code, counterpart)
        return make_column(key, rows, sets, counterpart if takes_queries else None)

    return make


def _query_columns(node: NodeContext, round_: Round, row: SubmissionRow) -> Callable[[str, SecretBytes], Column]:
    """Return what makes the column of an own query for a counterpart."""
    table, query = node.table_of(round_.manifest), row.submission_id
    number = query_number(round_, query)

    def make(counterpart: str, key: SecretBytes) -> Column:
        asked = rows_of_query(node, round_, query, counterpart)
        sets = sets_between(round_, table, node.code, counterpart)
        terms = ColumnTerms(sets, frozenset(), left_out_before(round_, query, counterpart))
        return make_query_column(key, asked, terms, node.code, number)

    return make


def is_next(session: Session, round_: Round, query: str) -> bool:
    """Return whether an own query's tokens may be signed: the own checks of the lists, and all earlier tokens, counted.

    What a column leaves out follows from what the matcher took before it, so queries go one after the other, and none
    goes after one whose tokens were refused.
    """
    own = round_.submissions[query].party
    checked = all(report in round_.checked for report in round_.list_reports(own))
    return checked and session.scalars(_not_in_feed(round_.round_id)).first() is None


def report_missing_tokens(node: NodeContext, round_id: str) -> None:
    """Report own tokens that the matcher refused, or took some time ago and does not show in its feed."""
    taken = StatementRow.sent & (StatementRow.taken_at < node.rounds.of(round_id).read_at - _FEED_SECONDS)
    missing = _not_in_feed(round_id).where(StatementRow.refusal.is_not(None) | taken)
    with node.store.reading("shadow_columns.missing_tokens") as session:
        is_missing = session.scalars(missing).first() is not None
        if is_missing == (session.get(ProblemRow, (round_id, _MISSING_TOKENS)) is not None):
            return
    with node.store.transaction("shadow_columns.report_missing_tokens") as session:
        if is_missing:
            problem = Sentence.of("tokens_not_in_feed")
            statements.report_problem(session, node.clock, round_id, _MISSING_TOKENS, problem)
        else:
            statements.clear_problem(session, round_id, _MISSING_TOKENS)


def _not_in_feed(round_id: str) -> Select[str]:
    """Return a query for one of the statements of own tokens that the matcher's feed does not show."""
    query = select(StatementRow.digest).where(StatementRow.round_id == round_id, StatementRow.own)
    return query.where(StatementRow.kind == StatementKind.TOKENS.value, StatementRow.event_id.is_(None)).limit(1)
