"""What the tests of the protocol share: a group, and a stage to play on."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from aquila.crypto.backend import load_group
from tests.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aquila.crypto.group import Group


@pytest.fixture(scope="session")
def group() -> Group:
    """The backend of this machine, on one thread: batches here are too small to share."""
    return load_group(1)


@pytest.fixture
def staged(group: Group, tmp_path: Path) -> Callable[..., Stage]:
    """Make a stage with other terms than usual."""
    return partial(Stage, group, tmp_path)


@pytest.fixture
def stage(staged: Callable[..., Stage]) -> Stage:
    """A proposed round of AL, RS and SI."""
    return staged()
