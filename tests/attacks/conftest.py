"""The worlds that are attacked: a matcher and its nodes, and a node and a matcher with their pages in one process."""

from tests.support.log_lines import lines
from tests.support.node_world import clock, codes, world
from tests.support.played_worlds import played_worlds, world_after
from tests.support.web_world import homes, matcher, node

__all__ = ["clock", "codes", "homes", "lines", "matcher", "node", "played_worlds", "world", "world_after"]
