"""A whole round among real processes: the rehearsal's hits, no leak, and nothing left after the close."""

from pathlib import Path

import pytest

from tests.support.process_world import World, folded_words, leaks, paired_hits, rehearsed_hits, secrets_of

pytestmark = pytest.mark.e2e


def play(world: World, files: dict[str, Path]) -> str:
    round_id = world.propose(mode="lists_and_queries")  # so that the lists' tokens stay until the end
    world.consent(round_id)
    for node in world.nodes:
        world.submit(node, round_id, world.import_list(node, files[node.name]))
    world.wait_for_hits(round_id)
    return round_id


def test_services_give_the_rehearsals_hits_and_leak_nothing(
    world: World, files: dict[str, Path], tmp_path: Path
) -> None:
    """The services' hits are those of `aquila rehearse`, and no byte of anyone else tells a name."""
    round_id = play(world, files)
    hits = paired_hits(world, round_id)
    assert hits == rehearsed_hits(files, tmp_path)
    assert len(hits) >= 3
    needles = secrets_of(files)
    assert any("tokens" in path.parts for path in world.files(world.matcher)), "tokens are there to be searched"
    assert leaks(world.files(world.matcher), needles) == []
    for node in world.nodes:
        own = secrets_of({node.name: files[node.name]}) | folded_words(files[node.name])
        foreign = secrets_of({code: path for code, path in files.items() if code != node.name}) - own
        assert foreign
        assert leaks(world.files(node), foreign) == []
    for service in world.services.values():
        assert leaks(iter([service.log]), needles) == []
    world.close(round_id)
    for node in world.nodes:
        assert list((node.home / "keys").glob("*.key")) == []
        assert [path for path in (node.home / "chunks").rglob("*") if path.is_file()] == []
    assert [path for path in (world.matcher.home / "chunks").rglob("*") if path.is_file()] == []
