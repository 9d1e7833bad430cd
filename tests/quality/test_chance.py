"""What pages say of chance is true: how many pairs of two persons agree in just one way."""

from collections import Counter

from aquila.matching.weights import strangers_bits
from aquila.records.rules import load_rules
from tests.quality.measuring.grading import footings_of
from tests.quality.measuring.plaintext_matching import meet, send
from tests.quality.measuring.set_files import NAMES_AND_DATE
from tests.quality.populations import populated_lists

_MANY = 20


def test_strangers_who_agree_are_hardly_more_than_expected() -> None:
    """In each way in which many pairs of two persons agree, there are at most twice as many of them as pages say."""
    table = load_rules("default")
    made = populated_lists({"BA": 5_000, "RS": 5_000}, 61).only(NAMES_AND_DATE)
    (meeting,) = meet({code: send(records, table) for code, records in made.lists.items()})
    (basis,) = footings_of([meeting], table)
    strangers = Counter(found.rules for found in meeting.met if found.pair not in made.same)
    counted = {mask: count for mask, count in strangers.items() if count >= _MANY}
    assert len(counted) > 3
    for mask, count in counted.items():
        assert count <= 2 * 2 ** strangers_bits(table, mask, basis), mask
