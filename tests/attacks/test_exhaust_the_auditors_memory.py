"""An exported log that is small on the disk and huge once it is read must cost the auditor next to nothing."""

import io
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from aquila.errors import AuditError
from clients.sdk.bundles import open_bundle

GIB = 1 << 30


def _sparse() -> bytes:
    """A GNU sparse file of 8 GiB that has no byte of content."""
    member = tarfile.TarInfo("checkpoint")
    member.type, member.size = tarfile.GNUTYPE_SPARSE, 0
    header = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    header[386:482] = b"00000000000\0" * 8
    header[482] = 0
    header[483:495] = f"{8 * GIB - 1:011o}\0".encode()
    return _sealed(header) + bytes(1024)


def _sparse_by_headers() -> bytes:
    """The same by extended headers, as GNU tar writes it today."""
    member = tarfile.TarInfo("checkpoint")
    member.pax_headers = {"GNU.sparse.map": "0,0", "GNU.sparse.size": str(8 * GIB)}
    return member.tobuf(tarfile.PAX_FORMAT) + bytes(1024)


def _endless_map() -> bytes:
    """A sparse file whose map goes on for two thousand blocks."""
    member = tarfile.TarInfo("checkpoint")
    member.type = tarfile.GNUTYPE_SPARSE
    header = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    header[386:482] = b"00000000001\0" * 8
    header[482] = 1
    more = (b"00000000001\0" * 42).ljust(512, b"\x01")
    return _sealed(header) + more * 2000


def _long_header() -> bytes:
    """An extended header of a mebibyte."""
    member = tarfile.TarInfo("checkpoint")
    member.pax_headers = {"comment": "x" * (1 << 20)}
    return member.tobuf(tarfile.PAX_FORMAT) + bytes(1024)


def _large_file() -> bytes:
    """A file that says that it has a tebibyte."""
    member = tarfile.TarInfo("checkpoint")
    member.size = 1 << 40
    return member.tobuf(tarfile.GNU_FORMAT) + bytes(1024)


def _negative_file() -> bytes:
    """A file whose length would lead back to its own header."""
    member = tarfile.TarInfo("checkpoint")
    member.pax_headers = {"size": "-1024"}
    return member.tobuf(tarfile.PAX_FORMAT) + bytes(1024)


def _common_headers() -> bytes:
    """Headers for all files that follow, which a reader would keep and copy for each."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "x"}) as archive:
        archive.addfile(tarfile.TarInfo("checkpoint"))
    return made.getvalue()


def _sealed(header: bytearray) -> bytes:
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    return bytes(header)


ARCHIVES: dict[str, tuple[Callable[[], bytes], str]] = {
    "sparse": (_sparse, "something else than whole plain files"),
    "sparse by headers": (_sparse_by_headers, "something else than whole plain files"),
    "an endless map": (_endless_map, "a header in the archive is too long"),
    "a long header": (_long_header, "a header in the archive is too long"),
    "a large file": (_large_file, "one that is too large"),
    "a negative file": (_negative_file, "one that is too large"),
    "headers for all": (_common_headers, "something else than whole plain files"),
}


@pytest.mark.parametrize("what", ARCHIVES)
def test_it_is_refused_before_it_is_read(tmp_path: Path, what: str) -> None:
    """Each is refused by its headers alone, within a few mebibytes."""
    make, sentence = ARCHIVES[what]
    archive = tmp_path / "log.tar"
    archive.write_bytes(make())
    tracemalloc.start()
    try:
        with pytest.raises(AuditError, match=sentence) as caught:
            open_bundle(str(archive))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.fields["what"] == "archive"
    assert most < 8 << 20


def test_an_index_costs_no_content(tmp_path: Path) -> None:
    """A large log is not read into memory: its files are, one by one, when they are asked for."""
    archive = tmp_path / "log.tar"
    with tarfile.open(archive, "w") as made:
        for number in range(8):
            member = tarfile.TarInfo(f"tile/entries/{number}")
            member.size = 4 << 20
            made.addfile(member, io.BytesIO(bytes(member.size)))
    tracemalloc.start()
    try:
        files = open_bundle(str(archive))
        assert all(files(f"tile/entries/{number}") == bytes(4 << 20) for number in range(8))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 16 << 20
