"""The head that `aquila audit status` shows, for people who compare it by telephone."""

from __future__ import annotations

from aquila.audit.checkpoint import Checkpoint
from clients.cli.offline.audit_bundles import _head

ROOT = bytes(range(32))


def test_the_head_is_that_of_the_signed_note() -> None:
    """Its first 80 bits, in groups; nothing while the log is empty."""
    note = f"{Checkpoint('aquila/matcher', 7, ROOT).text()}\n— aquila/matcher AAAA\n"
    assert _head(note) == ", head 0001 0203 0405 0607 0809"
    assert _head("") == ""
