"""A whole round in one process."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import TYPE_CHECKING

import pytest

from aquila.errors import InputError, KeyMaterialError
from aquila.matching.certainty import Level
from aquila.protocol.state import Phase
from aquila.records.rules import load_rules
from aquila.rehearsal import DEFAULT_PADDING, Rehearsal
from tests.stage import EXPECTED, LISTS, NOW, person

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aquila.crypto.group import Group


@pytest.fixture
def rehearse(group: Group, tmp_path: Path) -> Callable[..., Rehearsal]:
    """Set up a rehearsal under the rule `exact`, without padding."""
    return partial(
        Rehearsal,
        group,
        load_rules("exact"),
        random=Random(4).randbytes,
        directory=tmp_path,
        minimum=Level.LOW,
        now=NOW,
    )


def test_hits_with_both_record_ids(rehearse: Callable[..., Rehearsal]) -> None:
    """The hits come in the order of parties and records, each with grade and rules."""
    hits = rehearse(lists=LISTS).run()
    assert {hit[:4] for hit in hits} == EXPECTED
    assert hits == sorted(hits)
    for hit in hits:
        assert hit.party_a < hit.party_b
        assert hit.rules == ("exact names and date",)
        assert hit.certainty.least <= hit.probability <= 1


def test_lists_in_any_order(rehearse: Callable[..., Rehearsal], tmp_path: Path) -> None:
    """The order in which parties are given does not change what is found, nor who stands first."""
    hits = rehearse(lists=LISTS).run()
    (tmp_path / "again").mkdir()
    backwards = dict(reversed(LISTS.items()))
    assert rehearse(lists=backwards, directory=tmp_path / "again").run() == hits


def test_the_round_is_closed_and_every_secret_gone(rehearse: Callable[..., Rehearsal]) -> None:
    """After a run every record of the round is closed and nobody can evaluate any more."""
    played = rehearse(lists=LISTS)
    played.run()
    assert {played.round.phase, *(seat.round.phase for seat in played.seats.values())} == {Phase.CLOSED}
    assert set(played.round.closings) == set(LISTS)
    for seat in played.seats.values():
        with pytest.raises(KeyMaterialError):
            seat.secrets.to_bytes()
        with pytest.raises(KeyMaterialError):
            seat.seed.to_bytes()


def test_what_is_measured(rehearse: Callable[..., Rehearsal]) -> None:
    """Seconds by phase and party, elements, and bytes: elements, evaluations and tokens."""
    played = rehearse(lists=LISTS)
    played.run()
    measured = played.measured
    assert set(measured.seconds) == {"consent", "normalize", "blind", "evaluate", "verify", "finalize", "match"}
    assert set(measured.seconds["match"]) == {"matcher"}
    assert all(set(parties) == set(LISTS) for phase, parties in measured.seconds.items() if phase != "match")
    assert measured.elements == {"AL": 3, "RS": 4, "SI": 5}
    assert measured.bytes_sent == {"AL": 3 * 65 + 9 * 32, "RS": 4 * 65 + 8 * 32, "SI": 5 * 65 + 7 * 32}


def test_padding_hides_the_size(rehearse: Callable[..., Rehearsal]) -> None:
    """With padding every list says a hundred records, and the hits are the same."""
    played = rehearse(lists=LISTS, padding=DEFAULT_PADDING)
    assert {hit[:4] for hit in played.run()} == EXPECTED
    assert {submission.records for submission in played.round.submissions.values()} == {100}
    assert set(played.measured.elements.values()) == {800}


def test_the_minimum_certainty(rehearse: Callable[..., Rehearsal]) -> None:
    """Nothing below the manifest's minimum is a hit."""
    levels = [hit.certainty for hit in rehearse(lists=LISTS).run()]
    assert set(levels) == {Level.HIGH}


def test_the_frequency_limit(rehearse: Callable[..., Rehearsal]) -> None:
    """A person that one list holds more often than the limit is held back, counted by rule, and does not hit."""
    often = {"AL": [person(f"al-{n}", "Ana", "Novak", "1980-03-04") for n in range(3)] + list(LISTS["AL"]),
             "SI": LISTS["SI"]}  # fmt: skip
    played = rehearse(lists=often, frequency_limit=2)
    assert {hit[:4] for hit in played.run()} == {("AL", "al-1", "SI", "si-4")}
    assert played.measured.held_back == {"AL": {"exact names and date": 3}, "SI": {}}


def test_every_phase_is_watched(rehearse: Callable[..., Rehearsal]) -> None:
    """Whoever watches is told of each phase of each party, until all of its parts are done."""
    told: dict[tuple[str, str], list[tuple[int, int]]] = {}
    played = rehearse(lists=LISTS, chunk_elements=2, watch=lambda *step: told.setdefault(step[:2], []).append(step[2:]))
    played.run()
    phases = {"consent", "normalize", "blind", "evaluate", "verify", "finalize"}
    assert set(told) == {(phase, code) for phase in phases for code in LISTS} | {("match", "matcher")}
    for steps in told.values():
        assert [done for done, _ in steps] == list(range(1, len(steps) + 1))
        assert {of for _, of in steps} >= {len(steps)}
        assert steps[-1] == (len(steps), len(steps))


@pytest.mark.parametrize("codes", [(), ("SI",)], ids=["nobody", "one"])
def test_fewer_than_two_parties(rehearse: Callable[..., Rehearsal], codes: tuple[str, ...]) -> None:
    """A match needs two."""
    with pytest.raises(InputError, match="at least two parties"):
        rehearse(lists={code: LISTS[code] for code in codes})
