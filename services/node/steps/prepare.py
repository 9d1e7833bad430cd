"""Step 4: a submission: records to blinded runs, runs to chunks, chunks to a signed statement (PROTOCOL.md 3.4).

Everything derives from the sealed seed, so a batch or chunk that was interrupted is made again byte for byte. Memory
holds one batch, or one 128th of the list while chunks are cut.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select

from aquila.crypto.keys import KEY_BYTES, SecretBytes
from aquila.errors import CapError, OrderError, PolicyError
from aquila.protocol import steps
from aquila.protocol.messages import Justification, Kind
from aquila.protocol.preparation import Preparation
from aquila.protocol.submission import chunk_reference, merge_runs
from aquila.records.person import Record
from aquila.records.rules import InputClass
from services.kit.logs import Log
from services.node import ledger, places
from services.node.book import book_of, seed_name
from services.node.tables import ChunkRow, ImportRow, RecordRow, SubmissionRow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila.protocol.messages import ChunkReference
    from aquila.protocol.rounds import Round
    from aquila.records.frequency import HeldBack
    from services.kit.store import Store
    from services.node.node import Node

_LOG = Log("node.prepare")


@dataclass(frozen=True, slots=True)
class StoredRecords:
    """The records of an import as the source of a submission."""

    store: Store
    import_id: str
    records: int

    def __len__(self) -> int:
        return self.records

    def read(self, first: int, count: int) -> list[Record]:
        """Return up to so many records from a position on."""
        query = select(RecordRow.content).where(
            RecordRow.import_id == self.import_id, RecordRow.position >= first, RecordRow.position < first + count
        )
        with self.store.reading("submission.records") as session:
            contents = session.scalars(query.order_by(RecordRow.position)).all()
        return [Record.from_json(content) for content in contents]


@dataclass(slots=True)
class Work:
    """A submission being prepared; kept in memory between batches, and made again after a start."""

    prepared: Preparation
    held_back: HeldBack


def prepare(node: Node, round_id: str) -> bool:
    """Do the next piece of a wished submission, and tell whether there was one."""
    with node.store.reading("submission.next") as session:
        query = select(SubmissionRow).where(
            SubmissionRow.round_id == round_id, SubmissionRow.state.in_(["wished", "preparing"])
        )
        row = session.scalars(query.order_by(SubmissionRow.submission_id)).first()
    if row is None:
        return False
    round_ = book_of(node, round_id).record()
    if not round_.bindings:
        return False  # the round is not open yet; the wish waits
    try:
        _advance(node, round_, row)
    except (PolicyError, OrderError) as error:
        fail(node, row, error.message)
    return True


def fail(node: Node, row: SubmissionRow, sentence: str) -> None:
    """Give a submission up and say why; the operator can submit again."""
    with node.store.transaction("submission.fail") as session:
        session.get_one(SubmissionRow, row.submission_id).state = "failed"
        ledger.note_problem(session, node, row.round_id, f"submission {row.submission_id}", sentence)
    book_of(node, row.round_id).works.pop(row.submission_id, None)
    node.files.delete_tree(places.submission(row.round_id, row.submission_id))


def _advance(node: Node, round_: Round, row: SubmissionRow) -> None:
    _check_time(node, round_, row)
    if row.state == "wished":
        _begin(node, round_, row)
    elif row.prepared < row.batches:
        _blind_batch(node, round_, row)
    else:
        _cut_and_sign(node, round_, row)


def _check_time(node: Node, round_: Round, row: SubmissionRow) -> None:
    """Refuse to begin or sign after the deadline by our own clock."""
    window = round_.manifest.window
    if node.clock() > (window.submit_by if row.kind == Kind.LIST else window.closes_at):
        raise OrderError("the time for a submission is over", round=round_.round_id)


def _begin(node: Node, round_: Round, row: SubmissionRow) -> None:
    """Draw the seed, seal it, and count the batches."""
    book = book_of(node, round_.round_id)
    book.check_key()
    with SecretBytes(node.random(KEY_BYTES)) as seed, node.store.transaction("submission.begin") as session:
        name = seed_name(row.submission_id)
        ledger.put_secret(session, row.round_id, name, book.seal(name, seed.to_bytes()))
        prepared = _preparation(node, round_, row, seed)
        stored = session.get_one(SubmissionRow, row.submission_id)
        stored.state, stored.batches, stored.records = "preparing", prepared.batches, prepared.records


def _preparation(node: Node, round_: Round, row: SubmissionRow, seed: SecretBytes) -> Preparation:
    with node.store.reading("submission.import") as session:
        records = session.get_one(ImportRow, row.import_id).records
    source = StoredRecords(node.store, row.import_id, records)
    table = node.table_of(round_.manifest)
    return Preparation(node.group, round_.manifest, round_.first_binding, table, seed, source)


def _blind_batch(node: Node, round_: Round, row: SubmissionRow) -> None:
    book = book_of(node, round_.round_id)
    work = book.works.get(row.submission_id)
    if work is None:
        prepared = _preparation(node, round_, row, book.seed(row.submission_id))
        work = book.works[row.submission_id] = Work(prepared, prepared.count_values())
    work.held_back.by_rule.clear()
    for kind, rows in work.prepared.batch(row.prepared, work.held_back).items():
        node.files.write(places.run(row.round_id, row.submission_id, row.prepared, kind.value), _npy(rows))
    # If we crash here, the files are there and the row does not say so: the batch is made again, the same.
    with node.store.transaction("submission.batch") as session:
        stored = session.get_one(SubmissionRow, row.submission_id)
        stored.prepared = row.prepared + 1
        counts = dict(row.held_back)
        for rule, count in work.held_back.by_rule.items():
            counts[str(rule)] = counts.get(str(rule), 0) + count
        stored.held_back = counts


def _cut_and_sign(node: Node, round_: Round, row: SubmissionRow) -> None:
    """Merge the runs, cut them into chunks, and sign for them once all lie on the disk."""
    references = []
    for index, (reference, elements, rows) in enumerate(_chunks(node, round_, row)):
        node.files.write(places.blinded(row.round_id, row.submission_id, index), elements)
        node.files.write(places.rows(row.round_id, row.submission_id, index), _npy(rows))
        references.append(reference)
    # If we crash here, nothing is signed; the same chunks are cut again.
    _check_caps(node, round_, references)
    with node.store.transaction("submission.sign") as session:
        stored = session.get_one(SubmissionRow, row.submission_id)
        stored.state = "submitted"
        session.add_all(
            ChunkRow(
                submission_id=row.submission_id, index=index, round_id=row.round_id,
                input_class=reference.input_class.value, elements=reference.elements, digest=reference.digest,
            )
            for index, reference in enumerate(references)
        )  # fmt: skip
        ledger.sign(
            session, node, row.round_id,
            lambda number: node.party.submit(
                round_, number, row.submission_id, Kind(row.kind), Justification(**row.justification), row.records,
                references,
            ),
        )  # fmt: skip
    work = book_of(node, row.round_id).works.pop(row.submission_id, None)
    if work is not None:
        work.prepared.seed.close()
    # If we crash here, the runs stay until the round is closed.
    node.files.delete_tree(places.runs(row.round_id, row.submission_id))
    _LOG.info("submission_signed", round=row.round_id, submission=row.submission_id, count=len(references))


def _chunks(node: Node, round_: Round, row: SubmissionRow) -> Iterator[tuple[ChunkReference, bytes, np.ndarray]]:
    for kind in InputClass:
        names = (places.run(row.round_id, row.submission_id, batch, kind.value) for batch in range(row.batches))
        runs = [_run(node, name) for name in names]
        for rows in merge_runs([run for run in runs if len(run)], round_.manifest.chunk_elements):
            reference, elements = chunk_reference(kind, rows)
            yield reference, elements, rows


def _run(node: Node, name: str) -> np.ndarray:
    """Return a run as it lies on the disk: its rows are read when they are needed."""
    return np.load(node.files.path(name), mmap_mode="r", allow_pickle=False)  # type: ignore[no-any-return]  # of any shape


def _check_caps(node: Node, round_: Round, references: list[ChunkReference]) -> None:
    """Refuse what the others would refuse, before it is signed (PROTOCOL.md 3.4.3)."""
    for kind in InputClass:
        new = sum(reference.elements for reference in references if reference.input_class is kind)
        total = steps.spent(round_, node.code, kind) + new
        cap = round_.manifest.cap_of(node.code, kind)
        if total > cap:
            raise CapError(
                f"the submission would pass the round's cap of {cap} {kind.value} elements with {total}",
                round=round_.round_id,
                expected=cap,
                got=total,
            )


def _npy(rows: np.ndarray) -> bytes:
    """Return rows in NumPy's file format."""
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(rows), allow_pickle=False)
    return buffer.getvalue()
