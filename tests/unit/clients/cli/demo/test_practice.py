"""Folders of practices that were killed are deleted by the next one; no other folder is."""

import fcntl
import tempfile
from pathlib import Path

import pytest

from clients.cli.demo import practice
from clients.local_services.processes import MARKER


def test_only_left_folders_are_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    names = ("aquila-practice-left", "aquila-practice-runs", "other")
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / MARKER).touch()
    (tmp_path / "aquila-practice-link").symlink_to(tmp_path / "other")
    with (tmp_path / "aquila-practice-runs" / MARKER).open("rb") as marker:
        fcntl.flock(marker, fcntl.LOCK_EX)
        practice.remove_leftovers()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["aquila-practice-link", "aquila-practice-runs", "other"]
    assert (tmp_path / "other" / MARKER).exists()
