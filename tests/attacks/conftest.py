"""A node and a matcher with their pages in one process, for those who attack what stands before the protocol."""

from tests.support.web_world import homes, matcher, node

__all__ = ["homes", "matcher", "node"]
