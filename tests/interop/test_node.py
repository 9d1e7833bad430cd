"""A node in JavaScript, written from `schemas/` alone, plays rounds with two nodes of ours and the real matcher."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.foreign_round import ForeignRound, ForeignWorld, differences

pytestmark = pytest.mark.e2e

MAIN = Path(__file__).parent / "node/main.mjs"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForeignWorld]:
    """Our services, and a foreign party."""
    with ForeignWorld(tmp_path_factory.mktemp("world"), MAIN, ["RS"]) as made:
        yield made


def test_a_round_has_the_hits_of_a_rehearsal(world: ForeignWorld) -> None:
    """Both sides have the same of every hit, every note is confirmed, and no call was refused."""
    played = ForeignRound(world, "RS")
    expected = played.expected()
    assert sum("RS" in hit for hit in expected) >= 5
    played.play()
    assert differences(played.sides(), expected) == []
    assert played.node.faults == []
    assert [call for call in world.between.calls if call.failed] == []
