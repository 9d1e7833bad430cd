"""Archives of a log from outside: what is not whole is said to be so."""

from __future__ import annotations

import hashlib
import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from aquila.errors import AuditError, InputError
from clients.sdk.bundles import open_bundle

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = b"".join(hashlib.sha256(bytes([n])).digest() for n in range(125))


def _archive(mode: str, *names: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=mode) as archive:  # type: ignore[call-overload] # one of its literals
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(CONTENT)
            archive.addfile(member, io.BytesIO(CONTENT))
    return made.getvalue()


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_an_archive_is_read(tmp_path: Path, mode: str) -> None:
    """Compressed or not, by the names in it."""
    (tmp_path / "log").write_bytes(_archive(mode, "checkpoint"))
    files = open_bundle(str(tmp_path / "log"))
    assert files("checkpoint") == CONTENT
    assert files("other") is None


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
@pytest.mark.parametrize("left", [0.0, 0.3, 0.9])
def test_half_an_archive(tmp_path: Path, mode: str, left: float) -> None:
    """A copy that broke off is named, with what to do."""
    whole = _archive(mode, "a", "b", "c")
    (tmp_path / "log").write_bytes(whole[: int(len(whole) * left)])
    with pytest.raises(InputError, match="no whole tar archive") as caught:
        open_bundle(str(tmp_path / "log"))
    assert "aquila audit export" in caught.value.hint


def test_a_file_twice(tmp_path: Path) -> None:
    """No log has one name for two contents."""
    (tmp_path / "log.tar").write_bytes(_archive("w", "a", "a"))
    with pytest.raises(AuditError, match="twice"):
        open_bundle(str(tmp_path / "log.tar"))


def test_nothing_there(tmp_path: Path) -> None:
    """A name of nothing says why it cannot be read."""
    with pytest.raises(InputError, match="No such file"):
        open_bundle(str(tmp_path / "none.tar"))
