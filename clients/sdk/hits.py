"""The analysts' client of a node: hits, what is done with them, letters, withdrawals."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from aquila.interface.approval import ApprovalEntry, OwnErasureRequests, PendingApproval
from aquila.interface.hits import (
    AssignmentRequest,
    CloseRequest,
    Colleagues,
    DecisionRequest,
    ErasureProposal,
    ErasureReport,
    ErasureRequest,
    FollowUpRequest,
    HitExport,
    HitKey,
    HitPage,
    HitView,
    LetterView,
    ManyClosings,
    ManyClosingsRequest,
    ManyDecisions,
    ManyDecisionsRequest,
    NewFilter,
    PermissionRequest,
    ReferenceRequest,
    RemarkRequest,
    ReopenRequest,
    ReplyRequest,
    SavedFilters,
    SavedFilterView,
    UndoRequest,
    UndoResult,
    WithdrawRequest,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from aquila.followup.lifecycle import Channel, Decision, Ground, HitOutcome, Urgency
    from aquila.interface.hits import HitFilter, HitSearch, SavedFilter
    from aquila.protocol.messages import Message
    from clients.sdk.connection import Connection

_VIEWS = "/v1/hit-views"
_ERASURES = "/v1/erasure-requests"


class HitsClient:
    """A node's hits. Every method raises the error in the node's problem document."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def page(self, wanted: HitFilter) -> HitPage:
        """Return a page of the hits that a filter leaves, of all rounds."""
        query = wanted.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        return self._connection.fetch(HitPage, "GET", "/v1/hits", params=query)

    def search(self, wanted: HitSearch) -> HitPage:
        """Return a page of the hits that a filter with a name leaves, of all rounds."""
        return self._connection.fetch(HitPage, "POST", "/v1/hits/search", json=_body(wanted))

    def export(self, wanted: HitSearch) -> HitExport:
        """Return all hits that a filter leaves, with what was decided; that they were exported is logged."""
        return self._connection.fetch(HitExport, "POST", "/v1/hits/export", json=_body(wanted))

    def decide_chosen(self, hits: Iterable[tuple[str, str]], decision: Decision, remark: str = "") -> ManyDecisions:
        """Decide on several hits, by round and id, with one reason."""
        keys = tuple(HitKey(round_id=round_id, hit_id=hit_id) for round_id, hit_id in hits)
        wanted = ManyDecisionsRequest(hits=keys, decision=decision, remark=remark)
        return self._connection.fetch(ManyDecisions, "POST", "/v1/hits/decisions", json=_body(wanted))

    def decide_every(self, every: HitSearch, total: int, decision: Decision, remark: str) -> ManyDecisions:
        """Decide on all hits that a filter leaves and that have no decision.

        Args:
            every: The filter.
            total: How many hits it left when the person saw it.
            decision: Of all of them.
            remark: The reason for all of them.
        """
        wanted = ManyDecisionsRequest(every=every, total=total, decision=decision, remark=remark)
        return self._connection.fetch(ManyDecisions, "POST", "/v1/hits/decisions", json=_body(wanted))

    def close_chosen(self, hits: Iterable[tuple[str, str]], outcome: HitOutcome, remark: str = "") -> ManyClosings:
        """Close several hits, by round and id, with one outcome and reason."""
        keys = tuple(HitKey(round_id=round_id, hit_id=hit_id) for round_id, hit_id in hits)
        wanted = ManyClosingsRequest(hits=keys, outcome=outcome, remark=remark)
        return self._connection.fetch(ManyClosings, "POST", "/v1/hits/closings", json=_body(wanted))

    def close_every(self, every: HitSearch, total: int, outcome: HitOutcome, remark: str) -> ManyClosings:
        """Close all hits that a filter leaves and that can be closed now; arguments as `decide_every`."""
        wanted = ManyClosingsRequest(every=every, total=total, outcome=outcome, remark=remark)
        return self._connection.fetch(ManyClosings, "POST", "/v1/hits/closings", json=_body(wanted))

    def colleagues(self) -> Colleagues:
        """Return the people of the node who may look after hits, by name."""
        return self._connection.fetch(Colleagues, "GET", "/v1/hits/colleagues")

    def assign(self, hits: Iterable[tuple[str, str]], person: str | None, remark: str = "") -> None:
        """Let a person look after hits, by round and id; None for nobody."""
        keys = tuple(HitKey(round_id=round_id, hit_id=hit_id) for round_id, hit_id in hits)
        self._post("/v1/hits/assignments", AssignmentRequest(hits=keys, person=person, remark=remark))

    def remark(self, round_id: str, hit_id: str, remark: str) -> None:
        """Add a remark to a hit, which stays at the node."""
        self._post(_hit(round_id, hit_id, "/remarks"), RemarkRequest(remark=remark))

    def undo(self, number: int) -> UndoResult:
        """Undo an own decision on the hits of which it is the last step."""
        return self._connection.fetch(UndoResult, "POST", "/v1/hits/undo", json=_body(UndoRequest(number=number)))

    def show(self, round_id: str, hit_id: str) -> HitView:
        """Return one hit with its history."""
        return self._connection.fetch(HitView, "GET", _hit(round_id, hit_id))

    def acknowledge(self, round_id: str, hit_id: str) -> None:
        """Take a hit up."""
        self._connection.call("POST", _hit(round_id, hit_id, "/acknowledge"))

    def decide(self, round_id: str, hit_id: str, decision: Decision, remark: str = "") -> None:
        """Decide whether it is the same person."""
        self._post(_hit(round_id, hit_id, "/decision"), DecisionRequest(decision=decision, remark=remark))

    def follow_up(  # noqa: PLR0913 - what a follow-up is made of
        self, round_id: str, hit_id: str, channel: Channel, urgency: Urgency, *, reference: str = "", remark: str = ""
    ) -> None:
        """Open a follow-up by an existing channel."""
        wanted = FollowUpRequest(channel=channel, urgency=urgency, reference=reference, remark=remark)
        self._post(_hit(round_id, hit_id, "/follow-up"), wanted)

    def reference(self, round_id: str, hit_id: str, reference: str) -> None:
        """Note the channel's own number."""
        self._post(_hit(round_id, hit_id, "/reference"), ReferenceRequest(reference=reference))

    def record_reply(self, round_id: str, hit_id: str, on: date, number: str = "", remark: str = "") -> None:
        """Record date and number of the counterpart's reply to a follow-up."""
        self._post(_hit(round_id, hit_id, "/reply"), ReplyRequest(date=on, number=number, remark=remark))

    def permit(self, round_id: str, hit_id: str, reference: str, remark: str = "") -> None:
        """Record the originator's permission to export."""
        self._post(_hit(round_id, hit_id, "/permission"), PermissionRequest(reference=reference, remark=remark))

    def close(self, round_id: str, hit_id: str, outcome: HitOutcome, remark: str = "") -> None:
        """Close a hit with what came of it."""
        self._post(_hit(round_id, hit_id, "/outcome"), CloseRequest(outcome=outcome, remark=remark))

    def reopen(self, round_id: str, hit_id: str, reason: str) -> None:
        """Reopen a closed hit, with a reason that stays at the node."""
        self._post(_hit(round_id, hit_id, "/reopening"), ReopenRequest(reason=reason))

    def withdraw(self, round_id: str, hit_id: str, ground: Ground, reason: str = "") -> None:
        """Withdraw a hit on an own record; the counterpart is informed."""
        self._post(_hit(round_id, hit_id, "/withdrawal"), WithdrawRequest(ground=ground, reason=reason))

    def letter_draft(self, round_id: str, hit_id: str) -> LetterView:
        """Return the request as it would be exported now; that the hit was looked at is logged."""
        return self._connection.fetch(LetterView, "GET", _hit(round_id, hit_id, "/letter"))

    def letter(self, round_id: str, hit_id: str) -> LetterView:
        """Return the request of a follow-up; that it was exported is logged."""
        return self._connection.fetch(LetterView, "POST", _hit(round_id, hit_id, "/letter"))

    def views(self) -> SavedFilters:
        """Return the views that this person keeps, by name."""
        return self._connection.fetch(SavedFilters, "GET", _VIEWS)

    def save_view(self, name: str, shows: SavedFilter) -> SavedFilterView:
        """Keep a view under a name, in place of an own one of that name."""
        body = NewFilter(name=name, shows=shows).model_dump(mode="json")
        return self._connection.fetch(SavedFilterView, "POST", _VIEWS, json=body)

    def remove_view(self, view_id: str) -> None:
        """Remove an own view."""
        self._connection.call("DELETE", f"{_VIEWS}/{quote(view_id, safe='')}")

    def erase_record(self, record_id: str) -> ErasureReport:
        """Erase a record without hits everywhere at the node.

        Raises:
            PolicyError: It has hits: then `ask_erasure` (`record_has_hits`).
        """
        body = ErasureRequest(record_id=record_id).model_dump(mode="json")
        return self._connection.fetch(ErasureReport, "POST", "/v1/erasures", json=body)

    def ask_erasure(self, record_id: str, reason: str) -> PendingApproval:
        """Ask for the erasure of a record with its hits, which a second person approves."""
        body = ErasureProposal(record_id=record_id, reason=reason).model_dump(mode="json")
        return self._connection.fetch(PendingApproval, "POST", "/v1/erasure-requests", json=body)

    def erasure_requests(self) -> OwnErasureRequests:
        """Return the erasures that this person asked for: those that wait first, then the newest."""
        return self._connection.fetch(OwnErasureRequests, "GET", _ERASURES)

    def withdraw_erasure(self, approval_id: str) -> ApprovalEntry:
        """Take back an own request for an erasure that waits."""
        return self._connection.fetch(ApprovalEntry, "POST", f"{_ERASURES}/{quote(approval_id, safe='')}/withdraw")

    def _post(self, path: str, wanted: Message) -> None:
        self._connection.call("POST", path, json=_body(wanted))


def _body(wanted: Message) -> dict[str, object]:
    return wanted.model_dump(mode="json")


def _hit(round_id: str, hit_id: str, rest: str = "") -> str:
    return f"/v1/rounds/{quote(round_id, safe='')}/hits/{quote(hit_id, safe='')}{rest}"
