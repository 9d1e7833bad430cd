"""The elements that a consent declares for a list and queries, and the names that they could guess (PROTOCOL.md 3.3.7).

Rules on names, with a place, a nationality or a year at most, are the cheapest to guess, and their inputs are of the
class coarse. A party that has elements of that class evaluated, and knows which names are common in a country, finds a
share of a list whose names are as common as those of the region's lists. It finds names, and of dates years at most
(docs/MATCHING.md).
"""

from typing import Final

from aquila.protocol.messages import ClassCounts, Padding
from aquila.protocol.submissions.padding import padded_records
from aquila.records.rules import InputClass

PER_RECORD: Final = {InputClass.FULL: 10, InputClass.PARTIAL: 15, InputClass.COARSE: 17}
"""Elements of each class that a consent declares for one record."""

_FEWEST_RECORDS = 100

GUESSES_BY_NAMES: Final = (
    (10, 299),
    (20, 929),
    (30, 1_870),
    (40, 3_356),
    (50, 4_836),
    (60, 7_834),
    (70, 12_249),
    (80, 14_746),
    (90, 17_244),
)
"""Per cent of the records, and the fewest guesses by one coarse rule that find them."""


def elements_for(padding: Padding, records: int, queries: int) -> ClassCounts:
    """Return the elements by class that a list of some records and some small queries need at most.

    Of lists with all fields a record has up to 9 full, 13 partial and 16 coarse inputs on average, padding included;
    among few records one with many aliases is not averaged out.
    """
    counted = max(_FEWEST_RECORDS, padded_records(records, padding)) + queries * padding.records_multiple
    return ClassCounts.by(lambda kind: PER_RECORD[kind] * counted)


def records_for(elements: ClassCounts) -> int:
    """Return for how many records some elements are enough, by what a consent declares for each of them."""
    return max(-(-elements.of(kind) // most) for kind, most in PER_RECORD.items())


def percent_by_names(coarse: int) -> int:
    """Return the per cent of a list, in steps of ten, whose names some coarse elements find."""
    return max((percent for percent, guesses in GUESSES_BY_NAMES if guesses <= coarse), default=0)
