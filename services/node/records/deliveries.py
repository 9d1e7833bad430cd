"""List files that a system of the party puts into a folder: shown, read when an officer looks, removed when stored.

Nothing is stored by itself: a delivered file takes the way of a file that an officer chooses, with the same look at
what was read, and its submission needs the same two persons. The node reads the folder when somebody asks, and never
writes into it. A file is known by its place, size and times: what is stored is what was looked through.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from aquila.errors import PolicyError
from aquila.interface.records import Deliveries, DeliveryView
from aquila.interface.sentence import SentenceView
from aquila.sentences.sentence import Sentence
from aquila.visible import visible
from services.kit.errors import NotFoundError, StoreError
from services.kit.logging import Log
from services.node.context import NodeContext

_LOG = Log("node.deliveries")
MOST = 100
"""Of how many files a folder's list tells: more are named as a number."""
_SETTLED_SECONDS = 60
_SUFFIXES = (".csv", ".txt", ".tsv", ".xlsx", ".ods", ".jsonl", ".json", ".ftm")
_NAME_LIMIT = 200


def list_deliveries(node: NodeContext) -> Deliveries:
    """Return the files that wait in the folder, the newest first; none where the node has no such folder.

    Raises:
        StoreError: The folder cannot be read.
    """
    found = sorted(_files(node.settings.deliveries), key=lambda one: (-one[1].st_mtime_ns, one[0].name))
    views = (
        DeliveryView(
            delivery_id=_id_of(path.name, state),
            name=visible(path.name)[:_NAME_LIMIT],
            size=state.st_size,
            written_at=int(state.st_mtime),
            problem=_problem(node, state),
        )
        for path, state in found[:MOST]
    )
    return Deliveries(deliveries=tuple(views), left_out=max(0, len(found) - MOST))


def count_deliveries(folder: Path | None, now: int) -> tuple[int, int]:
    """Return how many files that are not being written any more wait, and when the newest was written.

    None do in a folder that cannot be read: the page of records says so.
    """
    try:
        written = [int(state.st_mtime) for _, state in _files(folder) if now - state.st_mtime >= _SETTLED_SECONDS]
    except StoreError:
        return 0, 0
    return len(written), max(written, default=0)


def open_delivery(node: NodeContext, delivery_id: str) -> BinaryIO:
    """Open a file that waits, for the caller to close.

    Raises:
        NotFoundError: It is gone, or was written anew since it was listed.
        PolicyError: It is still being written, or larger than a list may be.
        StoreError: It cannot be read.
    """
    path, state = _find(node, delivery_id)
    problem = _problem(node, state)
    if problem is not None:
        raise PolicyError(problem.sentence.code, **problem.sentence.fields)
    try:
        # Whoever may write into the folder could put a pipe or a link there between two looks.
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NotFoundError("delivery_unknown") from None
    except OSError as error:
        raise _unreadable(error) from None
    file = os.fdopen(opened, "rb")
    if _id_of(path.name, os.fstat(file.fileno())) != delivery_id:
        file.close()
        raise NotFoundError("delivery_unknown")
    return file


def remove_delivery(node: NodeContext, delivery_id: str) -> None:
    """Remove a file that waits from the folder.

    Raises:
        NotFoundError: It is gone, or was written anew since it was listed.
        StoreError: The node may not remove it.
    """
    path, _ = _find(node, delivery_id)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError("delivery_not_removable", fault=_said(error)) from None
    _LOG.info("delivery_removed")


def remove_stored(node: NodeContext, delivery_id: str) -> None:
    """Remove a file whose list was stored; that it cannot be is logged, because the list is there all the same."""
    try:
        remove_delivery(node, delivery_id)
    except (NotFoundError, StoreError):
        _LOG.warning("stored_delivery_not_removed")


def _files(folder: Path | None) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield paths and states of the files that may be lists; links, folders and hidden files are none."""
    if folder is None:
        return
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or not entry.name.lower().endswith(_SUFFIXES):
                    continue
                try:
                    state = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if stat.S_ISREG(state.st_mode):
                    yield Path(entry.path), state
    except OSError as error:
        raise _unreadable(error) from None


def _find(node: NodeContext, delivery_id: str) -> tuple[Path, os.stat_result]:
    """Return the path and state of a file that waits.

    Raises:
        NotFoundError: There is none.
    """
    for path, state in _files(node.settings.deliveries):
        if _id_of(path.name, state) == delivery_id:
            return path, state
    raise NotFoundError("delivery_unknown")


def _id_of(name: str, state: os.stat_result) -> str:
    """Return 32 hexadecimal digits for one state of a file: they change when it is written to, moved or replaced."""
    parts = (name, state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
    return hashlib.sha256(repr(parts).encode(errors="surrogateescape")).hexdigest()[:32]


def _problem(node: NodeContext, state: os.stat_result) -> SentenceView | None:
    """Return why a file cannot be looked through now, or None."""
    limit, folder = node.settings.limits.import_mebibytes, node.settings.deliveries
    if folder is not None and not os.access(folder, os.W_OK):
        # A file that would stay after it was stored would be stored again.
        return SentenceView.of(Sentence.of("delivery_not_removable", fault=os.strerror(errno.EACCES)))
    if state.st_size > node.settings.limits.import_bytes:
        return SentenceView.of(Sentence.of("delivery_too_large", limit=limit))
    if node.clock() - state.st_mtime < _SETTLED_SECONDS:
        return SentenceView.of(Sentence.of("delivery_unsettled", seconds=_SETTLED_SECONDS))
    return None


def _unreadable(error: OSError) -> StoreError:
    return StoreError("deliveries_unreadable", fault=_said(error))


def _said(error: OSError) -> str:
    """Return the system's word for an error, without a path."""
    return os.strerror(error.errno or errno.EIO)
