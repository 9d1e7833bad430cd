"""The cost of every page, and of every call by which people read, on homes with many rounds and hits.

The services run in this process, without their drivers and without sockets: seconds of processor are those of the page
and of the calls that it makes, and of the database's server. Each address is opened once, and then as often as
`_LOOKS`, of which the median counts, divided by the slowness of the machine meanwhile. What is above its bound is
measured again when all others have been, and the lesser figure counts: what other programs did to it is then over.
"""

import re
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from statistics import median
from typing import NamedTuple

import httpx

from tests.years.addresses import Visited, visit_matcher, visit_node
from tests.years.bounds import ANSWER_MILLISECONDS, WHOLE_BYTES, Figure
from tests.years.homes import Homes
from tests.years.yardstick import Yardstick

_LOOKS = 7
_MORE_ROUNDS_OF_LOOKS = 2
_NODE = "AL"
_WHOLE = re.compile(r"^/v1/(rounds/[^/]+/hits|(operator/)?log/rounds/[^/]+)$")


class AnswerCost(NamedTuple):
    service: str
    address: str
    processor: float = 0.0
    judged: float = 0.0
    clock: float = 0.0
    first: float = 0.0
    size: int = 0
    is_missing: bool = False

    @property
    def most(self) -> float:
        """The bound: more for a large answer that is all that there is of a round."""
        pieces = -(-self.size // WHOLE_BYTES) if _WHOLE.search(self.address) else 1
        return ANSWER_MILLISECONDS * max(1, pieces)

    def figure(self, database: str) -> Figure:
        if self.is_missing:
            return Figure(database, self.service, f"`{self.address}` has no example", 1, "", 0)
        what = f"`{self.address}`, of processor"
        return Figure(database, self.service, what, self.judged, "ms", self.most)


async def answer_costs(homes: Homes) -> AsyncIterator[AnswerCost]:
    """Yield what each page and each call costs, at the matcher and at the node of Albania."""
    for visited in (await visit_matcher(homes.folder / "matcher"), await visit_node(homes.folder / _NODE)):
        addresses = [*visited.page_addresses(), *visited.call_addresses()]
        costs = dict[str, AnswerCost]()
        for path, address in sorted(set(addresses)):
            if address:
                costs[address] = await _cost(homes, visited, address)
            else:
                costs[path] = AnswerCost(visited.name, path, is_missing=True)
        for _ in range(_MORE_ROUNDS_OF_LOOKS):
            for address, cost in costs.items():
                if cost.judged > cost.most:
                    again = await _cost(homes, visited, address)
                    costs[address] = min(cost, again, key=lambda one: one.judged)
        for cost in costs.values():
            yield cost
        visited.pages.end()


def cost_table(costs: Iterable[AnswerCost]) -> Iterator[str]:
    """Yield the lines of a Markdown table, the dearest answer of each service first."""
    yield "| service | address | ms | of processor | until the answer | of processor, for the first time | kB |"
    yield "|---|---|---:|---:|---:|---:|---:|"
    for one in sorted(costs, key=lambda one: (one.service, -one.judged)):
        figures = f"{one.judged:.0f} | {one.processor:.0f} | {one.clock:.0f} | {one.first:.0f} | {one.size / 1_000:.0f}"
        yield f"| {one.service} | `{one.address}` | {figures} |"


async def _cost(homes: Homes, visited: Visited, address: str) -> AnswerCost:
    """Open an address several times, and return what it cost."""
    looks, yardstick = list[tuple[float, float]](), Yardstick()
    name = _NODE if visited.name == "node" else visited.name
    async with visited.caller() if address.startswith("/v1/") else visited.browser().client as client:
        for _ in range(1 + _LOOKS):
            yardstick.look()
            database, processor, began = homes.database_seconds(name), time.process_time(), time.perf_counter()
            answer = await client.get(address)
            clock, processor = time.perf_counter() - began, time.process_time() - processor
            looks.append((1_000 * (processor + homes.database_seconds(name) - database), 1_000 * clock))
            text = answer.text[:2_000]
            assert answer.status_code < httpx.codes.BAD_REQUEST, f"{address}: {answer.status_code} {text}"
    processor, clock = (median(values) for values in zip(*looks[1:], strict=True))
    shown = re.sub(r"[0-9a-f]{32}", "...", address)
    judged = processor / yardstick.slowness
    return AnswerCost(visited.name, shown, processor, judged, clock, looks[0][0], len(answer.content))
