"""Checks of queries together with what was asked before them."""

from aquila.crypto.keys import SecretBytes
from aquila.matching.list_rows import KeptRows
from aquila.protocol.messages import CheckFault, MetTags
from aquila.protocol.shadow.checks import ReportedPair, ToldPairs
from aquila.protocol.shadow.columns import ascending, met_digest, query_dummies
from aquila.protocol.shadow.meeting import ColumnTerms
from aquila.protocol.shadow.queries import AskedPair, asked_rows, check_query, told_rows
from tests.support.shadow_pairs import KEY, handle, rows_of

SETS = ((1,), (2, 3))


def test_a_set_left_out_once_is_checked_later() -> None:
    """A person of the list who is asked for again is missed, though a query between leaves its set out.

    The record of that query has the same tokens, and need not be reported for the set.
    """
    key = SecretBytes(KEY)
    person, many = {2: [5], 3: [6]}, {1: [7], 2: list(range(40)), 3: list(range(40))}
    listed, between, again = rows_of(0, [person]), rows_of(10, [many]), rows_of(12, [person])
    terms = ColumnTerms(SETS, frozenset(), (frozenset(), frozenset({1})))
    asked = asked_rows(KeptRows([again]), [KeptRows([listed]), KeptRows([between])])
    met = ascending([query_dummies(key, "AL", range(1, 2))])
    number = MetTags(tags=len(met), digest=met_digest(met))

    def pair(own: int, other: int) -> ReportedPair:
        return ReportedPair(handle(own, 0), handle(other, 0), bytes([0, 1]), is_hit=True)

    def check(*told: ReportedPair) -> CheckFault | None:
        before = [ToldPairs([pair(0, 1)], number), ToldPairs((), number)]
        return check_query(key, asked.rows, AskedPair("AL", 1, terms), ToldPairs(told, number), before, asked.before)

    assert check(pair(12, 1)) is None
    assert check() is CheckFault.PAIRS
    # The list's owner has one record of the person, and finds both pairs whole.
    before = [ToldPairs([pair(1, 0)], number), ToldPairs((), number)]
    owns = told_rows(KeptRows([rows_of(1, [person])]), [pair(1, 12)])
    assert check_query(key, owns, AskedPair("AL", 1, terms), ToldPairs([pair(1, 12)], number), before) is None
