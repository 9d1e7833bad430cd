"""The results of a run with rounds and the join, as one Markdown page and as one JSON document."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from aquila.records.rules import BUILT_IN
from tests.bench.fit import exponent, fit_line
from tests.bench.joining import Join
from tests.bench.projection import REGION, cost_of, region, round_seconds
from tests.bench.records import RecordStep
from tests.bench.rounds import PlayedRound
from tests.bench.steps import Results, table

_MIB = 1 << 20


@dataclass(slots=True)
class RoundResults(Results):
    """Results of a run; parts that were not requested stay empty.

    Attributes:
        records: What a record costs before the group is involved.
        sizes: Rounds of one number of parties, over the length of lists.
        parties: Rounds of one length of lists, over the number of parties.
        alone: Rounds that were asked for by size.
    """

    records: list[RecordStep] = field(default_factory=list)
    join: Join | None = None
    sizes: list[PlayedRound] = field(default_factory=list)
    parties: list[PlayedRound] = field(default_factory=list)
    alone: list[PlayedRound] = field(default_factory=list)

    def document(self) -> dict[str, object]:
        return Results.document(self) | {
            "records": [
                {"step": step.name, "inputs_per_record": step.inputs, "microseconds_per_record": step.spread.document()}
                for step in self.records
            ],
            "join": asdict(self.join) | {"seconds": self.join.seconds} if self.join else None,
            "cost": {rules: asdict(cost) for rules in BUILT_IN if (cost := cost_of(self.steps, self.records, rules))},
            "growth": {"over_sizes": over_sizes(self.sizes), "over_parties": over_parties(self.parties)},
            "rounds": [played.document() for played in (*self.sizes, *self.parties, *self.alone)],
        }

    def sections(self) -> list[tuple[str, str]]:
        """Return the titles and contents of the page's sections."""
        return [
            *Results.sections(self),
            ("Microseconds per record on one core", _records(self.records) if self.records else ""),
            ("Join of tokens", _join(self.join) if self.join else ""),
            ("Growth over the length of lists", _rounds(self.sizes) + _sentence(over_sizes(self.sizes))),
            ("Growth over the number of parties", _rounds(self.parties) + _sentence(over_parties(self.parties))),
            ("Rounds", _rounds(self.alone)),
            ("Rounds by their steps alone", _compared_rounds(self)),
            (f"{REGION.parties} parties of {REGION.records:,} records with {REGION.inputs} inputs", _region(self)),
        ]


def over_sizes(rounds: Sequence[PlayedRound]) -> dict[str, float]:
    """Return the powers of the length of lists with which seconds grow; nothing without two lengths."""
    if len(rounds) < 2:  # growth needs two points
        return {}
    return {
        "power of processor seconds": exponent([(one.records, one.processor_seconds) for one in rounds]),
        "power of seconds, the start of the command included": exponent([(one.records, one.seconds) for one in rounds]),
    }


def over_parties(rounds: Sequence[PlayedRound]) -> dict[str, float]:
    """Return the line that one party's processor seconds follow over the number of parties, and how well."""
    if len(rounds) < 2:  # a line needs two points
        return {}
    line = fit_line([(one.parties, one.processor_seconds / one.parties) for one in rounds])
    return {
        "processor seconds of a party without others": line.start,
        "processor seconds of a party for each participant": line.slope,
        "share of the variance that this line explains": line.explained,
    }


def _join(join: Join) -> str:
    rows = [
        ("token rows", join.rows),
        ("parties", join.parties),
        ("pairs of records that met", join.pairs),
        ("seconds to lay down", join.lay_down_seconds),
        ("seconds to join, group and read back", join.join_seconds),
        ("seconds together", join.seconds),
        ("processor seconds", join.processor_seconds),
        ("microseconds per row", join.seconds * 1e6 / join.rows),
        ("peak memory of all processes, MiB", join.peak_memory // _MIB),
        ("files, MiB", join.disk // _MIB),
    ]
    return table(("what", "value"), rows)


def _rounds(rounds: Sequence[PlayedRound]) -> str:
    if not rounds:
        return ""
    columns = (
        "parties x records",
        "rules",
        "elements",
        "seconds",
        "processor seconds",
        "of these in the group",
        "µs per element and party",
        "peak memory, MiB",
        "disk, MiB",
        "sent, MiB",
        "calculated, MiB",
        "hits",
    )
    rows = [
        (
            f"{one.parties} x {one.records:,}",
            one.rules,
            one.elements,
            one.seconds,
            one.processor_seconds,
            one.group_seconds,
            one.per_element,
            one.peak_memory // _MIB,
            one.disk // _MIB,
            one.bytes_sent / _MIB,
            one.bytes_calculated / _MIB,
            one.hits,
        )
        for one in rounds
    ]
    phases = list(dict.fromkeys(phase for one in rounds for phase in one.phases))
    parts = [(f"{one.parties} x {one.records:,}", *(one.phases.get(phase) for phase in phases)) for one in rounds]
    return table(columns, rows) + "\nProcessor seconds by phase:\n\n" + table(("parties x records", *phases), parts)


def _compared_rounds(results: RoundResults) -> str:
    """Return processor seconds of rounds next to those of their steps alone."""
    rows = []
    for one in (*results.sizes, *results.parties):
        cost = cost_of(results.steps, results.records, one.rules)
        if cost is not None:
            steps = round_seconds(one, cost)
            size = f"{one.parties} x {one.records:,}"
            rows.append((size, one.rules, one.processor_seconds, steps, one.processor_seconds / steps))
    columns = ("parties x records", "rules", "processor seconds", "by their steps", "ratio")
    return table(columns, rows) if rows else ""


def _region(results: RoundResults) -> str:
    cost = cost_of(results.steps, results.records, "default")
    return table(("what", "value"), region(cost)) if cost else ""


def _sentence(figures: dict[str, float]) -> str:
    return "\n" + "".join(f"- {name}: {value}\n" for name, value in figures.items()) if figures else ""


def _records(steps: Sequence[RecordStep]) -> str:
    rows = [(step.name, step.inputs or None, step.spread.least, step.spread.median) for step in steps]
    return table(("step", "inputs per record", "least", "median"), rows)
