"""The triangle of three parties: what one party tells of a third, held against one's own report (3.11.7)."""

from collections.abc import Collection, Iterable

from aquila.protocol.rounds.round_state import ReportKey, RoundState
from aquila.protocol.shadow.meeting import column_terms, masks_of, meets_a_set, sets_between
from aquila.records.rules import RuleTable


def told_sets(round_: RoundState, table: RuleTable, counterpart: str, third: str) -> tuple[int, ...]:
    """Return the masks of the sets of the lists of two parties; none before both have sent theirs.

    A counterpart is told of a third party where the rules under which both records met hold one of these: then their
    pair is in both their reports, and the matcher tells the two of it as well.
    """
    if any(round_.list_of(party) is None for party in (counterpart, third)):
        return ()
    return masks_of(sets_between(round_, table, counterpart, third))


def sets_of(round_: RoundState, table: RuleTable, own: str, third: str) -> tuple[int, ...] | None:
    """Return the masks of the sets under which a party and a third one are told of every pair; None before its report.

    Where the columns of the two did not fit, they are told of no pair (3.7.13).
    """
    if round_.met.get(ReportKey(own, third, None)) is None:
        return None
    return column_terms(round_, table, own, third).masks


def is_closed(common: int, own_met: int, sets: Iterable[int], met: Collection[int]) -> bool:
    """Return whether what a counterpart tells of a third party fits what the matcher told of that one (3.11.7).

    Args:
        common: The mask of the rules under which the counterpart's record met this party's and the third one's alike.
        own_met: That of the rules under which this party's record met the counterpart's.
        sets: What `sets_of` gave.
        met: The masks of all pairs of this party's record with records of the third party, those below among them.
    """
    if common & ~own_met:
        return False
    return not meets_a_set(common, sets) or any(common & ~one == 0 for one in met)
