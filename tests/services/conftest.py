"""The world of a matcher and its nodes, three unless a module says otherwise; log lines; a token with keys; locks."""

from tests.support.lock_order import records_before_writing
from tests.support.log_lines import lines
from tests.support.node_world import clock, codes, world
from tests.support.played_worlds import played_worlds, world_after
from tests.support.soft_tokens import token, token_folder

__all__ = [
    "clock",
    "codes",
    "lines",
    "played_worlds",
    "records_before_writing",
    "token",
    "token_folder",
    "world",
    "world_after",
]
