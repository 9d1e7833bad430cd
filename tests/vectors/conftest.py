"""What the vector tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aquila.crypto.backend import BACKENDS, load_group
from aquila.errors import InputError

if TYPE_CHECKING:
    from aquila.crypto.group import Group


@pytest.fixture(scope="session", params=BACKENDS)
def group(request: pytest.FixtureRequest) -> Group:
    """Each backend of this machine, on all cores."""
    try:
        return load_group(backend=request.param)
    except InputError as absent:
        pytest.skip(str(absent))
