"""Worlds whose logs are audited."""

from tests.support.node_world import clock, codes, world
from tests.support.played_worlds import played_worlds, world_after

__all__ = ["clock", "codes", "played_worlds", "world", "world_after"]
