"""Temporary files of a rehearsal, so that memory does not grow with the lists: all of it secret of a party.

They lie in the rehearsal's own directory, are deleted as soon as they have been used, and go with the directory at
last. Tasks get names of files instead of megabytes, and what they give back lies in a file too: pipes between processes
cost a core a tenth of its time otherwise. Every worker sees the directory. What a task does is what
`aquila.protocol.submissions.tasks` says; here it is only given its bytes.
"""

import os
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np

from aquila.crypto.group import Group
from aquila.protocol.messages import ChunkReference
from aquila.protocol.submissions import tasks
from aquila.protocol.submissions.submission import ROW, FinalizedChunk, chunk_reference
from aquila.protocol.submissions.tasks import ChunkEvaluation, EvaluateTask, FinalizeTask, VerifyTask
from aquila.records.rules import InputClass
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


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StoredFinalizeTask:
    """A chunk to finalize: the work without rows and evaluations, the chunk's file, and those of all answers.

    The answers are in the order of the work's columns.
    """

    work: FinalizeTask
    chunk: Path
    answers: tuple[Path, ...]
    unverified: tuple[VerifyTask, ...]
    """The work of verifying each answer, without its elements."""


@dataclass(frozen=True, slots=True, repr=False)
class FinalizedAnswers:
    """A chunk's tokens by column, and the processor time of verifying its evaluations, in all and in the group."""

    chunks: dict[str, FinalizedChunk]
    verify_seconds: float
    verify_group_seconds: float


def finalize_stored(group: Group, stored: StoredFinalizeTask) -> FinalizedAnswers:
    """Verify the answers to a chunk, and turn it into tokens; each element is decoded once for both."""
    rows, answers = read_rows(stored.chunk), [path.read_bytes() for path in stored.answers]
    started, timed = time.thread_time(), TimedGroup(group)
    told = [replace(work, elements=elements) for work, elements in zip(stored.unverified, answers, strict=True)]
    evaluations = tasks.verify_answers(cast("Group", timed), rows["element"].tobytes(), told)
    seconds = time.thread_time() - started
    columns = [replace(column, evaluated=one) for column, one in zip(stored.work.columns, evaluations, strict=True)]
    made = tasks.finalize(group, replace(stored.work, rows=rows, columns=columns))
    return FinalizedAnswers(made, seconds, timed.seconds)


class Spool:
    """Pieces of bytes in one file, written in order, read in any, and deleted together."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ends = [0]
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)

    def append(self, piece: bytes) -> None:
        """Write the next piece."""
        view = memoryview(piece)
        while view:  # a write may be short
            written = os.pwrite(self._file, view, self._ends[-1] + len(piece) - len(view))
            view = view[written:]
        self._ends.append(self._ends[-1] + len(piece))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> bytes:
        start = self._ends[number]
        return os.pread(self._file, self._ends[number + 1] - start, start)

    def delete(self) -> None:
        """Delete the file."""
        os.close(self._file)
        self.path.unlink()


class Runs:
    """The runs of one class of a submission, in one file (`aquila.protocol.submissions.submission.prepare_run`)."""

    def __init__(self, path: Path) -> None:
        self._spool = Spool(path)
        self._sizes: list[int] = []

    def append(self, rows: np.ndarray) -> None:
        """Write the next run."""
        self._spool.append(rows.tobytes())
        self._sizes.append(len(rows))

    def mapped(self) -> list[np.ndarray]:
        """Return the runs that have rows as they lie in the file; what is read of them is read when it is needed."""
        if not sum(self._sizes):
            return []
        rows = np.asarray(np.memmap(self._spool.path, dtype=ROW, mode="r"))  # plain arrays are cut with less ado
        ends = np.cumsum(self._sizes)
        return [rows[end - size : end] for end, size in zip(ends, self._sizes, strict=True) if size]

    def delete(self) -> None:
        """Delete the file."""
        self._spool.delete()


class Chunks:
    """The chunks of one submission, a file each with its rows, which hold the elements too; and the answers to them."""

    def __init__(self, directory: Path) -> None:
        self.references: list[ChunkReference] = []
        self._directory = directory

    def append(self, input_class: InputClass, rows: np.ndarray) -> ChunkReference:
        """Write the next chunk."""
        reference, _ = chunk_reference(input_class, rows)
        descriptor = os.open(self.path(len(self)), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(rows.tobytes())
        self.references.append(reference)
        return reference

    def __len__(self) -> int:
        return len(self.references)

    def rows(self, index: int) -> np.ndarray:
        """Return a chunk's rows."""
        return read_rows(self.path(index))

    def elements(self, index: int) -> bytes:
        """Return a chunk's blinded elements, as they are sent."""
        return read_elements(self.path(index))

    def delete(self, index: int) -> None:
        """Delete a chunk that was finalized, and the answers to it."""
        for path in self._directory.glob(f"{self.path(index).name}*"):
            path.unlink()

    def path(self, index: int) -> Path:
        """Return where a chunk lies."""
        return self._directory / f"chunk-{index:06d}"

    def answer(self, index: int, party: str) -> Path:
        """Return where a party's answer to a chunk lies."""
        return self._directory / f"chunk-{index:06d}-{party}"


class RecordIds:
    """The record ids of a list by position, without an object for each."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._ends: list[np.ndarray] = []
        self._firsts = [0]

    def append(self, record_ids: Sequence[str]) -> None:
        """Take the ids of the next records."""
        self._texts.append("".join(record_ids))
        self._ends.append(np.cumsum([0, *map(len, record_ids)], dtype=np.uint32))
        self._firsts.append(self._firsts[-1] + len(record_ids))

    def __len__(self) -> int:
        return self._firsts[-1]

    def __getitem__(self, position: int) -> str:
        batch = bisect_right(self._firsts, position) - 1
        within = position - self._firsts[batch]
        start, end = self._ends[batch][within : within + 2].tolist()
        return self._texts[batch][start:end]

    def __iter__(self) -> Iterator[str]:
        return (self[position] for position in range(len(self)))
