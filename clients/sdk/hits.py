"""The analysts' client of a node: hits, what is done with them, letters, withdrawals."""

from __future__ import annotations

from collections.abc import Iterable

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
    HitFilter,
    HitKey,
    HitPage,
    HitSearch,
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
from clients.sdk.service_client import ServiceClient, acts, answers


def hit_keys(places: Iterable[tuple[str, str]]) -> tuple[HitKey, ...]:
    """Return the keys of hits from their rounds and ids."""
    return tuple(HitKey(round_id=round_id, hit_id=hit_id) for round_id, hit_id in places)


class HitsClient(ServiceClient):
    """A node's hits. One hit is named by its round and its id; `letter` is logged as an export, `letter_draft` is not.

    `erase_record` refuses a record with hits, whose erasure is asked for (`ask_erasure`).
    """

    page = answers("get_hits", HitPage, HitFilter)
    search = answers("search_hits", HitPage, HitSearch)
    export = answers("export_hits", HitExport, HitSearch)
    decide_many = answers("decide_many", ManyDecisions, ManyDecisionsRequest)
    close_many = answers("close_many", ManyClosings, ManyClosingsRequest)
    colleagues = answers("get_colleagues", Colleagues)
    assign = acts("assign", AssignmentRequest)
    undo = answers("undo", UndoResult, UndoRequest)
    show = answers("get_hit", HitView)
    acknowledge = acts("acknowledge_hit")
    remark = acts("remark", RemarkRequest)
    decide = acts("decide", DecisionRequest)
    follow_up = acts("open_follow_up", FollowUpRequest)
    reference = acts("record_reference", ReferenceRequest)
    record_reply = acts("record_reply", ReplyRequest)
    permit = acts("permit", PermissionRequest)
    close = acts("close_hit", CloseRequest)
    reopen = acts("reopen_hit", ReopenRequest)
    withdraw = acts("withdraw_hit", WithdrawRequest)
    letter_draft = answers("read_letter", LetterView)
    letter = answers("write_letter", LetterView)
    views = answers("get_views", SavedFilters)
    save_view = answers("post_view", SavedFilterView, NewFilter)
    remove_view = acts("delete_view")
    erase_record = answers("erase_record", ErasureReport, ErasureRequest)
    ask_erasure = answers("ask_erasure", PendingApproval, ErasureProposal)
    erasure_requests = answers("get_erasure_requests", OwnErasureRequests)
    withdraw_erasure = answers("withdraw_erasure", ApprovalEntry)
