"""Make the homes and the signed messages of a release: `python -m tests.migrations.stored_home X.Y.Z`.

Run on the commit that is released, it writes `homes/X.Y.Z.tar.xz`, and `test_stored_homes.py` then upgrades these homes
with every later version (RELEASING.md). The persons are invented, and the keys are used nowhere else.
"""

import asyncio
import json
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from aquila.protocol.encoding import canonical
from tests.support.clock import Clock
from tests.support.node_world import HEADER, LISTS, World, make_world
from tests.support.samples import SAMPLES

ROUNDS, MESSAGES = "rounds.json", "messages.json"
HOMES = Path(__file__).parent / "homes"
STOPPED_AT = 1_800_000_000
"""The time at which all services of the homes were stopped, in seconds since 1970."""


async def play(folder: Path) -> None:
    """Leave homes of a matcher and three nodes with a closed, an open and a proposed round, and write down its hits."""
    world = make_world(folder, Clock(STOPPED_AT))
    closed = await world.begin()
    await world.settle()
    answer = await world.operator.post(f"/v1/operator/rounds/{closed}/close")
    assert answer.is_success, answer.text
    await world.settle()
    half_submitted = await world.begin(lists=False)
    for code in ("AL", "SI"):
        party_node = world.nodes[code]
        answer = await party_node.submit(half_submitted, await party_node.load(HEADER + LISTS[code]))
        assert answer.is_success, answer.text
    await world.settle()
    rounds = {"closed": closed, "half_submitted": half_submitted, "proposed": await world.propose()}
    await world.settle()
    content = {"rounds": rounds, "hits": await hits(world, closed)}
    (folder / ROUNDS).write_text(json.dumps(content), encoding="utf-8")
    messages = {kind.payload_type: canonical(sample).decode() for kind, sample in SAMPLES.items()}
    (folder / MESSAGES).write_text(json.dumps(messages), encoding="utf-8")
    await world.close()


def unpack(release: str, folder: Path) -> None:
    """Unpack the homes of a release."""
    with tarfile.open(HOMES / f"{release}.tar.xz") as packed:
        packed.extractall(folder, filter="data")
    for path in folder.rglob("*"):
        path.chmod(path.stat().st_mode & 0o700)  # the filter leaves folders open, and a service refuses such a home


async def hits(world: World, round_id: str) -> dict[str, list[list[str]]]:
    """Return each party's hits of a round: the own record, the other party and the certainty."""
    return {
        code: sorted(
            [hit["record_id"], hit["counterpart"], hit["certainty"]]
            for hit in (await party_node.get(f"/rounds/{round_id}/hits"))["hits"]
        )
        for code, party_node in world.nodes.items()
    }


if __name__ == "__main__":
    with TemporaryDirectory() as homes, tarfile.open(HOMES / f"{sys.argv[1]}.tar.xz", "w:xz") as packed:
        asyncio.run(play(Path(homes)))
        packed.add(homes, ".")
