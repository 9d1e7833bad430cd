"""The world of a matcher and its nodes, three unless a module says otherwise, on a fresh database; log lines."""

from tests.support.log_lines import lines
from tests.support.node_world import clock, codes, world
from tests.support.played_worlds import played_worlds, world_after

__all__ = ["clock", "codes", "lines", "played_worlds", "world", "world_after"]
