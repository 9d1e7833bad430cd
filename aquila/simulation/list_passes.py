"""The two passes over every list of a rehearsal: read, normalize and digest; then pad and blind (PROTOCOL.md 3.4).

Both are streams over all parties' batches, so that one party's work begins while the last batches of another's are
still on their way.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from aquila.errors import InputError
from aquila.protocol.submission_plan import plan_submission
from aquila.protocol.submissions.submission import merge_runs
from aquila.protocol.submissions.tasks import BlindTask, DigestedBatch, blind_batch
from aquila.records.rules import InputClass
from aquila.simulation.scratch_files import Runs, Spool
from aquila.simulation.sources import Reading, named, read_batch, take_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aquila.protocol.messages import Manifest
    from aquila.records.rules import RuleTable
    from aquila.simulation.metrics import TaskRunner
    from aquila.simulation.party_state import SimulatedParty
    from aquila.simulation.sources import ReadBatch


class _Read(NamedTuple):
    """The data on a batch that stays here while it is read elsewhere."""

    seat: SimulatedParty
    done: int
    work: Reading


def read_lists(
    workshop: TaskRunner, manifest: Manifest, table: RuleTable, seats: Iterable[SimulatedParty]
) -> Iterator[SimulatedParty]:
    """Read, normalize and digest the lists of some parties, and plan what each sends; yield each that is done.

    Raises:
        InputError: A list cannot be read as a whole, or no row of it can be used; the message names it.
        PolicyError: No record of a list gives an input.
    """
    read = workshop.do("normalize", lambda label: label.seat.code, read_batch, _readings(seats, table))
    for seat, batches in groupby(read, key=lambda pair: pair[0].seat):
        seat.digests = Spool(seat.directory / "digests")
        for label, batch in batches:
            workshop.measured.add("read", seat.code, batch.read_seconds)
            workshop.measured.add("normalize", seat.code, -batch.read_seconds)
            with named(seat.source):
                _note(seat, _admitted(label, batch))
            workshop.measured.watch("read", seat.code, label.done, seat.source.size)
        with named(seat.source):
            _end(seat)
        with workshop.measured.phase("normalize", seat.code):
            seat.plan = plan_submission(manifest, table, seat.outlines, seat.canaries)
        seat.outlines = []
        workshop.measured.watch("normalize", seat.code, 1, 1)
        yield seat


def _readings(seats: Iterable[SimulatedParty], table: RuleTable) -> Iterator[tuple[_Read, Reading]]:
    for seat in seats:
        seat.directory.mkdir()
        with named(seat.source):
            for done, batch in seat.source.batches():
                work = Reading(batch, seat.round.first_binding, table)
                yield _Read(seat, done, work), work


def _admitted(label: _Read, batch: ReadBatch) -> ReadBatch:
    """Return the batch without the records whose id came before: then it is read again here."""
    if label.seat.source.admit(batch.record_ids, batch.counts.refused):
        return batch
    return take_rows(label.work, label.seat.source.watch(label.work.batch.rows()))


def _note(seat: SimulatedParty, batch: ReadBatch) -> None:
    if batch.record_ids:
        assert seat.digests is not None
        seat.digests.append(batch.digested.to_bytes())
        seat.outlines.append(batch.digested.outline())
        seat.record_ids.append(batch.record_ids)
    seat.findings += batch.findings
    seat.counts.accepted += batch.counts.accepted
    seat.counts.refused += batch.counts.refused
    seat.counts.warnings += batch.counts.warnings


def _end(seat: SimulatedParty) -> None:
    """Refuse a list without a record.

    Raises:
        InputError: It has no row, or none that can be used.
    """
    seat.source.end()
    if seat.source.name and not seat.counts.accepted:
        raise InputError(
            f"no row can be used; {seat.counts.refused:,} row{'s' * (seat.counts.refused != 1)} refused",
            hint=f"see why with `aquila records check {seat.source.name}`",
        )


def blind_lists(workshop: TaskRunner, manifest: Manifest, seats: Iterable[SimulatedParty]) -> Iterator[SimulatedParty]:
    """Pad, blind and cut into chunks what the parties' plans send; yield each party that is done.

    Raises:
        InputError: A record has more inputs than can be sent.
    """
    blinded = workshop.do("blind", lambda label: label[0].code, blind_batch, _blindings(seats))
    for seat, batches in groupby(blinded, key=lambda pair: pair[0][0]):
        seat.runs = {kind: Runs(seat.directory / f"runs-{kind.value}") for kind in InputClass}
        for (_, number, of), rows in batches:
            for kind, run in rows.items():
                seat.runs[kind].append(run)
            workshop.measured.watch("blind", seat.code, number + 1, of)
        assert seat.digests is not None
        seat.digests.delete()
        with workshop.measured.phase("blind", seat.code):
            _cut(seat, manifest.chunk_elements)
        workshop.measured.look_at_disk(seat.directory.parent)
        for runs in seat.runs.values():
            runs.delete()
        yield seat


def _blindings(seats: Iterable[SimulatedParty]) -> Iterator[tuple[tuple[SimulatedParty, int, int], BlindTask]]:
    for seat in seats:
        assert seat.plan is not None
        assert seat.seed is not None
        assert seat.digests is not None
        for number in range(seat.plan.batches):
            digested = DigestedBatch.from_bytes(seat.digests[number]) if number < len(seat.digests) else None
            yield (seat, number, seat.plan.batches), seat.plan.batch(number, seat.seed, digested)


def _cut(seat: SimulatedParty, chunk_elements: int) -> None:
    """Merge a party's runs and cut them into chunks."""
    for kind, runs in seat.runs.items():
        for rows in merge_runs(runs.mapped(), chunk_elements):
            seat.chunks.append(kind, rows)
