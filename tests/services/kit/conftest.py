"""Shared by the kit's tests: a key, a clock that stands still, and a package of migrations."""

import secrets
import sys
from pathlib import Path

import pytest

from aquila.crypto.keys import IdentityKey
from tests.support.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def key() -> IdentityKey:
    return IdentityKey.generate(secrets.token_bytes)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"service_{tmp_path.name}".replace("-", "_")
    folder = tmp_path / "code" / name / "migrations"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path / "code")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return name
