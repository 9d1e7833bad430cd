"""The archive of a bundle, its checksum, and the signature over that."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path
from typing import Final

from deploy.bundle.wheels import digest

NAMESPACE: Final = "aquila-release"
"""What a signature is for: one that was made for anything else does not verify."""


def pack(folder: Path, time: int, archive: Path) -> None:
    """Write an archive of a folder's files; the same files give the same bytes, wherever and whenever.

    Members are sorted, belong to nobody, and have one time. Nothing is compressed: wheels are already.

    Args:
        folder: Its name is the archive's one top folder.
        time: The time of each member, in seconds since 1970.
        archive: The file to write.
    """
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                member = tarfile.TarInfo(path.relative_to(folder.parent).as_posix())
                member.size, member.mtime = path.stat().st_size, time
                member.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
                with path.open("rb") as stream:
                    packed.addfile(member, stream)


def write_checksum(archive: Path) -> Path:
    """Write the archive's SHA-256 digest next to it, as `sha256sum --check` reads it, and return that file."""
    checksum = archive.with_name(f"{archive.name}.sha256")
    checksum.write_text(f"{digest(archive)}  {archive.name}\n", encoding="ascii")
    return checksum


def sign(checksum: Path, key: Path) -> Path:
    """Sign a file by ssh-keygen with an Ed25519 key, and return the file with the signature.

    Args:
        checksum: The file to sign.
        key: The private key, or the public one if an agent or a token holds the private one.

    Raises:
        subprocess.CalledProcessError: The key cannot be used; ssh-keygen has said why.
    """
    signature = checksum.with_name(f"{checksum.name}.sig")
    signature.unlink(missing_ok=True)
    subprocess.run(["ssh-keygen", "-Y", "sign", "-q", "-n", NAMESPACE, "-f", str(key), str(checksum)], check=True)
    return signature
