"""An archive depends on its files alone, and a holder of the public key can verify that it is the signed one."""

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from deploy.bundle.main import NAMESPACE, pack, sign, write_checksum

TIME = 1_800_000_000
FILES = {"b/one": "1", "a": "2", "b.txt": "3", "b/run": "#!/bin/sh\n"}


def lay_out(folder: Path, names: list[str]) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(FILES[name])
    (folder / "b/run").chmod(0o755)
    return folder


def test_the_same_files_are_the_same_bytes(tmp_path: Path) -> None:
    one = lay_out(tmp_path / "here/aquila-1", list(FILES))
    other = lay_out(tmp_path / "there/aquila-1", list(FILES)[::-1])
    os.utime(other / "a", (1, 1))
    (other / "a").chmod(0o600)
    packed = []
    for folder in (one, other):
        pack(folder, TIME, folder.parent / "out.tar")
        packed.append((folder.parent / "out.tar").read_bytes())
    assert packed[0] == packed[1]
    with tarfile.open(tmp_path / "here/out.tar") as archive:
        members = archive.getmembers()
    assert [one.name for one in members] == ["aquila-1/a", "aquila-1/b/one", "aquila-1/b/run", "aquila-1/b.txt"]
    assert {(one.uid, one.gid, one.uname, one.mtime) for one in members} == {(0, 0, "", TIME)}
    assert [oct(one.mode) for one in members] == ["0o644", "0o644", "0o755", "0o644"]


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="Debian's openssh-client is not installed")
def test_a_signature_is_verified_without_aquila(tmp_path: Path) -> None:
    pack(lay_out(tmp_path / "aquila-1", list(FILES)), TIME, archive := tmp_path / "aquila-1-bundle.tar")
    checksum = write_checksum(archive)
    for name in ("release", "stranger"):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)]
        subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
    public = (tmp_path / "release.pub").read_text()
    (tmp_path / "allowed").write_text(f'aquila namespaces="{NAMESPACE}" {public}')

    sha256sum = shutil.which("sha256sum")
    assert sha256sum is not None

    def verified() -> list[bool]:
        words = [sha256sum, "--check", checksum.name]
        summed = subprocess.run(words, cwd=tmp_path, check=False, capture_output=True)
        words = [
            "ssh-keygen",
            "-Y",
            "verify",
            "-f",
            "allowed",
            "-I",
            "aquila",
            "-n",
            NAMESPACE,
            "-s",
            f"{checksum.name}.sig",
        ]
        with checksum.open("rb") as stream:
            signed = subprocess.run(words, cwd=tmp_path, check=False, capture_output=True, stdin=stream)
        return [summed.returncode == 0, signed.returncode == 0]

    first = sign(checksum, tmp_path / "release").read_bytes()
    assert verified() == [True, True]
    assert sign(checksum, tmp_path / "release").read_bytes() == first, "a signature is the same when it is made again"
    archive.write_bytes(archive.read_bytes() + b"\0")
    assert verified() == [False, True]
    write_checksum(archive)
    assert verified() == [True, False]
    sign(checksum, tmp_path / "stranger")
    assert verified() == [True, False]
    with pytest.raises(subprocess.CalledProcessError):
        sign(checksum, tmp_path / "nobody")
