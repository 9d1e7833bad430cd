"""The world of a matcher and three nodes, on a fresh database."""

from __future__ import annotations

from tests.support.node_world import clock, world

__all__ = ["clock", "world"]
