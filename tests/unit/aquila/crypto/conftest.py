"""What the tests of the crypto package share."""

from collections.abc import Callable
from random import Random

import pytest

from aquila.crypto.backend import BACKENDS, load_group
from aquila.crypto.group import Group
from aquila.errors import InputError


@pytest.fixture(scope="session", params=BACKENDS)
def group(request: pytest.FixtureRequest) -> Group:
    """Each backend of this machine, on two threads, so that batches are shared."""
    try:
        return load_group(2, request.param)
    except InputError as absent:
        pytest.skip(str(absent))


@pytest.fixture
def random() -> Callable[[int], bytes]:
    return Random(2026).randbytes
