"""What the tests of the rehearsal share: a group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aquila.crypto.backend import load_group

if TYPE_CHECKING:
    from aquila.crypto.group import Group


@pytest.fixture(scope="session")
def group() -> Group:
    """The backend of this machine, on one thread: batches here are too small to share."""
    return load_group(1)
