"""Temporary files of a rehearsal, so that memory does not grow with the lists: all of it secret of a party.

It lies in the rehearsal's own directory, is deleted as soon as it has been used, and goes with the directory at last.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from aquila.protocol.messages import ChunkReference
from aquila.protocol.submissions.submission import ROW, chunk_reference
from aquila.records.rules import InputClass
from aquila.simulation.file_tasks import read_elements, read_rows


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
