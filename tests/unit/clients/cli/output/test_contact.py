"""What a node shows may be old: the command says so."""

from typing import Any

from aquila.interface.rounds import NodeStatus
from clients.cli.output.round_views import contact_warnings


def warnings(**changes: Any) -> list[str]:
    status = {
        "party": "SI",
        "version": "1",
        "identity_fingerprint": "a" * 64,
        "matcher_url": "https://m.example",
        "matcher_reachable": True,
        "clock_difference": 2,
        "log_alarm": "",
        "obstacle": "",
        "group": "ifma",
    }
    return list(contact_warnings(NodeStatus(**(status | changes))))


def test_nothing_is_said_of_a_node_that_is_well() -> None:
    assert warnings() == warnings(clock_difference=None) == []


def test_what_is_wrong_is_said() -> None:
    """A matcher that does not answer, a clock that is off either way, and what keeps the node from signing."""
    [away] = warnings(matcher_reachable=False)
    assert "does not reach the matcher at https://m.example" in away
    [behind], [ahead] = warnings(clock_difference=400), warnings(clock_difference=-400)
    assert "400 s behind" in behind
    assert "400 s ahead of" in ahead
    [stopped] = warnings(obstacle="the log of the matcher forked")
    assert stopped.endswith("the log of the matcher forked")
    [untold] = warnings(notifications_failing_since=1)
    assert untold.startswith("notifications are not handed over")
