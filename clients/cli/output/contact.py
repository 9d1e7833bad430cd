"""Warnings that what a node shows may be old or stuck: it does not reach the matcher, or its clock is wrong."""

from __future__ import annotations

from collections.abc import Iterator

from aquila.interface.rounds import NodeStatus
from clients.cli.connect import ConnectedService
from clients.cli.output.screen import Screen
from clients.sdk import NodeClient
from services.kit.http.signatures import WINDOW_SECONDS

_CLOCK_SECONDS = 60


def warn_of_contact(reached: ConnectedService, screen: Screen) -> None:
    """Warn on stderr of obstacles between a node and its rounds; for a matcher there are none to report."""
    if isinstance(reached.client, NodeClient):
        for sentence in contact_warnings(reached.client.status()):
            screen.warn(sentence)


def warn_of_declared(reached: ConnectedService, screen: Screen, round_id: str) -> None:
    """Warn on stderr of parties that declare far more for a round than for the last one; a matcher compares none."""
    if isinstance(reached.client, NodeClient):
        for warning in reached.client.safeguards(round_id).warnings:
            screen.warn(warning.text)


def contact_warnings(status: NodeStatus) -> Iterator[str]:
    """Yield the faults between a node and the matcher, in sentences."""
    if not status.matcher_reachable:
        yield f"the node does not reach the matcher at {status.matcher_url}; what is shown here may be old"
    if status.clock_difference is not None and abs(status.clock_difference) >= _CLOCK_SECONDS:
        way = "behind" if status.clock_difference > 0 else "ahead of"
        yield (
            f"the node's clock is {abs(status.clock_difference)} s {way} the matcher's, which refuses all calls from "
            f"{WINDOW_SECONDS} s on; set the clock"
        )
    if status.obstacle:
        yield f"the node signs and sends nothing now: {status.obstacle}"
    if status.notifications_failing_since is not None:
        yield "notifications are not handed over to people; the page of an account has the reason"
