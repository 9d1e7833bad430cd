"""Shared by the kit's tests: keys, an application that takes signed calls, and a clock that stands still."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from aquila.crypto.keys import IdentityKey
from services.kit import logging as kit_logging
from tests.support.clock import Clock
from tests.support.log_lines import Lines

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until it is set."""
    return Clock()


@pytest.fixture
def key() -> IdentityKey:
    """A party's identity key."""
    return IdentityKey.generate(secrets.token_bytes)


@pytest.fixture
def lines() -> Iterator[Lines]:
    """The log lines of a test, from level debug on; logging is as before afterwards."""
    import logging  # noqa: PLC0415 - used to restore what the fixture changes

    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.getLogger(kit_logging.ROOT).level
    written = Lines()
    kit_logging.configure("debug", written)  # type: ignore[arg-type]  # has what a stream needs
    yield written
    logging.captureWarnings(capture=False)
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    logging.getLogger(kit_logging.ROOT).setLevel(before[2])
