"""Bundles for tests: of this commit, for this machine's Python and that of Debian 13; how they are installed.

They are for both processors where the compiler for the other one is there.
"""

import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import aquila
from deploy.bundle import main
from deploy.bundle.wheels import Target
from tests.support import manual

CHECKOUT = Path(__file__).parents[2]
MACHINE = platform.machine()
OTHER = "x86_64" if MACHINE == "aarch64" else "aarch64"
"""The processor that a bundle is for besides that of this machine."""
CROSS_COMPILER = f"gcc-{OTHER.replace('_', '-')}-linux-gnu"
"""Debian's package of the compiler for it; there is none of this name on other machines."""
MACHINES = [MACHINE, *([OTHER] if shutil.which(f"{OTHER}-linux-gnu-gcc") else [])]
DEBIAN = "trixie"
"""The release of Debian that images are based on in tests."""
PYTHONS = sorted({f"{sys.version_info.major}.{sys.version_info.minor}", "3.13"})


def make_bundle(out: Path) -> Path:
    """Build it, and return the archive."""
    return main.make(CHECKOUT, [Target(python, machine) for python in PYTHONS for machine in MACHINES], out)


def make_next_bundle(folder: Path, version: str, *pythons: str) -> Path:
    """Build the bundle of a release with another number that has today's code, and return the archive.

    Its services find the schema of their database to be of an earlier release, and bring it up to date; its units end
    with a comment that has its number.
    """
    clone = folder / "next"
    _run("git", "clone", "--quiet", str(CHECKOUT), str(clone))
    for file in ("pyproject.toml", "aquila/__init__.py"):
        text = (clone / file).read_text("utf-8")
        changed = text.replace(f'version = "{aquila.__version__}"', f'version = "{version}"').replace(
            f'__version__ = "{aquila.__version__}"', f'__version__ = "{version}"'
        )
        assert changed != text, file
        (clone / file).write_text(changed, encoding="utf-8")
    for kind in ("matcher", "node"):
        _add_migration(clone / "services" / kind / "storage/migrations")
    for unit in (clone / "deploy/systemd").glob("*.service"):
        with unit.open("a", encoding="utf-8") as stream:
            stream.write(f"# {version}\n")
    maker = ("-c", "user.name=release", "-c", "user.email=release@localhost")
    _run("git", "add", "--all", cwd=clone)
    _run("git", *maker, "commit", "--quiet", "--message", f"project: release {version}", cwd=clone)
    this = f"{sys.version_info.major}.{sys.version_info.minor}"
    return main.make(clone, [Target(python, MACHINE) for python in pythons or (this,)], folder)


def _add_migration(folder: Path) -> None:
    """Add a revision that changes nothing to the migrations of a service."""
    number = max(int(path.name[:4]) for path in folder.glob("[0-9]*.py"))
    revision = f"revision = '{number + 1:04}'\ndown_revision = '{number:04}'\n"
    function = "\n\ndef upgrade() -> None:\n    pass\n\n\ndowngrade = upgrade\n"
    (folder / f"{number + 1:04}_next_release.py").write_text(revision + function, encoding="utf-8")


def bring_signed(bundle: Path, folder: Path) -> None:
    """Bring a bundle to a machine with its checksum, signed by a release key, and with the public half of that key."""
    for file in (bundle, checksum := main.write_checksum(bundle)):
        shutil.copy(file, folder)
    key = folder / "release"
    if not key.exists():
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    main.sign(folder / checksum.name, key)
    signer = f'aquila namespaces="{main.NAMESPACE}" {key.with_suffix(".pub").read_text()}'
    (folder / "release.signers").write_text(signer)


def install_commands(folder: Path, version: str = aquila.__version__) -> list[str]:
    """Return the commands that install and upgrade a release, with folders within that of a test.

    Returns:
        Three blocks: how a release is verified, how it is installed, and how it takes the place of another.
    """
    blocks = manual.blocks("Installing without a network") + manual.blocks("Upgrades")
    assert len(blocks) == 3
    here = [("X.Y.Z", version), ("/opt/aquila", f"{folder}/opt"), ("python3 -m venv", f"{sys.executable} -m venv")]
    for documented, other in here:
        blocks = [block.replace(documented, other) for block in blocks]
    return blocks


NEEDED = tuple(
    pytest.mark.skipif(shutil.which(program) is None, reason=f"Debian's {package} is not installed")
    for program, package in {
        "gcc": "gcc",
        "ssh-keygen": "openssh-client",
        "unshare": "util-linux",
        "ip": "iproute2",
    }.items()
)
"""The marks of tests that build a bundle and install it."""


def _run(*words: str, cwd: Path | None = None) -> None:
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL, cwd=cwd)
