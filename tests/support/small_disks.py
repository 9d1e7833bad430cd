"""Disks that are small enough to fill: file systems in memory, which only root may mount."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

_PIECE_BYTES = 1 << 20


@contextlib.contextmanager
def mounted(folder: Path, size: str) -> Iterator[bool]:
    """Put a small file system on a folder until the end of the block, and give whether that is possible."""
    words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    is_mounted = subprocess.run(words, check=False, capture_output=True).returncode == 0
    try:
        yield is_mounted
    finally:
        if is_mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607 - as `mount` above


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """Make a folder with a small file system on it until the block ends; skip the test where none can be mounted."""
    folder.mkdir()
    with mounted(folder, size) as is_mounted:
        if not is_mounted:
            pytest.skip("only root may mount a small file system")
        yield folder


def fill(path: Path) -> None:
    """Write to a file for as long as there is room; what was written stays."""
    with path.open("wb", buffering=0) as file:
        while file.write(bytes(_PIECE_BYTES)):
            pass
