"""Shared by the kit's tests: keys, an application that takes signed calls, and a clock that stands still."""

from __future__ import annotations

import secrets

import pytest

from aquila.crypto.keys import IdentityKey
from tests.support.clock import Clock


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until it is set."""
    return Clock()


@pytest.fixture
def key() -> IdentityKey:
    """A party's identity key."""
    return IdentityKey.generate(secrets.token_bytes)
