"""Archives of a log from outside: read file by file, and what is not whole is said to be so."""

import hashlib
import io
import tarfile
from pathlib import Path

import httpx
import pytest

from aquila.errors import AuditError, InputError
from clients.sdk.bundles import open_bundle

CONTENT = b"".join(hashlib.sha256(bytes([n])).digest() for n in range(125))


def _archive(mode: str, *names: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=mode) as archive:  # type: ignore[call-overload] # one of its literals
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(CONTENT)
            archive.addfile(member, io.BytesIO(CONTENT))
    return made.getvalue()


def test_an_archive_is_read(tmp_path: Path) -> None:
    folder = tarfile.TarInfo("tile")
    folder.type = tarfile.DIRTYPE
    (tmp_path / "log").write_bytes(folder.tobuf() + _archive("w", "checkpoint", "tile/0/000"))
    files = open_bundle(str(tmp_path / "log"))
    assert files("checkpoint") == files("tile/0/000") == CONTENT
    assert files("other") is None


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_a_compressed_archive(tmp_path: Path, mode: str) -> None:
    """Nobody knows how large it gets: it is refused, with what to do."""
    (tmp_path / "log").write_bytes(_archive(mode, "checkpoint"))
    with pytest.raises(InputError, match="not a whole tar archive") as caught:
        open_bundle(str(tmp_path / "log"))
    assert "does not compress" in caught.value.hint


@pytest.mark.parametrize("left", [0.0, 0.3, 0.45, 0.8])
def test_half_an_archive(tmp_path: Path, left: float) -> None:
    """A copy that broke off is named, with what to do, in a header or in a file, the last one too."""
    whole = _archive("w", "a", "b", "c")[: 3 * (512 + 4096)]
    (tmp_path / "log").write_bytes(whole[: int(len(whole) * left)])
    with pytest.raises(InputError, match="not a whole tar archive") as caught:
        open_bundle(str(tmp_path / "log"))
    assert "aquila audit export" in caught.value.hint


def test_a_file_twice(tmp_path: Path) -> None:
    (tmp_path / "log.tar").write_bytes(_archive("w", "a", "a"))
    with pytest.raises(AuditError, match="twice"):
        open_bundle(str(tmp_path / "log.tar"))


def test_a_link(tmp_path: Path) -> None:
    member = tarfile.TarInfo("checkpoint")
    member.type, member.linkname = tarfile.SYMTYPE, "/etc/hostname"
    (tmp_path / "log.tar").write_bytes(member.tobuf() + bytes(1024))
    with pytest.raises(AuditError, match="something else than whole plain files"):
        open_bundle(str(tmp_path / "log.tar"))


def test_nothing_there(tmp_path: Path) -> None:
    """A name of nothing says why it cannot be read."""
    with pytest.raises(InputError, match="No such file"):
        open_bundle(str(tmp_path / "none.tar"))


@pytest.mark.parametrize("headers", [{"content-encoding": "gzip"}, {}])
def test_an_answer_that_grows(monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]) -> None:
    monkeypatch.setattr("clients.sdk.bundles.LARGEST_FILE", 100)
    answer = httpx.Response(200, headers=headers, stream=httpx.ByteStream(bytes(101)))
    files = open_bundle("http://127.0.0.1:1/log", httpx.MockTransport(lambda _: answer))
    with pytest.raises(InputError, match="does not give its files"):
        files("checkpoint")
