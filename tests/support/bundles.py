"""A bundle for tests: of this commit, for this machine's Python and for that of Debian 13."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

from deploy.bundle import main
from deploy.bundle.lock import Target

CHECKOUT = Path(__file__).parents[2]
MACHINE = platform.machine()
DEBIAN = "trixie"
"""The release of Debian that images are based on in tests."""
PYTHONS = sorted({f"{sys.version_info.major}.{sys.version_info.minor}", "3.13"})


def make_bundle(out: Path) -> Path:
    """Build it, and return the archive."""
    return main.make(CHECKOUT, [Target(python, MACHINE) for python in PYTHONS], out)
