"""Build a bundle, its checksum and the signature over that: `make bundle`. RELEASING.md says how a release is made."""

import argparse
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

from deploy.bundle import manual, sbom, wheels
from deploy.bundle.wheels import Pin, Target, digest, limited, pins

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


REPOSITORY: Final = Path(__file__).parents[2]
COPIED: Final = (
    ".dockerignore",
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
    "RELEASING.md",
    "SECURITY.md",
    "deploy",
    "docs",
    "schemas",
)
"""Files and folders of the project that the bundle has as they are."""
LOCKS: Final = {
    "requirements.txt": "runtime.txt",
    "requirements-dask.txt": "dask.txt",
    "requirements-pkcs11.txt": "pkcs11.txt",
}
"""The bundle's requirements files, and those of the project that they are made from."""


def make(repository: Path, targets: Sequence[Target], out: Path, given: Sequence[Path] = ()) -> Path:
    """Build the bundle of the commit that is checked out; the same commit and tools give the same bytes.

    Args:
        repository: The checkout.
        targets: The machines that it installs on.
        out: The folder for the archive.
        given: Wheels of Aquila that were built elsewhere; none is built for their processors.

    Returns:
        The archive.

    Raises:
        SystemExit: A wheel could not be built or fetched.
    """
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        source = scratch / "source"
        time = wheels.check_out(repository, source)
        version = tomllib.loads((source / "pyproject.toml").read_text("utf-8"))["project"]["version"]
        bundle = scratch / f"{sbom.PROJECT}-{version}"
        held = bundle / "wheels"
        held.mkdir(parents=True)
        own = _own_wheels(source, sorted({one.machine for one in targets}), time, scratch / "own", given)
        wheels.download([source / "requirements" / lock for lock in LOCKS.values()], targets, held)
        present = frozenset(f"sha256:{wheels.digest(wheel)}" for wheel in held.iterdir())
        first = Pin(
            Requirement(f"{sbom.PROJECT}=={version}"), frozenset(f"sha256:{wheels.digest(wheel)}" for wheel in own)
        )
        for file, lock in LOCKS.items():
            kept = limited(pins(source / "requirements" / lock), present)
            (bundle / file).write_text("".join(pin.line() for pin in (first, *kept)), encoding="utf-8")
        for wheel in own:
            shutil.copy(wheel, held)
        (bundle / "sbom.cdx.json").write_text(sbom.document(held.iterdir(), targets, time), encoding="utf-8")
        (bundle / "manual.pdf").write_bytes(manual.pdf(source, version))
        for part in COPIED:
            _copy(source / part, bundle / part)
        out.mkdir(parents=True, exist_ok=True)
        packed = out / f"{bundle.name}-bundle.tar"
        pack(bundle, time, packed)
    return packed


def _own_wheels(source: Path, machines: Sequence[str], time: int, folder: Path, given: Sequence[Path]) -> list[Path]:
    """Return Aquila's wheel for each processor: a given one, or one that is built."""
    folder.mkdir()
    for machine in machines:
        brought = [wheel for wheel in given if wheel.stem.endswith(f"_{machine}")]
        if brought:
            shutil.copy(brought[0], folder)
        else:
            wheels.build(source, machine, time, folder)
    return sorted(folder.iterdir())


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("bundle"))
    else:
        shutil.copy(source, target)


def main() -> None:
    """Build a bundle as the command line asks for it, and write its checksum and its signature."""
    asked = argparse.ArgumentParser(prog="make bundle", description=__doc__)
    asked.add_argument("--out", type=Path, default=Path("dist"), help="folder for the files")
    asked.add_argument("--python", nargs="+", required=True, help="versions of CPython, such as 3.13")
    asked.add_argument("--machine", nargs="+", required=True, help="processors: x86_64, aarch64")
    asked.add_argument("--wheel", nargs="*", type=Path, default=[], help="wheels of Aquila that were built elsewhere")
    asked.add_argument("--key", type=Path, help="Ed25519 key of OpenSSH to sign with")
    options = asked.parse_args()
    targets = [Target(python, machine) for python in options.python for machine in options.machine]
    packed = make(REPOSITORY, targets, options.out, options.wheel)
    written = [packed, checksum := write_checksum(packed)]
    if options.key:
        written.append(sign(checksum, options.key))
    sys.stdout.writelines(f"{file}\n" for file in written)
    if not options.key:
        sys.stdout.write("not signed: name the key of the release maker, make bundle KEY=FILE\n")


if __name__ == "__main__":
    main()
