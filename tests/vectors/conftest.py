"""What the vector tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aquila.crypto.backend import load_group

if TYPE_CHECKING:
    from aquila.crypto.group import Group


@pytest.fixture(scope="session")
def group() -> Group:
    """The backend of this machine, on all cores."""
    return load_group()
