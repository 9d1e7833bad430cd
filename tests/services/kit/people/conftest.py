"""The people of a node on a fresh database."""

from __future__ import annotations

from tests.support.accounts import clock, member, people

__all__ = ["clock", "member", "people"]
