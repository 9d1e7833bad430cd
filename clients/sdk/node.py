"""The operator's client of a node: records in, consent, submissions, hits; and that of the party's own records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, BinaryIO

from aquila.interface.approval import PendingApproval
from aquila.interface.attention import AttentionList
from aquila.interface.records import (
    CorrectionReport,
    Deliveries,
    DuplicateRecords,
    Findings,
    Imports,
    LayoutView,
    ListDifference,
    ReadingProgress,
    RecordCorrection,
    RecordPage,
    RecordReport,
    RecordSearch,
    RecordView,
)
from aquila.interface.rounds import (
    AbortReason,
    ConsentRequest,
    Hits,
    NodeRoundView,
    NodeStatus,
    RoundPage,
    SubmissionRequest,
)
from aquila.interface.safeguard import RefusedAnswer, Safeguards
from aquila.interface.service.health import ServiceHealth
from aquila.interface.service.party import AcceptedRegistry, FileContent, RegistryView
from aquila.records.reading.layouts import RECOGNIZED, Layout
from clients.sdk.connection import LIST_TIMEOUT
from clients.sdk.service_client import ServiceClient, acts, answers, reads


@dataclass(frozen=True, slots=True)
class DeliveredList:
    """A list file that was delivered to the node's folder, by its id there."""

    delivery_id: str


class NodeClient(ServiceClient):
    """A node's operator interface. What a consent and a submission ask for waits for a second person.

    `names_checked` says that the author has confirmed that the texts name nobody of the party's own lists.
    """

    status = answers("get_status", NodeStatus)
    health = answers("get_service_health", ServiceHealth)
    needs = answers("get_needs", AttentionList)
    registry = answers("get_registry", RegistryView)
    fetch_registry = answers("post_fetch", RegistryView)
    take_registry = answers("post_statements", RegistryView, FileContent)
    registry_file = answers("get_statements", FileContent)
    accept_registry = answers("post_accept", PendingApproval, AcceptedRegistry)
    reading_progress = answers("get_reading_progress", ReadingProgress)
    stored_findings = answers("get_stored_findings", Findings)
    stored_findings_file = reads("get_stored_findings_file")
    deliveries = answers("get_deliveries", Deliveries)
    remove_delivery = acts("delete_delivery")
    safeguards = answers("get_safeguards", Safeguards)
    release = acts("release")
    refuse_answer = acts("refuse", RefusedAnswer)
    imports = answers("get_imports", Imports)
    duplicates = answers("get_duplicates", DuplicateRecords)
    delete_import = acts("delete_import")
    rounds = answers("get_rounds", RoundPage)
    round = answers("get_round", NodeRoundView)
    consent = answers("ask_consent", PendingApproval, ConsentRequest)
    submit = answers("ask_submission", PendingApproval, SubmissionRequest)
    hits = answers("get_round_hits", Hits)
    close = acts("close_round")
    abort = acts("abort_round", AbortReason)

    def check(
        self, source: BinaryIO | DeliveredList, layout: Layout = RECOGNIZED, rules: str = "default", *, key: str = ""
    ) -> RecordReport:
        """Have the node read a list and return its findings; nothing is stored. Its progress is shown under a key."""
        sent = _list(source, {**_layout_query(layout), "rules": rules, **({"progress": key} if key else {})})
        return self._connection.fetch(RecordReport, "POST", "/v1/records/check", **sent)

    def recognize(self, source: BinaryIO | DeliveredList, layout: Layout = RECOGNIZED) -> LayoutView:
        """Have the node recognize how a list is to be read; nothing is stored."""
        sent = _list(source, _layout_query(layout))
        return self._connection.fetch(LayoutView, "POST", "/v1/records/recognize", **sent)

    def findings(self, source: BinaryIO | DeliveredList, layout: Layout = RECOGNIZED) -> bytes:
        """Let the node read a list and return all that is wrong with it as CSV, in UTF-8; nothing is stored."""
        return self._connection.call("POST", "/v1/records/findings", **_list(source, _layout_query(layout)))

    def import_list(
        self,
        source: BinaryIO | DeliveredList,
        name: str,
        layout: Layout = RECOGNIZED,
        *,
        accept_refused: bool = False,
        key: str = "",
    ) -> RecordReport:
        """Store a list in the node; one that was delivered leaves its folder. Its progress is shown under a key.

        Raises:
            InputError: A row cannot be used and `accept_refused` is False; nothing is stored.
        """
        query = {"name": name, **_layout_query(layout), "accept_refused": "true" if accept_refused else "false"}
        query |= {"progress": key} if key else {}
        return self._connection.fetch(RecordReport, "POST", "/v1/imports", **_list(source, query))


class RecordsClient(ServiceClient):
    """A party's own records. What is looked for is in no address."""

    search = answers("search_records", RecordPage, RecordSearch)
    browse = answers("get_records", RecordPage)
    difference = answers("get_difference", ListDifference)
    show = answers("get_record", RecordView)
    check_correction = answers("check_correction", CorrectionReport, RecordCorrection)
    correct = answers("put_record", CorrectionReport, RecordCorrection)
    take_out = acts("delete_record")


def _list(source: BinaryIO | DeliveredList, query: dict[str, str]) -> dict[str, Any]:
    """Return the query and body of a call about a list."""
    if isinstance(source, DeliveredList):
        return {"params": {**query, "delivery": source.delivery_id}, "timeout": LIST_TIMEOUT}
    return {"params": query, "content": source, "timeout": LIST_TIMEOUT}


def _layout_query(layout: Layout) -> dict[str, str]:
    """Return the query of a call that names a layout; what it leaves open is not in it."""
    columns = None if layout.columns is None else ",".join(name or "" for name in layout.columns)
    given = {"format": layout.format, "encoding": layout.encoding, "sheet": layout.sheet, "columns": columns}
    return {name: str(value) for name, value in given.items() if value is not None}
