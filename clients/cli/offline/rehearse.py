"""`aquila rehearse`: a whole real round of the parties' files on one machine, without a service."""

import io
import json
import os
import re
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Annotated, Literal

import typer

from aquila import __version__
from aquila.crypto.backend import load_group, usable_cores
from aquila.crypto.group import Group
from aquila.csv_files import CsvWriter
from aquila.executors import few_collections, forked_pool
from aquila.matching.certainty import Level
from aquila.records.rules import RuleTable
from aquila.simulation import DEFAULT_PADDING, NO_PADDING, ListFile, Rehearsal, RehearsedHit
from clients.cli.list_files import FindingCounts, ReadList, layouts_of, load_table
from clients.cli.options import BackendChoice, Json, ListColumns, Lists, Minimum, Out, Report, Rules
from clients.cli.output.screen import Screen, Table, check_target, numbered, write_result

_PARTY = re.compile(r"^([A-Z]{2})=(.+)$")
_COUNTED = itemgetter(0, 2, 4)  # both parties and the level of a hit
_COLUMNS = ("party_a", "record_id_a", "party_b", "record_id_b", "certainty", "probability", "rules")
_SURE = 0.999999  # what six digits can say without saying 1, which no match is
_SHOWN_FINDINGS = 10
_LEAST_PARTIES = 2
_LEVELS = ("high", "medium", "low")
_THOUSANDTHS = 1_000
_SMALL_BYTES = 1 << 20  # lists that are read and matched sooner than other processes are started
_SECONDS_MEAN = "processor time of all processes, divided by the number of workers"
_PHASES = (
    "consent",
    "read",
    "normalize",
    "blind",
    "evaluate",
    "verify",
    "finalize",
    "shadow",
    "match",
    "check",
    "exchange",
)


@dataclass(slots=True)
class Entry:
    """A party's file and what reading it gave."""

    code: str
    path: Path
    read: ReadList | None = None

    @property
    def records(self) -> int:
        return self.read.counts.accepted if self.read else 0


def rehearse(
    party: Lists,
    out: Out,
    report: Report = None,
    minimum: Annotated[Minimum, typer.Option(help="The least certainty that is a hit.")] = "low",
    rules: Rules = "default",
    column: ListColumns = None,
    padding: Annotated[Literal["none", "default"], typer.Option(help="Hide sizes as a real round does.")] = "none",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that share the work; by default one for each core.")
    ] = None,
    backend: BackendChoice = "auto",
    as_json: Json = False,
) -> None:
    """Play a whole round of several parties' files on this machine, every cryptographic step included.

    Nothing leaves this machine. Rows that cannot be used are left out, counted and listed in the report.
    """
    screen, started = Screen(as_json), time.perf_counter()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that a supervisor's stop leaves no file either
    entries = _entries(party)
    for target in filter(None, (out, report)):
        check_target(target)
    workers = _workers(entries) if workers is None else workers
    layouts = layouts_of([entry.path for entry in entries], column)
    # Nothing is secret yet and there are no threads, so that processes can begin as copies of this one.
    with forked_pool(workers) as executor:
        table, group = load_table(rules), load_group(1, backend)
        with screen.progress() as watch, tempfile.TemporaryDirectory(prefix="aquila-") as scratch, few_collections():
            played = Rehearsal(
                group,
                table,
                {one.code: ListFile(one.path, layout) for one, layout in zip(entries, layouts, strict=True)},
                os.urandom,
                Path(scratch),
                padding=NO_PADDING if padding == "none" else DEFAULT_PADDING,
                minimum=Level(minimum),
                now=int(time.time()),
                watch=watch,
                executor=executor,
                workers=workers,
            )
            hits = played.run()
    for entry in entries:
        node = played.nodes[entry.code]
        entry.read = ReadList(node.counts, tuple(FindingCounts(*finding) for finding in node.findings))
    write_result(out, hits_csv(hits))
    counts = _HitCounts(hits)
    document = {
        "hits_file": str(out),
        **_round_document(played, group, table, counts),
        "padding": padding,
        "seconds_total": _seconds(time.perf_counter() - started),
        "peak_memory_bytes": played.measured.peak_memory,
        "peak_disk_bytes": played.measured.disk,
        "parties": {entry.code: _party_document(entry, played, counts) for entry in entries},
    }
    if report is not None:
        write_result(report, json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    _show_findings(screen, entries, report)
    screen.result(document, *_views(entries, counts, out, document))


def hits_csv(hits: Iterable[RehearsedHit]) -> str:
    """Return the hits as CSV with the columns of `_COLUMNS`, rules separated by `;`."""
    text = io.StringIO()
    writer = CsvWriter(text, line_end="\n")
    writer.write(_COLUMNS)
    ends: dict[tuple[object, ...], tuple[str, ...]] = {}  # what few combinations many hits share

    def cells(hit: RehearsedHit) -> tuple[str, ...]:
        graded = hit[4:]
        if graded not in ends:
            ends[graded] = hit.certainty.value, f"{min(hit.probability, _SURE):.6f}", ";".join(hit.rules)
        return hit[:4] + ends[graded]

    writer.write_all(map(cells, hits))
    return text.getvalue()


class _HitCounts:
    """Counts of the hits of each two parties at each level, made once for all who ask."""

    def __init__(self, hits: Iterable[RehearsedHit]) -> None:
        self._counts = Counter(map(_COUNTED, hits))

    @property
    def total(self) -> int:
        return self._counts.total()

    @property
    def pairs(self) -> list[tuple[str, str]]:
        return sorted({(a, b) for a, b, _level in self._counts})

    def of_party(self, code: str) -> int:
        return sum(count for (a, b, _level), count in self._counts.items() if code in {a, b})

    def of_pair(self, a: str, b: str) -> int:
        return sum(count for (*pair, _level), count in self._counts.items() if pair == [a, b])

    def by_level(self, *pair: str) -> dict[str, int]:
        """Return the hits of two parties, or of all, by level, the surest first."""
        found: Counter[str] = Counter()
        for (a, b, level), count in self._counts.items():
            if not pair or pair == (a, b):
                found[level.value] += count
        return {level: found[level] for level in _LEVELS}


def _entries(given: list[str]) -> list[Entry]:
    """Return the parties of the command line in the order of their codes.

    Raises:
        BadParameter: One is not CODE=FILE, or a code comes twice, or there is one only.
    """
    matches = [_PARTY.match(text) for text in given]
    for text, match in zip(given, matches, strict=True):
        if match is None:
            raise typer.BadParameter(f"--party {text} is not CODE=FILE with a code of two capital letters")
    entries = [Entry(match[1], Path(match[2])) for match in matches if match]
    if len({entry.code for entry in entries}) < len(entries):
        raise typer.BadParameter("--party names a party twice")
    if len(entries) < _LEAST_PARTIES:
        raise typer.BadParameter("a round needs at least two parties, each with --party CODE=FILE")
    return sorted(entries, key=lambda entry: entry.code)


def _workers(entries: list[Entry]) -> int:
    """Return how many processes are worth starting: for small lists, this one alone."""
    size = sum(entry.path.stat().st_size for entry in entries if entry.path.is_file())
    return usable_cores() if size > _SMALL_BYTES else 1


def _round_document(played: Rehearsal, group: Group, table: RuleTable, hits: _HitCounts) -> dict[str, object]:
    measured = played.measured
    return {
        "hits": hits.total,
        "hits_by_certainty": hits.by_level(),
        "expected_chance_hits": _chance_hits(played),
        "hits_by_pair": {f"{a}-{b}": hits.of_pair(a, b) for a, b in hits.pairs},
        "version": __version__,
        "group": {"name": group.name, "reason": group.reason},
        "rules": {"name": table.name, "version": table.version, "digest": table.digest},
        "normalizer": {"name": played.manifest.normalizer.name, "digest": played.manifest.normalizer.digest},
        "minimum": played.manifest.minimum_certainty.value,
        "elements": measured.elements.total(),
        "bytes_sent": measured.bytes_sent.total(),
        "workers": played.workshop.workers,
        "seconds_mean": _SECONDS_MEAN,
        "seconds": _phases(played, {phase: sum(parties.values()) for phase, parties in measured.seconds.items()}),
        "seconds_in_group": _phases(played, measured.group_seconds),
    }


def _party_document(entry: Entry, played: Rehearsal, hits: _HitCounts) -> dict[str, object]:
    assert entry.read is not None
    measured, code = played.measured, entry.code
    seconds = {phase: parties[code] for phase, parties in measured.seconds.items() if code in parties}
    return {
        "file": str(entry.path),
        "records": entry.records,
        "refused": entry.read.counts.refused,
        "warnings": entry.read.counts.warnings,
        "elements": measured.elements[code],
        "bytes_sent": measured.bytes_sent[code],
        "held_back": measured.held_back[code],
        "hits": hits.of_party(code),
        "seconds": _phases(played, seconds),
        "findings": [noted.document() for noted in entry.read.noted],
    }


def _phases(played: Rehearsal, seconds: Mapping[str, float]) -> dict[str, float]:
    """Return processor seconds by phase, in the order of the round, with the meanings in `_SECONDS_MEAN`."""
    return {phase: _seconds(seconds[phase] / played.workshop.workers) for phase in _PHASES if phase in seconds}


def _chance_hits(played: Rehearsal) -> dict[str, float]:
    """Return how many hits of each level the reports expect to be the work of chance."""
    expected = dict.fromkeys(_LEVELS, 0)
    for node in played.nodes.values():
        for counterpart, report in node.told.items():
            if node.code < counterpart:  # both sides are told the same
                for level, thousandths in report.terms.basis.chance_hits.model_dump().items():
                    expected[level] += thousandths
    return {level: thousandths / _THOUSANDTHS for level, thousandths in expected.items()}


def _show_findings(screen: Screen, entries: list[Entry], report: Path | None) -> None:
    """Report how many rows were omitted, and of each file the reasons with an example."""
    where = f"all are in {report}" if report else "see all with `aquila records check FILE`, or ask for --report"
    for entry in entries:
        assert entry.read is not None
        counts, noted = entry.read.counts, entry.read.noted
        if not noted:
            continue
        refused, warnings = numbered(counts.refused, "row"), numbered(counts.warnings, "warning")
        screen.warn(f"{entry.path}: {refused} refused and left out, {warnings}")
        groups = entry.read.groups()
        for group in groups[:_SHOWN_FINDINGS]:
            first = group.first
            lines = f"line {first.line}" + (f" and {group.count - 1:,} more" if group.count > 1 else "")
            example = f" (here: {first.example})" if first.example else ""
            screen.note(f"  {lines}: {first.field or 'row'} {first.reason}{example}")
        shown = sum(group.count for group in groups[:_SHOWN_FINDINGS] if group.count == 1)
        if len(noted) > shown:
            screen.note(f"  {len(noted) - shown:,} are not shown one by one; {where}")


def _views(entries: list[Entry], hits: _HitCounts, out: Path, document: Mapping[str, object]) -> list[Table | str]:
    parties = Table(
        "Parties",
        ("party", "records", "refused", "warnings", "hits"),
        [
            (
                entry.code,
                entry.records,
                entry.read.counts.refused if entry.read else 0,
                entry.read.counts.warnings if entry.read else 0,
                hits.of_party(entry.code),
            )
            for entry in entries
        ],
    )

    found = Table("Hits", ("pair", *_LEVELS), [(f"{a} and {b}", *hits.by_level(a, b).values()) for a, b in hits.pairs])
    end = f"{numbered(hits.total, 'hit')} in {out}. The round took {document['seconds_total']} s."
    expected = document["expected_chance_hits"]
    assert isinstance(expected, dict)
    chance = f"By their own probabilities {sum(expected.values()):.2f} of the hits are the work of chance."
    return [parties, found, chance, end] if hits.total else [parties, end]


def _seconds(value: float) -> float:
    return round(value, 3)
