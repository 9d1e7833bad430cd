"""A file whose reading another thread can end."""

import os
from collections.abc import Callable
from io import BufferedReader, FileIO
from threading import Lock
from typing import BinaryIO

from aquila.errors import InputError


class EndableFile(BufferedReader):
    """A file for reading, until another thread ends it: then its readers end at the next piece, a process at once."""

    def __init__(self, file: BinaryIO) -> None:
        """Read an open file of the disk from its beginning; it may be closed before this."""
        self._lock, self._ended = Lock(), False
        self._then: list[Callable[[], object]] = []
        super().__init__(_EndableRaw(os.dup(file.fileno()), self.check))
        self.seek(0)

    def end(self) -> None:
        """End all reading."""
        with self._lock:
            self._ended = True
            for one in self._then:
                one()

    def at_end(self, then: Callable[[], object]) -> None:
        """Do something when the reading is ended; at once if it was already."""
        with self._lock:
            self._then.append(then)
            if self._ended:
                then()

    def check(self) -> None:
        """Refuse to go on after the end; raises InputError if the reading was ended."""
        if self._ended:
            raise InputError("reading_ended")


class _EndableRaw(FileIO):
    def __init__(self, number: int, check: Callable[[], None]) -> None:
        super().__init__(number)
        self._check = check

    def readinto(self, buffer: bytearray | memoryview) -> int | None:  # type: ignore[override]  # what it is called with
        self._check()
        return super().readinto(buffer)
