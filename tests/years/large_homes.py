"""Making homes with many rounds, on which services are started and measured."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.support.clock import Clock
from tests.support.large_world import closed_round_with_queries, copy_closed_round
from tests.support.node_world import make_world

if TYPE_CHECKING:
    from pathlib import Path

_CONSENTED = 5  # of so many open rounds one waits for lists, the others for consents


async def make_homes(folder: Path, open_rounds: int, closed: int, statements: int) -> None:
    """Make the homes `matcher`, `AL`, `RS` and `SI` in a folder, and stop the services.

    Args:
        folder: Where.
        open_rounds: Rounds that wait for consents or lists.
        closed: Rounds that are over.
        statements: Signed statements of each of these, at the matcher; a node has those that it sees.
    """
    world = make_world(folder, Clock(int(time.time()) - 60))
    try:
        first = await closed_round_with_queries(world, statements)
        _tell("a round was played")
        copy_closed_round(world, first, closed - 1, tell=_tell)
        for party_node in world.nodes.values():
            party_node.restart()
        for number in range(open_rounds):
            began = time.process_time()
            if number % _CONSENTED:
                await world.propose()
            else:
                await world.begin(lists=False)
            await world.settle()
            _tell(f"{number + 1} rounds are open, the last in {time.process_time() - began:.1f} s of processor")
    finally:
        await world.close()


def _tell(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command's progress
