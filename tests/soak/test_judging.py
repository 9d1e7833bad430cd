"""The judgement of the soak's figures."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.soak.__main__ import PARTS
from tests.soak.judging import KILLS_AN_HOUR, failures, left_out, needed_kills, never_made
from tests.soak.parts import Conditions, Size
from tests.support.faults import Fault

SECONDS = 600.0
SIZE = Size(SECONDS, 1, 3, 300, 64, 12, needed_kills=5)
KINDS = {Fault.KILL, Fault.RESTORE}
AS_IT_HAS_TO_BE = {
    "part": "sqlite",
    "kills": 5,
    "needed_kills": 5,
    "never_made": [],
    "not_made": {},
    "unexpected_errors": [],
}


def test_an_hour_of_all_parts_needs_a_thousand_kills() -> None:
    """An hour has a thousand kills, other times have as many in proportion, and a part by itself has its own share."""
    for minutes, kills in ((60, 1_000), (30, 500), (90, 1_500)):
        assert sum(needed_kills(part, 60 * minutes * share, share) for part, share in PARTS.items()) == kills
    assert needed_kills("kills", 1_800, PARTS["kills"]) == KILLS_AN_HOUR["kills"]
    assert needed_kills("kills", 180, PARTS["kills"]) == KILLS_AN_HOUR["kills"] / 10


def test_figures_without_a_fault_are_as_they_have_to_be() -> None:
    assert not failures([AS_IT_HAS_TO_BE, AS_IT_HAS_TO_BE | {"part": "kills", "kills": 9, "needed_kills": 9}])
    assert not left_out([AS_IT_HAS_TO_BE])


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"kills": 4}, "4 kills in all, and 5 are needed"),
        ({"never_made": ["restore"]}, "sqlite: a kind of fault never came: restore"),
        ({"unexpected_errors": ["a: b"]}, "sqlite: an error that nobody foresaw: a: b"),
    ],
)
def test_what_is_missing_is_said(changed: dict[str, Any], line: str) -> None:
    """Too few kills, a kind of fault that never came, and an error that nobody foresaw are a failure each."""
    assert failures([AS_IT_HAS_TO_BE | changed]) == [line]


def test_kills_are_counted_over_all_parts() -> None:
    assert not failures([AS_IT_HAS_TO_BE | {"kills": 4}, AS_IT_HAS_TO_BE | {"kills": 6}])


def test_kinds_that_the_machine_cannot_make_are_said_and_no_failure() -> None:
    """What no machine of this kind can make is named with its reason, and is not taken for missing."""
    figures = AS_IT_HAS_TO_BE | {"not_made": {"disk": "no root"}}
    assert left_out([figures]) == ["sqlite: NOT MADE: disk, because no root"]
    assert not failures([figures])
    assert never_made(KINDS, {Fault.KILL: 1, Fault.CLOCK: 1}) == ["restore"]
    assert not never_made(KINDS, dict.fromkeys(KINDS, 1))


@pytest.mark.parametrize(
    ("rounds", "passed", "made", "kills", "goes_on"),
    [
        (1, 3 * SECONDS, 1, 5, True),
        (2, SECONDS - 1, 1, 5, True),
        (2, SECONDS, 1, 5, False),
        (2, SECONDS, 0, 5, True),
        (2, SECONDS, 1, 4, True),
        (2, 3 * SECONDS - 1, 0, 4, True),
        (2, 3 * SECONDS, 0, 4, False),
    ],
)
def test_a_part_goes_on_while_it_misses_something(
    rounds: int, passed: float, made: int, kills: int, *, goes_on: bool
) -> None:
    """A part has a round under faults, and lasts its time, and up to three times as long where something is missing."""
    faults: Any = SimpleNamespace(kinds=KINDS, made={Fault.KILL: 1, Fault.RESTORE: made}, kills=kills)
    assert Conditions().goes_on(rounds, passed, SIZE, faults) is goes_on
