"""What waits for a session in memory: lists that were looked through, work on them, and names that are searched for.

A list is a file without a name, which is gone when it is closed or the process ends, however it ends; a session has one
at a time. A name would otherwise stand in the browser's history: nothing of it is written, and a restart forgets it.
"""

import secrets
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO

from starlette.types import Message, Receive

from aquila.records.reading.layouts import Layout
from clients.sdk.services import DeliveredList
from clients.web.app.list_work import ListWork
from services.kit.storage.files import leave_room

LONG_BYTES = 256 << 10
"""From here on a text file is read in the background: it has some thousand rows."""

_KEPT_SECONDS = 15 * 60
_MOST = 20
_ZIP, _PIECE = b"PK", 1 << 20


@dataclass(slots=True)
class Upload:
    """A list that waits."""

    upload_id: str
    """By which its form names it."""
    session: str
    """Whose it is."""
    name: str
    """The file's name, as the officer has it."""
    layout: Layout
    """Its layout, as far as its officer has chosen it."""
    source: BinaryIO | DeliveredList = field(repr=False)
    """Its content, or where the node has it."""
    until: float
    """When it is closed, on the clock that does not go back."""
    size: int = 0
    """In bytes."""
    work: ListWork | None = None
    """The work on it that was begun last, in the background; None where it was done at once."""

    @property
    def busy(self) -> bool:
        """Return whether it is being looked through or stored now: then nothing else may read it."""
        return self.work is not None and not self.work.done

    @property
    def is_long(self) -> bool:
        """Return whether a reader would wait for it; the rows of a spreadsheet are packed."""
        return self.size >= (LONG_BYTES if self._is_text() else LONG_BYTES // 4)

    def lines(self) -> int | None:
        """Return how many rows a text file has about; None of a spreadsheet, and of a file that the node has."""
        if isinstance(self.source, DeliveredList) or not self._is_text():
            return None
        return max(1, sum(piece.count(b"\n") for piece in iter(partial(self.source.read, _PIECE), b"")) - 1)

    def _is_text(self) -> bool:
        """Return whether it is text and not a spreadsheet; a file that the node has may be either."""
        if isinstance(self.source, DeliveredList):
            return False
        self.source.seek(0)
        found = self.source.read(len(_ZIP)) != _ZIP
        self.source.seek(0)
        return found

    def rewind(self) -> None:
        """Go back to the beginning of the content."""
        if not isinstance(self.source, DeliveredList):
            self.source.seek(0)

    def close(self) -> None:
        if not isinstance(self.source, DeliveredList):
            self.source.close()


@dataclass(frozen=True, slots=True)
class Inbox:
    """The folder of list files that wait for confirmation, without a name."""

    folder: Path | None = None
    """The service's home, or None for the system's temporary folder, where pages run apart from the service."""
    most: int = 2_048 << 20
    """Bytes of the largest list."""
    keep_free: int = 256 << 20
    """Bytes of the disk that no list may take."""

    def new_file(self) -> BinaryIO:
        return tempfile.TemporaryFile(dir=self.folder)

    def guarded(self, receive: Receive) -> Receive:
        """Let a body arrive as long as there is room; raises StoreFullError if there is none."""
        folder = self.folder or Path(tempfile.gettempdir())

        async def checked() -> Message:
            message = await receive()
            leave_room(folder, len(message.get("body", b"")), self.keep_free)
            return message

        return checked


class Uploads:
    """The lists that wait."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: dict[str, Upload] = {}

    def keep(self, session: str, name: str, layout: Layout, source: BinaryIO | DeliveredList, size: int) -> Upload:
        """Keep a list of some bytes in place of the session's last one; the oldest goes where there are too many."""
        self.drop(session)
        self.close_expired()
        if len(self._held) >= _MOST:
            self._close([min(self._held.values(), key=lambda upload: upload.until)])
        made = Upload(secrets.token_hex(16), session, name, layout, source, self._clock() + _KEPT_SECONDS, size)
        self._held[made.upload_id] = made
        return made

    def find(self, session: str, upload_id: str) -> Upload | None:
        """Return a session's list, from its beginning if nothing reads it now; None if it is not kept any more."""
        self.close_expired()
        found = self._held.get(upload_id)
        if found is None or found.session != session:
            return None
        if not found.busy:
            found.rewind()
        return found

    def of(self, session: str) -> Upload | None:
        self.close_expired()
        return next((upload for upload in self._held.values() if upload.session == session), None)

    def drop(self, session: str) -> None:
        """Close what a session left."""
        self._close(upload for upload in list(self._held.values()) if upload.session == session)

    def clear(self) -> None:
        self._close(list(self._held.values()))

    def close_expired(self) -> None:
        now = self._clock()
        self._close(upload for upload in list(self._held.values()) if upload.until <= now)

    def _close(self, uploads: Iterable[Upload]) -> None:
        for upload in uploads:
            upload.close()
            self._held.pop(upload.upload_id, None)


_SEARCH_SECONDS = 3_600
_MOST_SEARCHES = 1_000


@dataclass(slots=True)
class _Search:
    session: str = field(repr=False)
    name: str = field(repr=False)
    until: float


class Searches:
    """The names that are kept, each for an hour after it was used last."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[str, _Search] = {}

    def keep(self, session: str, name: str) -> str:
        """Keep a name and return its key; the one that was used longest ago goes where there are too many."""
        now = self._clock()
        self._kept = {key: one for key, one in self._kept.items() if one.until > now}
        if len(self._kept) >= _MOST_SEARCHES:
            self._kept.pop(min(self._kept, key=lambda key: self._kept[key].until))
        key = secrets.token_hex(16)
        self._kept[key] = _Search(session, name, now + _SEARCH_SECONDS)
        return key

    def find(self, session: str, key: str) -> str | None:
        """Return a session's name, or None where it is not kept any more."""
        found, now = self._kept.get(key), self._clock()
        if found is None or found.session != session or found.until <= now:
            return None
        found.until = now + _SEARCH_SECONDS
        return found.name
