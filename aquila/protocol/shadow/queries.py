"""Shadow columns of queries: a tag goes out once, and a query is checked together with what was asked before it.

A query's column has the tags of its rows that no earlier column of its asker for that counterpart had. Otherwise the
matcher could compare the columns: a tag that comes again is no dummy. What met before was reported before, so both
sides know which tags are new, and the asker what its persons must meet again (PROTOCOL.md 3.7.13.2).
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aquila.crypto.keys import SecretBytes
from aquila.matching.list_rows import ReadRows
from aquila.protocol.messages import CheckFault
from aquila.protocol.rounds.round_state import RoundState
from aquila.protocol.shadow.checks import ReportedPair, ToldPairs, are_whole, is_due, shared_rows
from aquila.protocol.shadow.columns import Column, ascending, query_dummies, tags_of, too_many
from aquila.protocol.shadow.meeting import ColumnTerms, EarlierRows, column_terms, new_combinations
from aquila.protocol.shadow.token_rows import RecordRows, TokenRows
from aquila.protocol.submissions.column_sizes import MOST_TAGS_OF_A_RECORD
from aquila.protocol.submissions.submission import TOKEN_ROW
from aquila.records.rules import RuleTable


class AskedRows(NamedTuple):
    """The rows of a query, and of its asker's earlier submissions those of records that bear one of its tokens."""

    rows: RecordRows
    """All of them."""
    own: TokenRows
    """The query's."""
    records: int
    """How many records it has."""
    before: tuple[TokenRows, ...]
    """Those of each earlier submission."""


class AskedPair(NamedTuple):
    """A query and a list that it meets, as both sides know them."""

    asker: str
    """Whose query it is."""
    number: int
    """Its place among that party's queries, from 0."""
    terms: ColumnTerms
    """The terms of its column and the list's."""


def asked_pair(round_: RoundState, table: RuleTable, query: str, owner: str) -> AskedPair:
    """Return what is known of a query, whose tokens are there, and the list of a party that it meets."""
    asker = round_.submissions[query].party
    terms = column_terms(round_, table, asker, owner, query)
    return AskedPair(asker, query_number(round_, query, owner), terms)


def query_number(round_: RoundState, query: str, owner: str) -> int:
    """Return the place of a query among those of its asker, from 0, in the order of their tokens for a list's owner."""
    return len(round_.sent_before(query, owner)) - 1


def asked_rows(query: ReadRows, earlier: Sequence[ReadRows]) -> AskedRows:
    """Gather the rows that a query's column and its check need at its asker.

    Args:
        query: The query's rows.
        earlier: Those of its asker's submissions before it.
    """
    sought = query.first_bits()
    parts = [query.every(), *(one.of_records(one.bearing(sought)) for one in earlier)]
    rows = RecordRows(parts)
    ends = np.cumsum([len(part) // TOKEN_ROW.itemsize for part in parts]).tolist()
    own, *before = (rows.between(first, end) for first, end in zip([0, *ends], ends, strict=False))
    return AskedRows(rows, own, len(np.unique(own.records)), tuple(before))


def told_rows(listed: ReadRows, pairs: Iterable[ReportedPair]) -> RecordRows:
    """Return of a list that a query meets the rows of all records that bear a token which is reported to have met.

    Args:
        listed: The list's rows.
        pairs: The reported pairs.
    """
    told = list(pairs)
    reported = RecordRows([listed.of_records(_first_bits([pair.handle for pair in told]))])
    met = reported.tokens[shared_rows(reported, told).tokens]
    return RecordRows([listed.of_records(listed.bearing(_first_bits(list(map(bytes, met)))))])


def make_query_column(key: SecretBytes, asked: AskedRows, terms: ColumnTerms, asker: str, number: int) -> Column:
    """Make the column of a query for one counterpart.

    Args:
        key: The pair's key of the purpose `shadow`.
        asked: What `asked_rows` gave.
        terms: The sets of the two parties' lists, and what the earlier columns leave out.
        asker: The party.
        number: The query's place among its queries.
    """
    left_out = too_many(asked.own, terms.sets, asked.records * MOST_TAGS_OF_A_RECORD)
    earlier = [EarlierRows(*one) for one in zip(asked.before, terms.before, strict=True)]
    own_terms = terms._replace(left_out=frozenset(left_out))
    new = new_combinations(asked.own, own_terms, earlier)
    tags = [tags_of(key, asked.rows, number, tokens) for number, tokens in new]
    return Column(ascending([*tags, query_dummies(key, asker, range(number, number + 1))]), left_out)


def check_query(
    key: SecretBytes,
    rows: RecordRows,
    asked: AskedPair,
    told: ToldPairs,
    before: Sequence[ToldPairs],
    sent: Sequence[TokenRows] = (),
) -> CheckFault | None:
    """Check that what is reported of a query and a list is all there is (PROTOCOL.md 3.7.13.2).

    Args:
        key: The pair's key of the purpose `shadow`.
        rows: At the asker the rows of `asked_rows`, at the list's owner those of `told_rows`.
        asked: The query and the list.
        told: What the report tells.
        before: What was told, and found whole, of the asker's list and each earlier query of it, in their order.
        sent: At the asker the rows of these (`AskedRows`).
    """
    if told.met is None:
        return CheckFault.COLUMNS
    earlier = [
        EarlierRows(shared_rows(rows, one.pairs), left_out)
        for one, left_out in zip(before, asked.terms.before, strict=True)
    ]
    # (a) The tags that are new in what the reported pairs share, and the query's dummies, are what met.
    new = new_combinations(shared_rows(rows, told.pairs), asked.terms, earlier)
    tags = [tags_of(key, rows, number, tokens) for number, tokens in new]
    due = ascending([*tags, query_dummies(key, asked.asker, range(asked.number, asked.number + 1))])
    if not is_due(due, told.met):
        return CheckFault.TAGS
    # (b) Of all that was ever told of the two parties, each record with the tokens of such a tag is reported, with the
    #     same records of the other side: a person who was asked for before meets again whom it met. What was sent in a
    #     column without a set says nothing of that set.
    every = frozenset(range(len(asked.terms.sets)))
    for without in {_leaving_out(asked.terms, number) for number in every - asked.terms.left_out}:
        looked_at = frozenset(
            number for number in every - asked.terms.left_out if _leaving_out(asked.terms, number) == without
        )
        pairs = [pair for place, one in enumerate((*before, told)) if place not in without for pair in one.pairs]
        apart = [one for place, one in enumerate(sent) if place in without]
        if not are_whole(rows, ColumnTerms(asked.terms.sets, every - looked_at), pairs, apart):
            return CheckFault.PAIRS
    return None


def _leaving_out(terms: ColumnTerms, number: int) -> frozenset[int]:
    """Return the places of the earlier submissions whose column leaves a set out."""
    return frozenset(place for place, one in enumerate(terms.before) if number in one)


def _first_bits(values: Sequence[bytes]) -> NDArray[np.uint64]:
    """Return the first 64 bits of some values, each once, ascending."""
    return np.unique(np.frombuffer(b"".join(one[:8] for one in values), dtype=">u8").astype(np.uint64))
