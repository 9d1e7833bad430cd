"""The two passes over every list of a rehearsal: read, normalize and digest; then pad and blind (PROTOCOL.md 3.4).

Both are streams over all parties' batches, so that one party's work begins while the last batches of another's are
still on their way.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from aquila.errors import InputError
from aquila.protocol.messages import Manifest
from aquila.protocol.submission_plan import plan_submission
from aquila.protocol.submissions.submission import merge_runs
from aquila.protocol.submissions.tasks import BlindTask, DigestedBatch, blind_batch
from aquila.records.rows import RowColumns
from aquila.records.rules import InputClass, RuleTable
from aquila.simulation.metrics import TaskRunner
from aquila.simulation.party_state import SimulatedParty
from aquila.simulation.scratch_files import Runs, Spool
from aquila.simulation.sources import ReadBatch, Reading, named, read_batch, take_rows


class _Read(NamedTuple):
    """The data on a batch that stays here while it is read elsewhere."""

    node: SimulatedParty
    done: int
    work: Reading


def read_lists(
    workshop: TaskRunner, manifest: Manifest, table: RuleTable, nodes: Iterable[SimulatedParty]
) -> Iterator[SimulatedParty]:
    """Read, normalize and digest the lists of some parties, and plan what each sends; yield each that is done.

    Raises:
        InputError: A list cannot be read as a whole, or no row of it can be used; the message names it.
        PolicyError: No record of a list gives an input.
    """
    read = workshop.do("normalize", lambda label: label.node.code, read_batch, _readings(nodes, table))
    for node, batches in groupby(read, key=lambda pair: pair[0].node):
        node.digests = Spool(node.directory / "digests")
        for label, batch in batches:
            workshop.measured.add("read", node.code, batch.read_seconds)
            workshop.measured.add("normalize", node.code, -batch.read_seconds)
            with named(node.source):
                _note(node, _admitted(label, batch))
            workshop.measured.watch("read", node.code, label.done, node.source.size)
        with named(node.source):
            _end(node)
        with workshop.measured.phase("normalize", node.code):
            node.plan = plan_submission(manifest, table, node.outlines)
        node.outlines = []
        workshop.measured.watch("normalize", node.code, 1, 1)
        yield node


def _readings(nodes: Iterable[SimulatedParty], table: RuleTable) -> Iterator[tuple[_Read, Reading]]:
    for node in nodes:
        node.directory.mkdir()
        with named(node.source):
            for done, batch in node.source.batches():
                work = Reading(batch, node.round.binding_bytes, table)
                yield _Read(node, done, work), work


def _admitted(label: _Read, batch: ReadBatch) -> ReadBatch:
    """Return the batch without the records whose id came before: then it is read again here."""
    if label.node.source.admit(batch.record_ids, batch.counts.refused):
        return batch
    rows = label.work.batch.read().rows()
    return take_rows(label.work, RowColumns.of(list(label.node.source.watch(rows))))


def _note(node: SimulatedParty, batch: ReadBatch) -> None:
    if batch.record_ids:
        assert node.digests is not None
        node.digests.append(batch.digested.to_bytes())
        node.outlines.append(batch.digested.outline())
        node.record_ids.append(batch.record_ids)
    node.findings += batch.findings
    node.counts.accepted += batch.counts.accepted
    node.counts.refused += batch.counts.refused
    node.counts.warnings += batch.counts.warnings


def _end(node: SimulatedParty) -> None:
    """Refuse a list without a record."""
    node.source.end()
    if node.source.name and not node.counts.accepted:
        raise InputError(
            "source_rows_all_refused",
            refused=f"{node.counts.refused:,}",
            plural_ending="s" * (node.counts.refused != 1),
            source=node.source.name,
        )


def blind_lists(workshop: TaskRunner, manifest: Manifest, nodes: Iterable[SimulatedParty]) -> Iterator[SimulatedParty]:
    """Pad, blind and cut into chunks what the parties' plans send; yield each party that is done.

    Raises:
        InputError: A record has more inputs than can be sent.
    """
    blinded = workshop.do("blind", lambda label: label[0].code, blind_batch, _blindings(nodes))
    for node, batches in groupby(blinded, key=lambda pair: pair[0][0]):
        node.runs = {kind: Runs(node.directory / f"runs-{kind.value}") for kind in InputClass}
        for (_, number, of), rows in batches:
            for kind, run in rows.items():
                node.runs[kind].append(run)
            workshop.measured.watch("blind", node.code, number + 1, of)
        assert node.digests is not None
        node.digests.delete()
        with workshop.measured.phase("blind", node.code):
            _cut(node, manifest.chunk_elements)
        workshop.measured.look_at_disk(node.directory.parent)
        for runs in node.runs.values():
            runs.delete()
        yield node


def _blindings(nodes: Iterable[SimulatedParty]) -> Iterator[tuple[tuple[SimulatedParty, int, int], BlindTask]]:
    for node in nodes:
        assert node.plan is not None
        assert node.seed is not None
        assert node.digests is not None
        for number in range(node.plan.batches):
            digested = DigestedBatch.from_bytes(node.digests[number]) if number < len(node.digests) else None
            yield (node, number, node.plan.batches), node.plan.batch(number, node.seed, node.submission_id, digested)


def _cut(node: SimulatedParty, chunk_elements: int) -> None:
    """Merge a party's runs and cut them into chunks."""
    for kind, runs in node.runs.items():
        for rows in merge_runs(runs.mapped(), chunk_elements):
            node.chunks.append(kind, rows)
