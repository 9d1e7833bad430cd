"""Folders that take long to make: the test processes of one run share them, and the first that needs one makes it."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def made_once(factory: pytest.TempPathFactory, name: str) -> Iterator[tuple[Path, bool]]:
    """Lend a folder of this run, and tell whether it is empty and has to be filled within the `with`.

    Others wait meanwhile; if it fails, the next one begins anew. Nobody changes the folder later.
    """
    own = factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder = shared / "made-once" / name
    folder.parent.mkdir(exist_ok=True)
    with folder.with_name(f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            yield folder, False
            return
        folder.mkdir()
        try:
            yield folder, True
        except BaseException:
            shutil.rmtree(folder)
            raise
