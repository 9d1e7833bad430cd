"""The client of four eyes: what waits for a second person, and the decision. The same at a node and at the matcher."""

from __future__ import annotations

from aquila.interface.approval import ApprovalEntry, Approvals, ApprovalView, Approve, Refuse
from clients.sdk.service_client import ServiceClient, answers


class ApprovalClient(ServiceClient):
    """Dual control at a service."""

    approvals = answers("get_approvals", Approvals)
    show = answers("get_approval", ApprovalView)
    approve = answers("post_approve", ApprovalEntry, Approve)
    refuse = answers("post_refuse", ApprovalEntry, Refuse)
    withdraw = answers("post_withdraw", ApprovalEntry)
