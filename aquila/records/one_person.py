"""Rows of a list that evidently tell of one person, and which of them bear a value that too many rows share.

A list may have a row for each case or each other name of a person. The frequency limit is meant for values of many
persons, so it counts such rows once (PROTOCOL.md 3.4.7). Nothing is joined for it: that two rows are one person's
follows from the traits that tell lists from guesses (`aquila.records.entropy`), and errors cost little, because no
more records than the limit bear the value in what is sent.
"""

import numpy as np
from numpy.typing import NDArray

from aquila.records.entropy import named, row_starts

_LEAST_LIFT = 8


def persons_of(traits: np.ndarray) -> NDArray[np.int64]:
    """Return for each of n records a number below 2n, which records that are evidently of one person share.

    These have the first and the last word of the name, in either order, and the date of birth in common. The date must
    be eight times as frequent among the bearers of the name as among all other records: one that a source writes for
    everybody, such as 1 July, is no evidence, nor is a year beside a usual name.

    Args:
        traits: As `aquila.records.entropy.named_traits` gives them.
    """
    records = len(traits)
    names, born = _numbers(named(traits)), _numbers(traits["born"])
    groups = _numbers(names * (records + 1) + born)
    of_name, of_date, alike = (np.bincount(numbers)[numbers] for numbers in (names, born, groups))
    evident = _LEAST_LIFT * of_name * (of_date - alike) <= alike * (records - alike)
    evident &= (traits["first"] != 0) & (traits["born"] != 0)
    return np.where(evident, groups, records + np.arange(records))


def chosen_bearers(
    values: NDArray[np.uint64],
    records: NDArray[np.int64],
    persons: NDArray[np.int64],
    inputs: NDArray[np.uint16],
    limit: int,
) -> NDArray[np.bool_]:
    """Return which inputs of values that too many records bear are sent: up to the limit, if no more persons bear it.

    Every person has one, then every person who has more a second, and so on. Of a person the records with most inputs
    go first, then by position: the same records for all values where possible, since a pair is graded by all that met.

    Args:
        values: Of each of m inputs.
        records: The position of its record, from 0.
        persons: Of each record of the list.
        inputs: How many each record has.
        limit: How many persons may share a value, and how many records bear it at most.
    """
    chosen = np.zeros(len(values), dtype=bool)
    # 1. Most values are of many persons with one record each: those are not looked at further.
    alone = np.bincount(persons)[persons] == 1
    numbers = _numbers(values)
    some = np.flatnonzero(np.bincount(numbers, weights=alone[records])[numbers] <= limit)
    numbers, records = numbers[some], records[some]
    # 2. The records of one person that bear a value stand together, the best first, and take turns.
    place = np.empty(len(persons), dtype=np.int64)
    place[np.argsort(-inputs.astype(np.int64), kind="stable")] = np.arange(len(persons))
    order = np.lexsort((place[records], persons[records], numbers))
    some, numbers, records = some[order], numbers[order], records[order]
    turns = _turns(row_starts(numbers, persons[records]))
    few = (np.bincount(numbers[turns == 0]) <= limit)[numbers]
    some, numbers, records, turns = some[few], numbers[few], records[few], turns[few]
    # 3. The first of these are sent.
    order = np.lexsort((place[records], turns, numbers))
    chosen[some[order[_turns(row_starts(numbers[order])) < limit]]] = True
    return chosen


def _numbers(values: NDArray[np.generic]) -> NDArray[np.int64]:
    """Return the number of each value among the different ones, from 0."""
    numbers: NDArray[np.int64] = np.unique(values, return_inverse=True)[1]
    return numbers


def _turns(starts: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return how far each row is from the last start."""
    rows = np.arange(len(starts))
    return rows - rows[starts][np.cumsum(starts) - 1] if len(rows) else rows
