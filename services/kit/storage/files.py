"""Files: content that is too large for a row, and secrets, written so that a crash leaves the old state or the new.

A write is a temporary file in the same folder, fsync, rename, fsync of the folder: until the rename nobody sees the
new content, after it nobody sees the old. What a crash leaves is a file whose name starts with a dot;
`remove_leftovers` removes it. Names are relative, short and plain, so that no name can leave the root.
"""

import contextlib
import errno
import hashlib
import hmac
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from aquila.errors import DigestError, InputError, KeyMaterialError
from services.kit.errors import ExposedSecretError, NotFoundError, StoreConflictError, StoreError, StoreFullError

_SEGMENT = r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
_NAME = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT}){{0,7}}")
_PARTIAL = ".part"
# No space, over the quota, or over the largest file that the process may write.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class ChunkFiles:
    """A folder of content by relative name, `round/party/3.chunk`.

    `write` returns only when the content would survive a power cut. Any number of threads and processes may use one
    folder: two writes of one name leave one of the two contents, whole.
    """

    def __init__(self, root: Path, keep_free: int = 0) -> None:
        """Make the folder if it is missing.

        Args:
            root: The folder; made with mode 0700.
            keep_free: Bytes of the disk that content may not take, so that the database can still write.
        """
        self.root = root
        self._keep_free = keep_free
        with disk(root):
            root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(self, name: str, content: bytes | Iterable[bytes], expected_digest: bytes | None = None) -> int:
        """Store content under a name, in place of what was there, and return its size in bytes.

        Args:
            expected_digest: Their SHA-256, where the caller knows what they should be.

        Raises:
            StoreFullError: No room; what was there before stays.
            InputError: The name is not valid.
        """
        target = self.path(name)
        pieces = [content] if isinstance(content, bytes) else content
        with disk(target):
            if self._keep_free:
                leave_room(self.root, len(content) if isinstance(content, bytes) else 0, self._keep_free)
            _make_folders(target.parent, self.root)
            with replacing(target) as file:
                size, digest = _copy(pieces, file)
                if expected_digest is not None and not hmac.compare_digest(digest, expected_digest):
                    raise DigestError(
                        "file_digest_differs", file=name, expected=expected_digest.hex(), got=digest.hex()
                    )
        return size

    def read(self, name: str, expected_digest: bytes | None = None) -> bytes:
        """Return the content of a name.

        Raises:
            NotFoundError: There is nothing of this name.
        """
        with self.open(name) as file:
            content = file.read()
        if expected_digest is not None and not hmac.compare_digest(hashlib.sha256(content).digest(), expected_digest):
            raise DigestError("stored_file_differs", file=name, expected=expected_digest.hex())
        return content

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Open the content of a name for reading; raises as `read` does."""
        path = self.path(name)
        with disk(path, missing=name), path.open("rb") as file:
            yield file

    def exists(self, name: str) -> bool:
        return self.path(name).is_file()

    def size(self, name: str) -> int:
        path = self.path(name)
        with disk(path, missing=name):
            return path.stat().st_size

    def names(self, folder: str = "") -> list[str]:
        """List the names in a folder and below it, sorted; empty if the folder does not exist."""
        top = self.path(folder) if folder else self.root
        files = (path for path in top.rglob("*") if path.is_file() and not path.name.startswith("."))
        return sorted(path.relative_to(self.root).as_posix() for path in files)

    def free_space(self) -> int:
        """Return the bytes that content may still take."""
        with disk(self.root):
            return max(0, shutil.disk_usage(self.root).free - self._keep_free)

    def delete(self, name: str) -> None:
        """Remove the content of a name; nothing happens where there is none, so that a deletion can be repeated."""
        path = self.path(name)
        with disk(path):
            path.unlink(missing_ok=True)
            # If we crash before this, the name may be there again after a power cut; deletions are repeated at start.
            _fsync_folder(path.parent)

    def delete_tree(self, folder: str) -> None:
        """Remove a folder and everything below it, what a crash left included; can be repeated."""
        path = self.path(folder)
        with disk(path):
            if path.exists():
                shutil.rmtree(path)
            _fsync_folder(path.parent)

    def remove_leftovers(self, older_than: float = 3600) -> int:
        """Remove what crashed writes left and return how many files that were.

        Args:
            older_than: Seconds since the last change; a younger file may belong to a write of another process.
        """
        limit = time.time() - older_than
        partial = [path for path in self.root.rglob(f".*{_PARTIAL}") if _changed_before(path, limit)]
        for path in partial:
            path.unlink(missing_ok=True)
        return len(partial)

    def path(self, name: str) -> Path:
        """Return the path of a name, which cannot leave the root, for what wants a path, such as DuckDB."""
        if not _NAME.fullmatch(name):
            raise InputError("file_name_malformed")
        return self.root / name


@contextlib.contextmanager
def replacing(target: Path, mode: int = 0o600) -> Iterator[BinaryIO]:
    """Write a file in place of another: the block writes, and only when it ends well the new file takes the name.

    Raises:
        OSError: The disk failed; what was there before stays.
    """
    partial = target.with_name(f".{target.name[:100]}.{secrets.token_hex(8)}{_PARTIAL}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # If we crash here, the old content stays and the partial file is swept.
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    # If we crash here, a power cut may bring the old content back: nobody was told yet that the new one is there.
    _fsync_folder(target.parent)


def write_secret(path: Path, content: bytes) -> None:
    """Write a secret that only this user can read (mode 0600), whole or not at all, in place of what was there."""
    with disk(path), replacing(path) as file:
        file.write(content)


def read_secret(path: Path) -> bytes:
    """Read a secret, and refuse one that others on the machine could have read or written.

    Raises:
        KeyMaterialError: The file is missing.
        ExposedSecretError: The file is open to group or others.
        StoreError: The file is there, or may be, and cannot be read now.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            _check_closed(path, os.fstat(descriptor), "secret", "600")
            return file.read()
    except OSError as error:
        # What is taken for lost is given up for good, so all else is worth another try.
        kind = KeyMaterialError if isinstance(error, FileNotFoundError) else StoreError
        raise kind("secret_unreadable", file=str(path), path=path, fault=error.strerror) from None


def secret_exists(path: Path) -> bool:
    """Return whether there is a secret of this name; raises StoreError if the disk does not say."""
    with disk(path), contextlib.suppress(FileNotFoundError):
        path.stat()
        return True
    return False


def check_private(path: Path) -> None:
    """Refuse a folder, or a file that another library opens, which others on the machine can read or write.

    A missing one is refused when it is opened.

    Raises:
        ExposedSecretError: It is open to group or others.
    """
    try:
        state = path.stat()
    except OSError:
        return
    if stat.S_ISDIR(state.st_mode):
        _check_closed(path, state, "folder", "700")
    else:
        _check_closed(path, state, "file", "600")


def make_private(path: Path) -> None:
    """Make an empty file that only this user can read, unless there is one: a library would make an open one."""
    with disk(path), contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def destroy_secret(path: Path) -> None:
    """Overwrite a secret, fsync, and remove it; nothing happens where there is none.

    On a disk that writes in place this leaves nothing. An SSD, a journal of data, or a copy-on-write file system may
    keep the old blocks for a while, where only somebody with the raw device finds them: the folder belongs on an
    encrypted volume (`docs/LIMITATIONS.md`). A backup of the file undoes the destruction; it must be in none.

    Raises:
        StoreError: The disk failed; the secret may still be there.
    """
    with disk(path):
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return
        with os.fdopen(descriptor, "wb") as file:
            # Opened without truncation, which would free the blocks before they are overwritten.
            file.write(secrets.token_bytes(os.fstat(descriptor).st_size))
            file.flush()
            os.fsync(descriptor)
        # If we crash here, an overwritten file remains, which reads as an unusable key; destruction is repeated.
        path.unlink(missing_ok=True)
        _fsync_folder(path.parent)


def leave_room(folder: Path, size: int, keep_free: int) -> None:
    """Refuse content that would leave less of a folder's disk than what is kept free.

    Raises:
        StoreFullError: It would.
    """
    with disk(folder):
        free = shutil.disk_usage(folder).free
    if size >= free - keep_free:
        raise _full(folder)


def _check_closed(path: Path, state: os.stat_result, what: str, mode: str) -> None:
    """Refuse what is open to group or others; raises ExposedSecretError if it is."""
    if stat.S_IMODE(state.st_mode) & 0o077:
        raise ExposedSecretError("permissions_too_open", file=str(path), what=what, path=path, mode=mode)


def _copy(pieces: Iterable[bytes], file: BinaryIO) -> tuple[int, bytes]:
    """Write pieces to a file and return their size and SHA-256."""
    size, digest = 0, hashlib.sha256()
    for piece in pieces:
        file.write(piece)
        digest.update(piece)
        size += len(piece)
    return size, digest.digest()


def _make_folders(folder: Path, root: Path) -> None:
    """Make a folder below the root, each level durable before content is put into it."""
    if folder == root or folder.is_dir():
        return
    _make_folders(folder.parent, root)
    folder.mkdir(mode=0o700, exist_ok=True)
    _fsync_folder(folder.parent)


def _fsync_folder(folder: Path) -> None:
    """Make a rename or removal in a folder survive a power cut; a folder that is gone needs nothing."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _changed_before(path: Path, limit: float) -> bool:
    """Return whether a file was last changed before a time; a file that just went away was not."""
    try:
        return path.stat().st_mtime < limit
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def disk(path: Path, missing: str = "") -> Iterator[None]:
    """Turn an error of the disk into ours, which names the folder and what to do.

    Raises:
        NotFoundError: There is no such file, and the caller gave the name that is looked for.
        StoreFullError: No space, or over a quota.
        StoreConflictError: A folder is where a file should be, or the other way round.
        StoreError: Anything else.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise _full(path.parent) from None
        if missing and isinstance(error, (FileNotFoundError, NotADirectoryError)):
            raise NotFoundError("stored_file_missing", file=missing) from None
        if isinstance(error, (IsADirectoryError, NotADirectoryError, FileExistsError)):
            raise StoreConflictError("name_both_file_and_folder", file=path.name) from None
        raise StoreError("disk_refused", folder=str(path.parent), parent=path.parent, fault=error.strerror) from None


def _full(folder: Path) -> StoreFullError:
    """Return the error for a disk without room."""
    return StoreFullError("disk_full", folder=str(folder), folder_2=folder)
