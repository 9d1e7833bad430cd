"""A round of the whole region, calculated from measured steps; and measured rounds next to the same calculation."""

from collections.abc import Sequence

import tests.bench.steps as of
from tests.bench import data_volumes
from tests.bench.data_volumes import Cost, Size
from tests.bench.records import RecordStep
from tests.bench.rounds import PlayedRound
from tests.bench.steps import MeasuredStep, Operation

REGION = Size(parties=12, records=1_000_000, inputs=10)
QUOTA = 4_096 << 20
"""Bytes of evaluations that wait for their origins at most: `quotas.evaluation_mebibytes` of a matcher as it comes."""

LINE = 100e6
"""Bits per second of a node's line, both ways together."""

_GIGABYTE = 1e9
_SECONDS = 3_600


def cost_of(steps: Sequence[MeasuredStep], records: Sequence[RecordStep], rules: str) -> Cost | None:
    """Return the costs of a round's steps on the backend that was measured first; None if a part is missing."""
    least: dict[Operation, float] = {}
    for step in steps:
        least.setdefault(step.operation, step.spread.least)
    reading = [step.spread.least for step in records if not step.inputs]
    making = [step for step in records if f"rules {rules}," in step.name]
    if not least or not reading or not making:
        return None
    inputs = sum(step.inputs for step in making) / len(making)
    per_record = sum(reading) / len(reading) + sum(step.spread.least for step in making) / len(making)
    few, many = sorted(of.FINALIZE)
    return Cost(
        prepare=per_record / inputs,
        blind=least[of.BLIND],
        answer=least[of.DECODE] + least[of.EVALUATE] + least[of.PROVE],
        verify=least[of.DECODE] + least[of.VERIFY],
        finalize=least[of.FINALIZE[few]],
        add=(least[of.FINALIZE[many]] - least[of.FINALIZE[few]]) / (many - few),
    )


def round_seconds(played: PlayedRound, cost: Cost) -> float:
    """Return the processor seconds that a measured round should have taken by its steps alone."""
    size = Size(played.parties, played.records, played.elements / played.parties / played.records)
    return round(played.parties * data_volumes.node_hours(size, cost) * _SECONDS, 2)


def region(cost: Cost) -> list[tuple[str, float]]:
    """Return the data sent and stored, and the hours, of a round of the whole region."""
    return [
        ("a node sends, GB", data_volumes.node_sends(REGION) / _GIGABYTE),
        ("a node fetches, GB", data_volumes.node_receives(REGION) / _GIGABYTE),
        ("a node keeps at most, GB", data_volumes.node_disk(REGION) / _GIGABYTE),
        ("the matcher takes and gives, GB", data_volumes.matcher_moves(REGION) / _GIGABYTE),
        ("the matcher keeps if nothing is deleted, GB", data_volumes.matcher_bytes(REGION) / _GIGABYTE),
        ("the matcher keeps at most, GB", data_volumes.matcher_disk(REGION, QUOTA) / _GIGABYTE),
        ("processor hours of a node, without shadow columns", data_volumes.node_hours(REGION, cost)),
        (f"hours of a node's line of {LINE / 1e6:.0f} Mbit/s", data_volumes.transfer_hours(REGION, LINE)),
    ]
