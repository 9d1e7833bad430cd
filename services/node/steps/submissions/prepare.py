"""Step 4: a submission: records to digests, digests to blinded runs, runs to chunks and a signed statement (3.4).

Two passes over batches of records go through the node's executor, several at once. Everything derives from the sealed
seed and the list, so a batch or chunk that was interrupted is made again byte for byte. Memory holds the batches in
flight, two bytes for each input, and one 128th of the list while chunks are cut.
"""

from asyncio import to_thread
from collections.abc import Awaitable, Callable, Iterator

import numpy as np
from sqlalchemy import select

from aquila.audit.entries import Entry, EntryKind
from aquila.crypto.keys import KEY_BYTES, SecretBytes
from aquila.errors import AquilaError, CapError, GridError, OrderError, PolicyError
from aquila.interface.rounds import SubmissionState
from aquila.protocol.messages import ChunkReference, Justification, Kind
from aquila.protocol.rounds import rules
from aquila.protocol.rounds.verified_round import Round
from aquila.protocol.submission_plan import BATCH_RECORDS, plan_submission
from aquila.protocol.submissions.padding import padded_records
from aquila.protocol.submissions.submission import ROW, chunk_reference, merge_runs
from aquila.protocol.submissions.tasks import BlindTask, DigestedBatch
from aquila.records.rules import InputClass
from services.kit.log import entries
from services.kit.log.entries import Journal
from services.kit.logging import Log
from services.kit.storage.files import ChunkFiles
from services.kit.storage.store import Store
from services.kit.work.drivers import run_in_order, until
from services.node.context import NodeContext
from services.node.records.erasure import close_gaps
from services.node.records.stored_lists import check_approved, stored_digest
from services.node.round_memory import PreparedSubmission, RoundMemories, seed_name
from services.node.rounds import paths, statements
from services.node.rounds.requests import check_submission_time, manifest_problem, may_lock
from services.node.steps.submissions.tasks import BLIND, SMALL_RECORDS, StoredBatch, digest_stored
from services.node.storage.states import UNSIGNED
from services.node.storage.tables import ChunkRow, ImportRow, RecordRow, SubmissionRow

Runs = dict[InputClass, np.ndarray]

_LOG = Log("node.prepare")


async def prepare(node: NodeContext, round_id: str, ends: Callable[[], bool]) -> bool:
    """Do the next pieces of a wished submission, and return whether there was one.

    Raises:
        ExecutorError: A worker is gone; the pieces are done again.
    """
    row = await to_thread(_next, node.store, round_id)
    round_ = node.rounds.of(round_id).record()
    if row is None or not round_.binding or may_lock(round_, node.code, node.clock()):
        return False  # where the round is not open yet, or the own Locks may still come in the feed, the wish waits
    try:
        await _advance(node, round_, row, ends)
    except (PolicyError, OrderError) as error:
        await to_thread(fail, node, row, error)
    return True


def _next(store: Store, round_id: str) -> SubmissionRow | None:
    query = select(SubmissionRow).where(SubmissionRow.round_id == round_id, SubmissionRow.state.in_(UNSIGNED))
    with store.reading("submission.next") as session:
        return session.scalars(query.order_by(SubmissionRow.submission_id)).first()


def fail(node: NodeContext, row: SubmissionRow, error: AquilaError) -> None:
    """Give a submission up and report why; the operator can submit again. A list that looks like guesses is logged."""
    with node.store.transaction("submission.fail") as session:
        session.get_one(SubmissionRow, row.submission_id).enter(SubmissionState.FAILED)
        statements.report_problem(session, node.clock, row.round_id, f"submission {row.submission_id}", error.sentence)
        if isinstance(error, GridError):
            entries.append(session, _refusal(node.journal, row, error))
    _forget(node.rounds, row)
    node.files.delete_tree(paths.submission(row.round_id, row.submission_id))


def _refusal(journal: Journal, row: SubmissionRow, error: GridError) -> Entry:
    """Return the log entry for a list that looks like guesses: the measure, never its content."""
    reason = {name: row.justification[name] for name in ("legal_basis", "purpose", "case_reference", "category")}
    counts = {"records": row.records, "limit": int(error.fields["expected"]), "got": int(error.fields["got"])}
    ids = {"submission": row.submission_id, "import": row.import_id, "submission_kind": row.kind}
    fields = {"round": row.round_id, "reason": reason, "counts": counts, "ids": ids}
    return Entry.of(EntryKind.SUBMISSION_REFUSED, journal.clock(), journal.code, **fields)


def _forget(rounds: RoundMemories, row: SubmissionRow) -> None:
    work = rounds.of(row.round_id).works.pop(row.submission_id, None)
    if work is not None:
        work.seed.close()


async def _advance(node: NodeContext, round_: Round, row: SubmissionRow, ends: Callable[[], bool]) -> None:
    check_submission_time(round_, Kind(row.kind), node.clock())
    if problem := manifest_problem(node, round_.manifest):
        raise PolicyError("round_needs_new_proposal", reason=problem)  # since an upgrade
    if row.state == SubmissionState.WISHED:
        await to_thread(_begin, node, round_, row)
        return
    memory = node.rounds.of(round_.round_id)
    if row.submission_id not in memory.works and not await _digest(node, round_, row, ends):
        return
    if await _blind(node, row, memory.works[row.submission_id], ends):
        await to_thread(_cut_and_sign, node, round_, row)


def _begin(node: NodeContext, round_: Round, row: SubmissionRow) -> None:
    """Draw the seed and seal it, and count the records."""
    memory = node.rounds.of(round_.round_id)
    memory.check_key()
    with SecretBytes(node.random(KEY_BYTES)) as seed, node.store.transaction("submission.begin") as session:
        name = seed_name(row.submission_id)
        statements.put_secret(session, row.round_id, name, memory.seal(name, seed.to_bytes()))
        check_approved(session, row.import_id, row.records_digest, row.round_id)
        stored, imported = (
            session.get_one(SubmissionRow, row.submission_id),
            session.get_one(ImportRow, row.import_id),
        )
        if close_gaps(session, row.import_id):
            # The records that were approved are in other places now, and are those that are looked at again.
            stored.records_digest = imported.digest = stored_digest(session, row.import_id)
        real = imported.records
        stored.enter(SubmissionState.PREPARING)
        stored.records = padded_records(real, round_.manifest.padding)
        stored.batches = len(_batches(real)) + len(_batches(stored.records - real))


def _batches(records: int) -> range:
    return range(-(-records // BATCH_RECORDS))


async def _digest(node: NodeContext, round_: Round, row: SubmissionRow, ends: Callable[[], bool]) -> bool:
    """First pass: digest batches that are not on disk; when all are, decide which inputs are sent, and store that."""
    real = await to_thread(_count, node.store, row)
    missing = [batch for batch in _batches(real) if not node.files.exists(_digested(row, batch))]
    binding, table = round_.binding_bytes, node.table_of(round_.manifest)

    async def begin(batch: int) -> DigestedBatch:
        contents = await to_thread(_records, node.store, row, batch)
        small = len(contents) <= SMALL_RECORDS
        work = StoredBatch(binding, table, contents)
        return await node.workers.run(digest_stored, work, small=small)

    async def finish(batch: int, begun: Awaitable[DigestedBatch]) -> None:
        # A file is there whole or not at all. If we crash before it, the batch is digested again.
        await to_thread(node.files.write, _digested(row, batch), (await begun).to_bytes())

    if await run_in_order(until(ends, missing), begin, finish, await node.ahead()) < len(missing):
        return False
    await to_thread(_plan, node, round_, row, real)
    return True


def _count(store: Store, row: SubmissionRow) -> int:
    with store.reading("submission.import") as session:
        return session.get_one(ImportRow, row.import_id).records


def _records(store: Store, row: SubmissionRow, batch: int) -> list[bytes]:
    first = batch * BATCH_RECORDS
    query = select(RecordRow.content).where(
        RecordRow.import_id == row.import_id, RecordRow.position >= first, RecordRow.position < first + BATCH_RECORDS
    )
    with store.reading("submission.records") as session:
        return list(session.scalars(query.order_by(RecordRow.position)))


def _digested(row: SubmissionRow, batch: int) -> str:
    return paths.digested(row.round_id, row.submission_id, batch)


def _read_digested(files: ChunkFiles, row: SubmissionRow, batch: int) -> DigestedBatch:
    return DigestedBatch.from_bytes(files.read(_digested(row, batch)))


def _plan(node: NodeContext, round_: Round, row: SubmissionRow, real: int) -> None:
    """Decide what of the list is sent, and note how much is held back; raises as `check_approved` does."""
    # The batches were read one after the other since the submission was begun.
    with node.store.reading("submission.approved") as session:
        approved = session.get_one(SubmissionRow, row.submission_id).records_digest
        check_approved(session, row.import_id, approved, row.round_id)
    outlines = [_read_digested(node.files, row, batch).outline() for batch in _batches(real)]
    plan = plan_submission(round_.manifest, node.table_of(round_.manifest), outlines)
    with node.store.transaction("submission.plan") as session:
        counts = {str(rule): count for rule, count in sorted(plan.held_back.items())}
        session.get_one(SubmissionRow, row.submission_id).held_back = counts
    # If we crash here, the same is decided again.
    memory = node.rounds.of(row.round_id)
    memory.works[row.submission_id] = PreparedSubmission(plan, memory.seed(row.submission_id), real)


async def _blind(node: NodeContext, row: SubmissionRow, work: PreparedSubmission, ends: Callable[[], bool]) -> bool:
    """Second pass: blind the next batches, and return whether all are blinded.

    A batch counts when it and all before it are on the disk.
    """
    left = range(row.prepared, row.batches)

    async def begin(batch: int) -> Runs:
        small = row.records <= SMALL_RECORDS
        return await node.workers.run(BLIND, await to_thread(_work, node.files, row, work, batch), small=small)

    async def finish(batch: int, begun: Awaitable[Runs]) -> None:
        await to_thread(_keep_runs, node.files, node.store, row, batch, await begun)

    return await run_in_order(until(ends, left), begin, finish, await node.ahead()) == len(left)


def _work(files: ChunkFiles, row: SubmissionRow, work: PreparedSubmission, batch: int) -> BlindTask:
    digested = _read_digested(files, row, batch) if batch < len(_batches(work.records)) else None
    return work.plan.batch(batch, work.seed, row.submission_id, digested)


def _keep_runs(files: ChunkFiles, store: Store, row: SubmissionRow, batch: int, runs: Runs) -> None:
    for kind, rows in runs.items():
        files.write(paths.run(row.round_id, row.submission_id, batch, kind.value), rows.tobytes())
    # If we crash here, the files are there and the row does not say so: the batch is made again, the same.
    with store.transaction("submission.batch") as session:
        session.get_one(SubmissionRow, row.submission_id).prepared = batch + 1


def _cut_and_sign(node: NodeContext, round_: Round, row: SubmissionRow) -> None:
    """Merge the runs, cut them into chunks, and sign for them once all lie on the disk."""
    references = []
    for index, (reference, elements, rows) in enumerate(_chunks(node.files, round_, row)):
        node.files.write(paths.blinded(row.round_id, row.submission_id, index), elements)
        node.files.write(paths.rows(row.round_id, row.submission_id, index), rows.tobytes())
        references.append(reference)
    # If we crash here, nothing is signed; the same chunks are cut again.
    _check_caps(node.code, round_, references)
    with node.store.transaction("submission.sign") as session:
        stored = session.get_one(SubmissionRow, row.submission_id)
        stored.enter(SubmissionState.SUBMITTED)
        session.add_all(
            ChunkRow(
                submission_id=row.submission_id,
                index=index,
                round_id=row.round_id,
                input_class=reference.input_class.value,
                elements=reference.elements,
                digest=reference.digest,
            )
            for index, reference in enumerate(references)
        )
        why = Justification(**row.justification)
        terms = row.submission_id, Kind(row.kind), why, row.records, references
        statements.sign(session, node.signer, round_, node.party.submit, *terms)
    _forget(node.rounds, row)
    # If we crash here, the runs stay until the round is closed.
    node.files.delete_tree(paths.runs(row.round_id, row.submission_id))
    _LOG.info("submission_signed", round=row.round_id, submission=row.submission_id, count=len(references))


def _chunks(files: ChunkFiles, round_: Round, row: SubmissionRow) -> Iterator[tuple[ChunkReference, bytes, np.ndarray]]:
    for kind in InputClass:
        names = (paths.run(row.round_id, row.submission_id, batch, kind.value) for batch in range(row.batches))
        # A run stays on the disk: its rows are read when they are needed.
        runs = [np.memmap(files.path(name), dtype=ROW, mode="r") for name in names if files.size(name)]
        for rows in merge_runs(runs, round_.manifest.chunk_elements):
            reference, elements = chunk_reference(kind, rows)
            yield reference, elements, rows


def _check_caps(code: str, round_: Round, references: list[ChunkReference]) -> None:
    """Refuse what the others would refuse, before it is signed (PROTOCOL.md 3.4.3)."""
    for kind in InputClass:
        new = sum(reference.elements for reference in references if reference.input_class is kind)
        total = rules.spent(round_, code, kind) + new
        cap = round_.cap_of(code, kind)
        if total > cap:
            raise CapError(
                "round_element_cap_exceeded", round=round_.round_id, expected=cap, got=total, kind=kind.value
            )
