"""The world of a matcher and its nodes, three unless a module says otherwise, on a fresh database."""

from __future__ import annotations

from tests.support.node_world import clock, codes, world

__all__ = ["clock", "codes", "world"]
