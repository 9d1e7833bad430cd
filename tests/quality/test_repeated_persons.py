"""A person of whom a list has many rows is found like one of whom it has one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from aquila.matching.certainty import Level
from aquila.records.person import Record
from aquila.records.rules import load_rules
from tests.quality.measuring.grading import hits_of
from tests.quality.measuring.labelled_sets import Pair
from tests.quality.measuring.plaintext_matching import FREQUENCY_LIMIT, meet, send
from tests.quality.measuring.set_files import NAMES_AND_DATE
from tests.quality.populations import populated_lists

_ROWS = 12  # of a person, more than the limit


def test_as_many_persons_are_found_as_where_each_has_one_row() -> None:
    """A row for each case, all alike: each hit comes through as many rows as the limit says."""
    table = load_rules("default")
    once = populated_lists({"BA": 2_000, "RS": 2_000}, 81).only(NAMES_AND_DATE)
    repeated = {pair[3] for pair in sorted(once.same)[::4]}
    rows = [
        replace(record, record_id=f"{record.record_id}.{row}")
        for record in once.lists["RS"]
        for row in range(_ROWS if record.record_id in repeated else 1)
    ]

    def found(lists: Mapping[str, Sequence[Record]]) -> dict[Pair, list[Level]]:
        of_pair: dict[Pair, list[Level]] = {}
        for hit in hits_of(meet({party: send(records, table) for party, records in lists.items()}), table):
            pair = hit.pair._replace(record_b=hit.pair.record_b.split(".")[0])
            if pair in once.same and pair.record_b in repeated:
                of_pair.setdefault(pair, []).append(hit.level)
        return of_pair

    before, after = found(once.lists), found({**once.lists, "RS": rows})
    assert len(before) > 30
    assert len(after) >= 0.95 * len(before)
    assert {len(levels) for levels in after.values()} == {FREQUENCY_LIMIT}
