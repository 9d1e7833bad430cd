"""Five parties are set up by the documented commands alone, with TLS, and play a round."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.loaded_program import LOADED
from tests.support.operators import FIVE_PARTIES, Ceremony, Operator
from tests.support.process_world import World, paired_hits, rehearsed_hits

pytestmark = [pytest.mark.e2e, pytest.mark.soak]  # `test_compose` holds the same ceremony of two

MOST_AT_A_PARTY, MOST_FOR_A_PARTY = 5, 2


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[World]:
    """An empty world, whose services are stopped at the end; what people do are commands of the installed program."""
    made = World(tmp_path / "world", program=LOADED)
    made.root.mkdir()
    try:
        yield made
    finally:
        made.stop()


def test_five_parties_by_the_documented_commands(stage: World, files: dict[str, Path], tmp_path: Path) -> None:
    """At most five commands at each party, two for each at the secretariat, and no edited file; a round over TLS.

    One of the parties renews its identity key before the round.
    """
    ceremony = Ceremony(stage, FIVE_PARTIES)
    ceremony.hold()
    secretariat, operators = ceremony.secretariat, ceremony.operators
    # The claim of the operations page.
    assert {len(operator.given) for operator in operators.values()} == {3}
    assert len(operators["AL"].given) <= MOST_AT_A_PARTY
    assert len(secretariat.given) <= 2 + MOST_FOR_A_PARTY * len(FIVE_PARTIES)
    # Everyone has the same registry, and the secretariat sees it once each node has said so.
    stage.until(lambda: accepted_by(secretariat) == dict.fromkeys(FIVE_PARTIES, len(FIVE_PARTIES)))
    registries = {(one.process.home / "registry.toml").read_bytes() for one in (*operators.values(), secretariat)}
    assert len(registries) == 1
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{stage.matcher.port}/health", timeout=10)
    ceremony.renew_identity(min(files))
    _play(stage, files, tmp_path)


def accepted_by(secretariat: Operator) -> dict[str, int | None]:
    return {one["party"]: one["accepted"] for one in secretariat.read("aquila party registry")["parties"]}


def _play(stage: World, files: dict[str, Path], tmp_path: Path) -> None:
    for code in set(FIVE_PARTIES) - set(files):
        stage.services.pop(code).stop()
    players = [stage.matcher, *(stage.services[code] for code in files)]
    for process in players:
        stage._people(process)
    round_id = stage.propose(participants=sorted(files))
    nodes = [stage.services[code] for code in sorted(files)]
    stage.consent(round_id, *nodes)
    for node in nodes:
        stage.submit(node, round_id, stage.import_list(node, files[node.name]))
    stage.wait_for_hits(round_id)
    assert paired_hits(stage, round_id) == rehearsed_hits(files, tmp_path)
