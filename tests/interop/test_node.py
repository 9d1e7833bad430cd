"""A node in JavaScript, written from `schemas/` alone, gives what the vectors say, and plays rounds with our services."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.foreign_round import ForeignRound, ForeignWorld, differences

pytestmark = pytest.mark.e2e

NODE = Path(__file__).parent / "node"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForeignWorld]:
    """Our services; each foreign party plays one round."""
    with ForeignWorld(tmp_path_factory.mktemp("world"), NODE / "main.mjs", ["RS", "BA", "ME"]) as made:
        yield made


def test_a_round_with_it_has_the_hits_of_a_rehearsal(world: ForeignWorld) -> None:
    """Both sides of every hit have the same of it, every note is confirmed, and no call was refused."""
    played = ForeignRound(world, "RS")
    expected = played.expected()
    assert sum("RS" in hit for hit in expected) >= 5
    played.play()
    assert differences(played.sides(), expected) == []
    assert played.node.faults == []
    assert [call for call in world.between.calls if call.failed] == []
