"""Files: whole or not at all, whatever happens in the middle."""

import contextlib
import hashlib
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from aquila.errors import DigestError, InputError, KeyMaterialError
from services.kit.errors import NotFoundError, StoreConflictError, StoreError, StoreFullError
from services.kit.storage.files import ChunkFiles, destroy_secret, read_secret, secret_exists, write_secret
from tests.support import small_disks

REPOSITORY = Path(__file__).parents[4]


def _everything(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


@pytest.fixture
def files(tmp_path: Path) -> ChunkFiles:
    return ChunkFiles(tmp_path / "chunks")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with small_disks.small_disk(tmp_path / "small", "256k") as folder:
        yield folder


def test_what_was_written_is_read(files: ChunkFiles) -> None:
    """Bytes and pieces give the same content, and the size is returned."""
    assert files.write("r1/SI/0.chunk", b"abc") == 3
    assert files.write("r1/SI/1.chunk", iter([b"ab", b"", b"c"]), hashlib.sha256(b"abc").digest()) == 3
    assert files.read("r1/SI/0.chunk") == files.read("r1/SI/1.chunk") == b"abc"
    assert files.names() == files.names("r1") == ["r1/SI/0.chunk", "r1/SI/1.chunk"]
    assert (files.size("r1/SI/0.chunk"), files.names("r2")) == (3, [])
    assert files.exists("r1/SI/0.chunk")
    assert not files.exists("r1/SI/2.chunk")
    with files.open("r1/SI/0.chunk") as file:
        assert file.read(2) == b"ab"


def test_folders_and_files_are_for_this_user_alone(files: ChunkFiles) -> None:
    files.write("r1/a", b"x")
    assert stat.S_IMODE(files.root.stat().st_mode) == 0o700
    assert stat.S_IMODE((files.root / "r1").stat().st_mode) == 0o700
    assert stat.S_IMODE(files.path("r1/a").stat().st_mode) == 0o600


def test_a_write_replaces(files: ChunkFiles) -> None:
    files.write("a", b"old")
    files.write("a", b"new")
    assert files.read("a") == b"new"
    assert _everything(files.root) == ["a"]


def test_a_wrong_digest_changes_nothing(files: ChunkFiles) -> None:
    files.write("a", b"old")
    with pytest.raises(DigestError) as caught:
        files.write("a", b"new", hashlib.sha256(b"other").digest())
    assert caught.value.fields["file"] == "a"
    assert files.read("a") == b"old"
    assert _everything(files.root) == ["a"]


def test_content_that_ends_in_the_middle_changes_nothing(files: ChunkFiles) -> None:
    """An upload whose connection breaks leaves the old state."""

    def pieces() -> Iterator[bytes]:
        yield b"new"
        raise ConnectionResetError

    files.write("a", b"old")
    with pytest.raises(StoreError):
        files.write("a", pieces())
    assert files.read("a") == b"old"
    assert _everything(files.root) == ["a"]


def test_content_that_was_changed_on_the_disk_is_refused(files: ChunkFiles) -> None:
    files.write("a", b"abc")
    assert files.read("a", hashlib.sha256(b"abc").digest()) == b"abc"
    files.path("a").write_bytes(b"abd")
    with pytest.raises(DigestError):
        files.read("a", hashlib.sha256(b"abc").digest())


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "../a",
        "a/../b",
        "a//b",
        "a/",
        "/",
        ".hidden",
        "a/.b",
        "a\\b",
        "a b",
        "a\nb",
        "a\x00b",
        "ä",
        "a" * 129,
        "/".join("abcdefghi"),
        "a\n",
    ],
)
def test_a_name_that_could_leave_the_root_is_refused(files: ChunkFiles, name: str) -> None:
    for operation in (files.read, files.size, files.delete, files.delete_tree, files.exists, files.path):
        with pytest.raises(InputError):
            operation(name)
    with pytest.raises(InputError):
        files.write(name, b"x")
    assert _everything(files.root.parent) == []


def test_missing_content_is_not_found(files: ChunkFiles) -> None:
    files.write("a", b"x")
    for name in ("b", "a/b"):
        with pytest.raises(NotFoundError):
            files.read(name)
        with pytest.raises(NotFoundError):
            files.size(name)


def test_a_file_where_a_folder_should_be_is_a_conflict(files: ChunkFiles) -> None:
    files.write("a", b"x")
    with pytest.raises(StoreConflictError):
        files.write("a/b", b"x")
    files.write("f/b", b"x")
    with pytest.raises(StoreConflictError):
        files.write("f", b"x")
    assert _everything(files.root) == ["a", "f/b"]


def test_deleting_can_be_repeated(files: ChunkFiles) -> None:
    files.write("r1/a", b"x")
    files.write("r1/b", b"x")
    files.delete("r1/a")
    files.delete("r1/a")
    assert files.names() == ["r1/b"]
    files.delete_tree("r1")
    files.delete_tree("r1")
    files.delete("r1/b")
    assert list(files.root.iterdir()) == []


def test_sweeping_removes_only_what_crashed_writes_left(files: ChunkFiles) -> None:
    files.write("r1/a", b"x")
    (files.root / "r1" / ".a.0123.part").write_bytes(b"half")
    assert files.names() == ["r1/a"]
    assert _everything(files.root) == ["r1/.a.0123.part", "r1/a"]
    assert files.remove_leftovers() == 0
    assert files.remove_leftovers(older_than=-1) == 1
    assert _everything(files.root) == ["r1/a"]


def test_many_writers_of_one_name_leave_one_whole_content(files: ChunkFiles) -> None:
    contents = [bytes([number]) * 50_000 for number in range(8)]
    threads = [threading.Thread(target=files.write, args=("r/a", content)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert files.read("r/a") in contents
    assert _everything(files.root) == ["r/a"]


def test_a_full_disk_says_where_and_what_to_do(small_disk: Path) -> None:
    """A real file system without room: the old content stays, and after making room the write succeeds."""
    files = ChunkFiles(small_disk / "chunks")
    files.write("a", b"old")
    files.write("fill", bytes(150_000))
    with pytest.raises(StoreFullError) as caught:
        files.write("a", iter([bytes(50_000)] * 4))
    assert str(small_disk) in caught.value.message
    assert "make room" in caught.value.hint
    assert files.read("a") == b"old"
    assert _everything(files.root) == ["a", "fill"]
    with pytest.raises(StoreFullError):
        write_secret(small_disk / "secret", bytes(200_000))
    files.delete("fill")
    files.write("a", bytes(200_000))


def test_room_that_is_kept_free_is_not_taken(small_disk: Path) -> None:
    files = ChunkFiles(small_disk / "chunks", keep_free=200_000)
    files.write("a", b"x")
    assert files.free_space() < 62_144
    with pytest.raises(StoreFullError):
        files.write("b", bytes(100_000))
    (small_disk / "other").write_bytes(bytes(100_000))
    with pytest.raises(StoreFullError):
        files.write("b", iter([b"x"]))


def test_a_limit_on_file_sizes_is_a_full_disk(tmp_path: Path) -> None:
    program = f"""
import resource, pathlib
from services.kit.storage.files import ChunkFiles
from services.kit.errors import StoreFullError
files = ChunkFiles(pathlib.Path({str(tmp_path / "chunks")!r}))
files.write("a", b"old")
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    files.write("a", bytes(5000))
except StoreFullError:
    print("full", files.read("a"), [one.name for one in files.root.rglob("*")])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert done.stdout == "full b'old' ['a']\n"


def test_a_process_that_is_killed_in_a_write_leaves_the_old_state(tmp_path: Path) -> None:
    """Killed between two pieces, before the rename: the old content, and one partial file that is swept."""
    root = tmp_path / "chunks"
    program = f"""
import pathlib, sys, time
from services.kit.storage.files import ChunkFiles
def pieces():
    yield b"new" * 100000
    print("half", flush=True)
    time.sleep(60)
ChunkFiles(pathlib.Path({str(root)!r})).write("a", pieces())
"""
    files = ChunkFiles(root)
    files.write("a", b"old")
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=REPOSITORY) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"half\n"
        writer.send_signal(signal.SIGKILL)
    assert files.read("a") == b"old"
    assert len(_everything(root)) == 2
    assert files.remove_leftovers(older_than=-1) == 1
    assert _everything(root) == ["a"]


def test_a_secret_is_written_for_this_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "key"
    write_secret(path, b"one")
    write_secret(path, b"two")
    assert read_secret(path) == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert _everything(tmp_path) == ["key"]


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """A key that leaked to the machine's other users is not used in silence."""
    path = tmp_path / "key"
    write_secret(path, b"one")
    path.chmod(0o640)
    with pytest.raises(KeyMaterialError, match="open to others"):
        read_secret(path)


def test_a_missing_secret_is_key_material_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(KeyMaterialError, match="key cannot be read"):
        read_secret(tmp_path / "key")
    assert not secret_exists(tmp_path / "key")


def test_a_secret_that_cannot_be_read_now_is_not_lost(tmp_path: Path) -> None:
    """The disk refuses to open it, for example because too many files are open: that is a failure of the store."""
    path = tmp_path / "key"
    path.symlink_to(path)
    with pytest.raises(StoreError, match="key cannot be read"):
        read_secret(path)
    with pytest.raises(StoreError):
        secret_exists(path)
    path.unlink()
    write_secret(path, b"one")
    assert secret_exists(path)


def test_a_destroyed_secret_is_overwritten_and_gone(tmp_path: Path) -> None:
    """A second name of the same file shows that its bytes were overwritten before it was removed."""
    path, witness = tmp_path / "key", tmp_path / "witness"
    write_secret(path, b"a secret that must go" * 10_000)
    os.link(path, witness)
    destroy_secret(path)
    destroy_secret(path)
    assert not path.exists()
    assert len(witness.read_bytes()) == 210_000
    assert b"secret" not in witness.read_bytes()


def test_a_link_in_place_of_a_secret_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"keep")
    (tmp_path / "key").symlink_to(tmp_path / "other")
    with contextlib.suppress(StoreError):
        destroy_secret(tmp_path / "key")
    assert (tmp_path / "other").read_bytes() == b"keep"
