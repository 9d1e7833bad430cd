"""One run of the measurement of rounds among services, next to the same rounds as rehearsals."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from aquila.protocol.registry import MATCHER
from clients.local_services.processes import staged
from tests.bench.records import PARTIES
from tests.bench.services.rehearsed_round import RehearsedRound, rehearse
from tests.bench.services.served_round import ServedRound, list_file, play
from tests.bench.steps import Machine, machine_table, table

SIZES = ((20_000,) * 3, (5_000,) * 5)
"""The rounds that are measured if no others are asked for."""

_MIB = 1 << 20
_COUNTED = """Services: from the first consent to the last confirmation of a hit, with submissions and approvals,
default rules and padding; processor seconds are those of matcher, nodes and their workers, without
their start. The import of the lists is a part by itself. Rehearsal: the whole command with the same files, rules and
padding, with its start and the reading of the files.
"""


@dataclass(frozen=True, slots=True)
class Compared:
    """One round among services, and the same round as a rehearsal if it was played.

    Attributes:
        hits: How many the services found, where they were asked.
        same_hits: Whether both found the same ones, on the same records and with the same certainties.
    """

    served: ServedRound
    rehearsed: RehearsedRound | None = None
    hits: int | None = None
    same_hits: bool | None = None

    @property
    def processor_ratio(self) -> float | None:
        """The services' processor time as a multiple of the rehearsal's."""
        one = self.rehearsed
        return None if one is None else round(self.served.processor_seconds / one.processor_seconds, 2)

    @property
    def wall_ratio(self) -> float | None:
        """The services' time as a multiple of the rehearsal's."""
        return None if self.rehearsed is None else round(self.served.seconds / self.rehearsed.seconds, 2)

    def document(self) -> dict[str, object]:
        return asdict(self) | {
            "seconds": self.served.seconds,
            "processor_seconds": self.served.processor_seconds,
            "wall_ratio": self.wall_ratio,
            "processor_ratio": self.processor_ratio,
        }


@dataclass(slots=True)
class ServiceResults:
    machine: Machine
    rounds: list[Compared] = field(default_factory=list)

    def document(self) -> dict[str, object]:
        return {"machine": self.machine.document(), "rounds": [one.document() for one in self.rounds]}

    def page(self) -> str:
        sections = [("Machine", machine_table(self.machine)), ("Services beside a rehearsal", self._compared())]
        for one in self.rounds:
            sections += [(f"{named(one.served.lists)}: parts", _parts(one.served))]
            sections += [(f"{named(one.served.lists)}: processes", _processes(one.served))]
        return "\n".join(
            ["# What a round among services takes\n", *(f"## {title}\n\n{text}" for title, text in sections)]
        )

    def _compared(self) -> str:
        columns = (
            "lists",
            "seconds",
            "rehearsed",
            "ratio",
            "processor seconds",
            "rehearsed",
            "ratio",
            "memory, MiB",
            "rehearsed",
            "hits",
            "the same hits",
        )
        rows = []
        for one in self.rounds:
            served, other = one.served, one.rehearsed
            rows.append(
                (
                    named(served.lists),
                    served.seconds,
                    other and other.seconds,
                    one.wall_ratio,
                    served.processor_seconds,
                    other and other.processor_seconds,
                    one.processor_ratio,
                    served.peak_memory // _MIB,
                    other and other.peak_memory // _MIB,
                    one.hits,
                    None if one.same_hits is None else str(one.same_hits).lower(),
                )
            )
        return table(columns, rows) + "\n" + _COUNTED


def named(lists: Sequence[int]) -> str:
    if len(set(lists)) == 1:
        return f"{len(lists)} x {lists[0]:,}"
    return " + ".join(f"{records:,}" for records in lists)


def run(
    folder: Path,
    machine: Machine,
    rounds: Sequence[Sequence[int]],
    watch: Callable[[str, str, int, int], None],
    *,
    rehearsed: bool = True,
) -> ServiceResults:
    """Measure rounds, each among services that are started for it in an empty folder.

    Args:
        folder: Where homes and lists go.
        watch: Is told of progress: phase, part, done and all.
        rehearsed: Whether to play each round as a rehearsal too, and to compare the hits.
    """
    results = ServiceResults(machine)
    folder.mkdir(parents=True, exist_ok=True)
    for number, lists in enumerate(rounds):
        paths = {code: list_file(folder, code, records) for code, records in zip(PARTIES, lists, strict=False)}
        watch("lists", named(lists), 1, 1)
        with staged(folder / f"services-{number}") as stage:
            served, found = play(stage, folder, lists, watch, compare=rehearsed)
        watch("services", named(lists), 1, 1)
        if not rehearsed:
            results.rounds.append(Compared(served))
            continue
        other, hits = rehearse(folder, paths)
        watch("rehearsal", named(lists), 1, 1)
        results.rounds.append(Compared(served, other, len(found), found == hits))
    return results


def _parts(served: ServedRound) -> str:
    rows = [(end, part.seconds, part.processor_seconds) for end, part in served.parts.items()]
    return table(("until", "seconds", "processor seconds"), rows)


def _processes(served: ServedRound) -> str:
    order = sorted(served.services.items(), key=lambda item: item[0] != MATCHER)
    rows = [
        (name, one.processor_seconds, one.peak_memory // _MIB, one.worker_memory // _MIB or None) for name, one in order
    ]
    return table(("service", "processor seconds", "memory, MiB", "of its largest worker, MiB"), rows)
