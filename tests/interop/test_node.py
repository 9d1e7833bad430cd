"""A node in JavaScript, written from `schemas/` alone, plays rounds with two nodes of ours and the real matcher."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.foreign_round import OURS, ForeignRound, ForeignWorld, differences

pytestmark = pytest.mark.e2e

MAIN = Path(__file__).parent / "node/main.mjs"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForeignWorld]:
    """Our services, and foreign parties that each play one round."""
    with ForeignWorld(tmp_path_factory.mktemp("world"), MAIN, ["SI", "ME", "BA", "HR"]) as made:
        yield made


def test_a_round_has_the_hits_of_a_rehearsal(world: ForeignWorld) -> None:
    """Both sides have the same of every hit, every note is confirmed, and no call was refused."""
    played = ForeignRound(world, "SI", "default")
    expected = played.expected()
    assert sum("SI" in hit for hit in expected) >= 10
    played.play()
    assert differences(played.sides(), expected) == []
    assert played.node.faults == []
    assert [call for call in world.between.calls if call.failed] == []


def test_it_notices_a_hit_that_the_matcher_left_out(world: ForeignWorld) -> None:
    """Other tags met than those of the report, and the matcher's log has another one: it signs no receipt."""
    played = ForeignRound(world, "ME")
    played.begin("hit-left-out")
    played.wait("the tags", lambda: ("3.7.13", None) in found(played))
    played.wait("the log", lambda: {("10.5", "matcher"), ("10.5.3", "matcher")} & found(played))
    [party] = [one for one in world.world.view(world.world.matcher, played.round_id)["parties"] if one["party"] == "ME"]
    assert not party["acknowledged"]


def test_it_notices_elements_that_another_key_evaluated(world: ForeignWorld) -> None:
    """It sends the liar no tokens, and has its hits with the other one."""
    played = ForeignRound(world, "BA")
    liar, other = OURS
    played.begin("wrong-elements")
    played.wait("a fault", lambda: ("3.6.0", liar) in found(played))
    played.wait("hits", lambda: any(hit.state == "confirmed" for hit in played.node.hits().values()))
    assert {hit.counterpart for hit in played.node.hits().values()} == {other}


def test_it_confirms_no_notes_that_do_not_open(world: ForeignWorld) -> None:
    """Its people are told, none of the hits of that sender is confirmed, and those of the other one are."""
    played = ForeignRound(world, "HR")
    liar, other = OURS
    played.begin("notes-that-do-not-open")
    played.wait("a fault", lambda: ("3.7.8", liar) in found(played))
    played.wait("hits", lambda: {(other, "confirmed")} <= states(played))
    assert states(played) == {(liar, "unconfirmed"), (other, "confirmed")}
    assert not world.world.is_closed(played.round_id)


def states(played: ForeignRound) -> set[tuple[str, str]]:
    """Return the states of the foreign node's hits with each of our nodes."""
    return {(hit.counterpart, hit.state) for hit in played.node.hits().values()}


def found(played: ForeignRound) -> set[tuple[str | None, str | None]]:
    """Return the paragraphs of the faults that the foreign node noticed, and whom it blames."""
    return {(one["paragraph"], one["blamed"]) for one in played.node.faults}
