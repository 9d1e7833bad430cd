"""The node's heavy work as tasks for its executor, in addition to those of `aquila.protocol.submissions.tasks`.

The argument of a task shows nothing of itself: pools and schedulers print the arguments of a task that failed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from aquila.crypto.group import Group
from aquila.executors import with_group
from aquila.protocol.submissions import tasks
from aquila.protocol.submissions.submission import FinalizedChunk
from aquila.protocol.submissions.tasks import DigestedBatch, FinalizeTask, VerifyTask
from aquila.records.person import Record
from aquila.records.rules import RuleTable

PRELOAD = ("aquila.protocol.submissions.tasks", "aquila.records.rules", "services.node.steps.submissions.tasks")
"""What every process of a local pool needs."""

SMALL_ELEMENTS = 1_024
"""Elements of a chunk whose work is not worth the way to a worker: a few milliseconds."""

SMALL_RECORDS = 64
"""Records of a batch whose work is not worth it either."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class AnswersTask:
    """Evaluations of one own chunk to verify together, and the tokens to make of them if they are the last ones."""

    chunk: bytes
    """The blinded elements as they were sent."""
    answers: Mapping[str, VerifyTask]
    """The evaluations, by their parties."""
    rest: FinalizeTask | None = None
    """The work of making the tokens, with the evaluations that were verified before; None while some are missing."""


def verify_answers(group: Group, work: AnswersTask) -> dict[str, FinalizedChunk] | None:
    """Verify evaluations (PROTOCOL.md 3.6), and make the tokens if these are due; each element is decoded once.

    Raises:
        MalformedError, ProofError: One of the evaluations is wrong; which one is not told.
    """
    evaluations = tasks.verify_answers(group, work.chunk, list(work.answers.values()))
    if work.rest is None:
        return None
    known = dict(zip(work.answers, evaluations, strict=True))
    columns = [replace(one, evaluated=known.get(one.counterpart, one.evaluated)) for one in work.rest.columns]
    return tasks.finalize(group, replace(work.rest, columns=columns))


BLIND = partial(with_group, tasks.blind_batch, "auto")
EVALUATE = partial(with_group, tasks.evaluate_chunk, "auto")
VERIFY_ANSWERS = partial(with_group, verify_answers, "auto")
FINALIZE = partial(with_group, tasks.finalize, "auto")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StoredBatch:
    """A batch of stored records to digest."""

    binding: bytes
    """32 bytes."""
    table: RuleTable
    contents: Sequence[bytes]
    """The records as they are stored, JSON each."""


def digest_stored(work: StoredBatch) -> DigestedBatch:
    """Read, normalize and digest stored records (PROTOCOL.md 3.4.4)."""
    records = [Record.from_json(content) for content in work.contents]
    return tasks.digest_records(work.binding, work.table, records)
