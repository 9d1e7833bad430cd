"""Of the hits of two lists nearly all meet a set of their shadow columns, and few other pairs do."""

from dataclasses import replace
from pathlib import Path

import pytest

from aquila.matching.certainty import Level
from aquila.protocol.shadow.meeting import masks_of
from aquila.records.rules import load_rules
from tests.quality.measuring.labelled_sets import LabelledSet
from tests.quality.measuring.main import ALL_FIELDS
from tests.quality.measuring.plaintext_matching import Sent
from tests.quality.measuring.set_files import NAMES_AND_DATE, region
from tests.quality.measuring.shadow import (
    BARS,
    LENGTHS,
    MOST_HIDDEN,
    SHORT,
    cases_at,
    choose,
    covered_at,
    least_sets,
    measure,
    met_sides,
    own_cases,
    send_all,
    supersets,
)

REGION = Path(__file__).parent / "region"
TABLE = load_rules("default")


@pytest.fixture(scope="module")
def two() -> LabelledSet:
    return region(REGION).among(["BA", "RS"]).only(ALL_FIELDS)


@pytest.fixture(scope="module")
def sent(two: LabelledSet) -> dict[str, Sent]:
    return send_all(two, TABLE)


@pytest.mark.parametrize(
    "fields", [ALL_FIELDS, pytest.param(NAMES_AND_DATE, marks=pytest.mark.soak)], ids=["all fields", "names and date"]
)
def test_sets_cover_hits_and_little_else(two: LabelledSet, sent: dict[str, Sent], fields: tuple[str, ...]) -> None:
    """Nearly every hit meets a set, no side doubts an honest matcher, and few hits can be hidden as too weak."""
    shown = measure(two.only(fields), TABLE, None, sent if fields == ALL_FIELDS else None)
    assert shown.hits > 100
    assert shown.keeps, shown.line()
    assert shown.hidden[Level.LOW].high <= 1


@pytest.mark.soak
def test_least_sets_alone_hide_hits(two: LabelledSet, sent: dict[str, Sent]) -> None:
    """Without the sets that hold others, a matcher can call a tenth of the hits too weak unseen."""
    least = least_sets(TABLE.shadow_sets(5_000))
    shown = measure(two, TABLE, least, sent)
    assert not shown.keeps
    for one in shown.hidden.values():
        assert one.all - one.anyway > 0.08 * shown.covered, shown.line()
    assert shown.hidden[Level.LOW].high > 3


def test_short_lists_leave_no_room(two: LabelledSet) -> None:
    """Of two lists of 300 records with 40 common persons no honest pair is doubted: one called too weak shows."""
    known = {one for pair in two.same for one in (pair.record_a, pair.record_b)}
    kept = {one for pair in sorted(two.same)[:40] for one in (pair.record_a, pair.record_b)}
    lists = {
        party: [one for one in records if one.record_id in kept]
        + [one for one in records if one.record_id not in known][:260]
        for party, records in two.lists.items()
    }
    shown = measure(replace(two, lists=lists), TABLE)
    assert shown.hits > 20
    assert shown.doubted[Level.LOW] == (0, shown.hits)
    assert not shown.alarms


@pytest.mark.soak
def test_sets_of_longer_lists() -> None:
    """Graded as in lists of each length, hits meet the sets of that length, and few can be called too weak."""
    sent = send_all(region(REGION).only(ALL_FIELDS), TABLE)
    lists = met_sides(sent, TABLE)
    for records in LENGTHS:
        hits, covered, hidden = covered_at(lists, TABLE, records)
        assert covered >= hits * next(bar for longest, bar in BARS.items() if records <= longest)
        if records > SHORT:  # the others are measured
            assert hidden <= MOST_HIDDEN * hits, (records, hidden)


@pytest.mark.soak
def test_choice(sent: dict[str, Sent]) -> None:
    """Sets that are chosen anew have one to four rules; a superset holds one of them, whatever it is judged on."""
    lists = met_sides(sent, TABLE)
    assert all(1 <= len(rules) <= 4 for rules in choose(lists, TABLE, LENGTHS[0]))
    for records in (5_000, 1_000_000):
        least = least_sets(TABLE.shadow_sets(records))
        masks = masks_of(least)
        assert least == TABLE.shadow_sets(records)[: len(least)]
        cases = (
            own_cases(met_sides(sent, TABLE, masks), TABLE)
            if records == LENGTHS[0]
            else cases_at(lists, TABLE, records, masks)
        )
        chosen = supersets(cases, sent.values(), TABLE, least)
        assert chosen
        assert all(len(rules) <= 4 and any({*one} < {*rules} for one in least) for rules in chosen)
