"""What the vector tests share."""

import pytest

from aquila.crypto.backend import BACKENDS, load_group
from aquila.crypto.group import Group
from aquila.errors import InputError


@pytest.fixture(scope="session", params=BACKENDS)
def group(request: pytest.FixtureRequest) -> Group:
    """Each backend of this machine, on all cores."""
    try:
        return load_group(backend=request.param)
    except InputError as absent:
        pytest.skip(str(absent))
