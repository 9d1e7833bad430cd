"""Chunks and answers in files: tasks get names instead of megabytes, and what they give back lies in a file too.

Pipes between processes cost a core a tenth of its time otherwise. Every worker sees the rehearsal's directory. What a
task does is what `aquila.protocol.submissions.tasks` says; here it is only given its bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from aquila.protocol.submissions import tasks
from aquila.protocol.submissions.submission import ROW

if TYPE_CHECKING:
    from pathlib import Path

    from aquila.crypto.group import Group
    from aquila.protocol.submissions.submission import FinalizedChunk
    from aquila.protocol.submissions.tasks import ChunkEvaluation, EvaluateTask, FinalizeTask, VerifyTask


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
    """A chunk to finalize: the work without rows and evaluations, the chunk's file, and those of all answers."""

    work: FinalizeTask
    chunk: Path
    answers: tuple[Path, ...]


def finalize_stored(group: Group, stored: StoredFinalizeTask) -> FinalizedChunk:
    """Turn a chunk into tokens."""
    answers = [path.read_bytes() for path in stored.answers]
    return tasks.finalize(group, replace(stored.work, rows=read_rows(stored.chunk), evaluations=answers))
