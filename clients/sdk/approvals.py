"""The client of four eyes: what waits for a second person, and the decision. The same at a node and at the matcher."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from aquila.interface.approval import ApprovalEntry, Approvals, ApprovalView, Approve, Refuse

if TYPE_CHECKING:
    from aquila.protocol.messages import Message
    from clients.sdk.connection import Connection

_APPROVALS = "/v1/approvals"


class ApprovalClient:
    """Dual control at a service. Every method raises the error in the service's problem document."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def approvals(self, round_id: str | None = None, *, waiting: bool = False) -> Approvals:
        """Return the requests; those that wait first, then the newest.

        Args:
            round_id: Only those about this round.
            waiting: Only those that are not decided, expired ones among them.
        """
        asked = {"round_id": round_id} if round_id else {}
        return self._connection.fetch(
            Approvals, "GET", _APPROVALS, params=asked | ({"waiting": "true"} if waiting else {})
        )

    def show(self, approval_id: str) -> ApprovalView:
        """Return a request with everything that will take effect."""
        return self._connection.fetch(ApprovalView, "GET", _path(approval_id))

    def approve(self, approval_id: str, digest: str) -> ApprovalEntry:
        """Approve exactly the content of a digest: that of the view which the person has read."""
        return self._decide(approval_id, "/approve", Approve(digest=digest))

    def refuse(self, approval_id: str, reason: str) -> ApprovalEntry:
        """Refuse a request, with a reason."""
        return self._decide(approval_id, "/refuse", Refuse(reason=reason))

    def withdraw(self, approval_id: str) -> ApprovalEntry:
        """Take back what this person asked for."""
        return self._connection.fetch(ApprovalEntry, "POST", _path(approval_id, "/withdraw"))

    def _decide(self, approval_id: str, rest: str, shown: Message) -> ApprovalEntry:
        body = shown.model_dump(mode="json")
        return self._connection.fetch(ApprovalEntry, "POST", _path(approval_id, rest), json=body)


def _path(approval_id: str, rest: str = "") -> str:
    return f"{_APPROVALS}/{quote(approval_id, safe='')}{rest}"
