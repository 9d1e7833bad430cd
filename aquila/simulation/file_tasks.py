"""Chunks and answers in files: tasks get names instead of megabytes, and what they give back lies in a file too.

Pipes between processes cost a core a tenth of its time otherwise. Every worker sees the rehearsal's directory. What a
task does is what `aquila.protocol.submissions.tasks` says; here it is only given its bytes.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np

from aquila.crypto.group import Group
from aquila.protocol.submissions import tasks
from aquila.protocol.submissions.submission import ROW, FinalizedChunk
from aquila.protocol.submissions.tasks import ChunkEvaluation, EvaluateTask, FinalizeTask, VerifyTask
from aquila.simulation.metrics import TimedGroup


def read_rows(path: Path) -> np.ndarray:
    """Return the rows in a chunk's file."""
    return np.fromfile(path, dtype=ROW)


def read_elements(path: Path) -> bytes:
    """Return the blinded elements in a chunk's file, as they are sent."""
    elements: bytes = read_rows(path)["element"].tobytes()
    return elements


@dataclass(frozen=True, slots=True, repr=False)
class StoredEvaluateTask:
    """A chunk to evaluate: the work without its elements, the chunk's file, and the file of the answer."""

    work: EvaluateTask
    chunk: Path
    answer: Path


def evaluate_stored(group: Group, stored: StoredEvaluateTask) -> ChunkEvaluation:
    """Evaluate a chunk; what is returned lacks the elements, which are in the answer's file."""
    done = tasks.evaluate_chunk(group, replace(stored.work, chunk=read_elements(stored.chunk)))
    stored.answer.write_bytes(done.elements)
    return replace(done, elements=b"")


@dataclass(frozen=True, slots=True, repr=False)
class StoredVerifyTask:
    """An answer to verify: the work without its elements, the chunk's file, and the answer's."""

    work: VerifyTask
    chunk: Path
    answer: Path


def verify_stored(group: Group, stored: StoredVerifyTask) -> None:
    """Verify an answer."""
    elements = stored.answer.read_bytes()
    tasks.verify_chunk(group, replace(stored.work, chunk=read_elements(stored.chunk), elements=elements))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StoredFinalizeTask:
    """A chunk to finalize: the work without rows and evaluations, the chunk's file, and those of all answers.

    Attributes:
        unverified: The work of verifying each answer without its elements, where that is still to be done.
    """

    work: FinalizeTask
    chunk: Path
    answers: tuple[Path, ...]
    unverified: tuple[VerifyTask, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class FinalizedAnswers:
    """A chunk's tokens, and the processor time that verifying its evaluations took, in all and in the group."""

    chunk: FinalizedChunk
    verify_seconds: float = 0.0
    verify_group_seconds: float = 0.0


def finalize_stored(group: Group, stored: StoredFinalizeTask) -> FinalizedAnswers:
    """Turn a chunk into tokens; where its answers are to be verified before, each element is decoded once for both."""
    rows, answers = read_rows(stored.chunk), [path.read_bytes() for path in stored.answers]
    if not stored.unverified:
        work = replace(stored.work, rows=rows, evaluations=answers)
        return FinalizedAnswers(tasks.finalize(group, work))
    started, timed = time.thread_time(), TimedGroup(group)
    told = [replace(work, elements=elements) for work, elements in zip(stored.unverified, answers, strict=True)]
    own, evaluations = tasks.verify_answers(cast("Group", timed), rows["element"].tobytes(), told)
    seconds = time.thread_time() - started
    work = replace(stored.work, rows=rows, evaluations=evaluations)
    return FinalizedAnswers(tasks.finalize(group, work, own), seconds, timed.seconds)
