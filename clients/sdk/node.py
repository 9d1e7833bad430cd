"""The operator's client of a node: records in, consent, submissions, hits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote

from aquila.interface.approval import PendingApproval
from aquila.interface.attention import AttentionList
from aquila.interface.records import (
    Deliveries,
    DuplicateRecords,
    Findings,
    Imports,
    LayoutView,
    ReadingProgress,
    RecordReport,
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
from clients.sdk.connection import LIST_TIMEOUT, confirmed, list_query

if TYPE_CHECKING:
    from clients.sdk.connection import Connection


@dataclass(frozen=True, slots=True)
class DeliveredList:
    """A list file that was delivered to the node's folder, by its id there."""

    delivery_id: str


class NodeClient:
    """A node's operator interface. Every method raises the error in the node's problem document."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def status(self) -> NodeStatus:
        """Return the node's identity, and whether it reaches the matcher."""
        return self._connection.fetch(NodeStatus, "GET", "/v1/status")

    def health(self) -> ServiceHealth:
        """Return the report on the node's health."""
        return self._connection.fetch(ServiceHealth, "GET", "/v1/service/health")

    def needs(self) -> AttentionList:
        """Return rounds that need attention: alarms and duties, the most pressing first."""
        return self._connection.fetch(AttentionList, "GET", "/v1/needs")

    def registry(self) -> RegistryView:
        """Return the registry in force, and a newer one that waits, as the node knows them."""
        return self._connection.fetch(RegistryView, "GET", "/v1/registry")

    def fetch_registry(self) -> RegistryView:
        """Let the node fetch the registry from the matcher, and return it."""
        return self._connection.fetch(RegistryView, "POST", "/v1/registry/fetch")

    def take_registry(self, content: str) -> RegistryView:
        """Give the node statements on the registry that came as a file."""
        body = FileContent(content=content).model_dump(mode="json")
        return self._connection.fetch(RegistryView, "POST", "/v1/registry/statements", json=body)

    def registry_file(self) -> str:
        """Return the statements on the registry that the node knows, as the content of a file."""
        return self._connection.fetch(FileContent, "GET", "/v1/registry/statements").content

    def accept_registry(self, digest: str, spoken: str) -> RegistryView:
        """Accept the newer registry, by the words that another party reads aloud."""
        body = AcceptedRegistry(digest=digest, spoken=spoken).model_dump(mode="json")
        return self._connection.fetch(RegistryView, "POST", "/v1/registry/accept", json=body)

    def check(
        self, source: BinaryIO | DeliveredList, layout: Layout = RECOGNIZED, rules: str = "default", *, key: str = ""
    ) -> RecordReport:
        """Have the node read a list and return its findings; nothing is stored. Its progress is shown under a key."""
        sent = _list(source, {**_layout_query(layout), "rules": rules, **({"progress": key} if key else {})})
        return self._connection.fetch(RecordReport, "POST", "/v1/records/check", **sent)

    def reading_progress(self, key: str) -> ReadingProgress:
        """Return how far the list is that is read now under a key."""
        return self._connection.fetch(ReadingProgress, "GET", f"/v1/records/progress/{quote(key, safe='')}")

    def recognize(self, source: BinaryIO | DeliveredList, layout: Layout = RECOGNIZED) -> LayoutView:
        """Have the node recognize how a list is to be read; nothing is stored."""
        sent = _list(source, _layout_query(layout))
        return self._connection.fetch(LayoutView, "POST", "/v1/records/recognize", **sent)

    def stored_findings(self, import_id: str) -> Findings:
        """Return the first findings about a stored list, and how many there are."""
        return self._connection.fetch(Findings, "GET", f"/v1/imports/{quote(import_id, safe='')}/findings")

    def stored_findings_file(self, import_id: str) -> bytes:
        """Return all findings about a stored list as CSV, in UTF-8."""
        return self._connection.call("GET", f"/v1/imports/{quote(import_id, safe='')}/findings.csv")

    def findings(self, source: BinaryIO | DeliveredList, layout: Layout = RECOGNIZED) -> bytes:
        """Let the node read a list and return all that is wrong with it as CSV, in UTF-8; nothing is stored."""
        return self._connection.call("POST", "/v1/records/findings", **_list(source, _layout_query(layout)))

    def import_list(
        self, source: BinaryIO | DeliveredList, name: str, layout: Layout = RECOGNIZED, *, accept_refused: bool = False,
        key: str = "",
    ) -> RecordReport:  # fmt: skip
        """Store a list in the node; one that was delivered leaves its folder. Its progress is shown under a key.

        Raises:
            InputError: A row cannot be used and `accept_refused` is False; nothing is stored.
        """
        query = {"name": name, **_layout_query(layout), "accept_refused": "true" if accept_refused else "false"}
        query |= {"progress": key} if key else {}
        return self._connection.fetch(RecordReport, "POST", "/v1/imports", **_list(source, query))

    def deliveries(self) -> Deliveries:
        """Return the list files that wait in the node's folder, the newest first."""
        return self._connection.fetch(Deliveries, "GET", "/v1/deliveries")

    def remove_delivery(self, delivered: DeliveredList) -> None:
        """Remove a file from the node's folder without storing it."""
        self._connection.call("DELETE", f"/v1/deliveries/{quote(delivered.delivery_id, safe='')}")

    def safeguards(self, round_id: str) -> Safeguards:
        """Return the safeguards against fishing in a round."""
        return self._connection.fetch(Safeguards, "GET", f"/v1/rounds/{quote(round_id, safe='')}/safeguards")

    def release(self, round_id: str, submission_id: str) -> None:
        """Release the report of a query that an alarm holds back."""
        place = f"/v1/rounds/{quote(round_id, safe='')}/alarms/{quote(submission_id, safe='')}"
        self._connection.call("POST", f"{place}/release")

    def refuse_answer(self, round_id: str, submission_id: str, reason: str) -> None:
        """Refuse the answer to a query that an alarm holds back; the round goes on without it."""
        place = f"/v1/rounds/{quote(round_id, safe='')}/alarms/{quote(submission_id, safe='')}"
        self._connection.call("POST", f"{place}/refuse", json=RefusedAnswer(reason=reason).model_dump(mode="json"))

    def imports(self) -> Imports:
        """Return the stored lists, newest first."""
        return self._connection.fetch(Imports, "GET", "/v1/imports")

    def duplicates(
        self, import_id: str, rules: str = "default", offset: int = 0, limit: int | None = None
    ) -> DuplicateRecords:
        """Return the records of a stored list that are likely the same person, the surest pairs first.

        Args:
            import_id: The list.
            rules: The rule table.
            offset: How many surer pairs are left out.
            limit: At most so many; all that are named if None.
        """
        path = f"/v1/imports/{quote(import_id, safe='')}/duplicates"
        query = {"rules": rules} | list_query(offset, limit)
        return self._connection.fetch(DuplicateRecords, "GET", path, params=query)

    def delete_import(self, import_id: str) -> None:
        """Delete a stored list."""
        self._connection.call("DELETE", f"/v1/imports/{quote(import_id, safe='')}")

    def rounds(self, offset: int = 0, limit: int | None = None, *, ongoing: bool = False) -> RoundPage:
        """Return rounds, newest first.

        Args:
            offset: How many newer ones are left out.
            limit: At most so many; all of them if None.
            ongoing: Only those that are not over.
        """
        query = list_query(offset, limit, ongoing=ongoing)
        return self._connection.fetch(RoundPage, "GET", "/v1/rounds", params=query)

    def round(self, round_id: str) -> NodeRoundView:
        """Return one round as the node sees it."""
        return self._connection.fetch(NodeRoundView, "GET", _round(round_id))

    def consent(self, round_id: str, wanted: ConsentRequest | None = None) -> PendingApproval:
        """Ask for a consent to a round, for a list and queries of this length; it waits for a second person."""
        body = (wanted or ConsentRequest()).model_dump(mode="json")
        return self._connection.fetch(PendingApproval, "POST", _round(round_id, "/consent"), json=body)

    def submit(self, round_id: str, request: SubmissionRequest, *, names_checked: bool = False) -> PendingApproval:
        """Ask for the submission of a stored list or query; it waits for a second person.

        Args:
            round_id: The round.
            request: The submission.
            names_checked: Whether its author has confirmed that the texts name nobody of the party's own lists.
        """
        body, query = request.model_dump(mode="json"), confirmed(names_checked=names_checked)
        path = _round(round_id, "/submissions")
        return self._connection.fetch(PendingApproval, "POST", path, json=body, params=query)

    def hits(self, round_id: str) -> Hits:
        """Return the round's hits, each with the node's own record."""
        return self._connection.fetch(Hits, "GET", _round(round_id, "/hits"))

    def close(self, round_id: str) -> None:
        """Ask the node to destroy its keys of a round whose hits it has."""
        self._connection.call("POST", _round(round_id, "/close"))

    def abort(self, round_id: str, reason: str, *, names_checked: bool = False) -> None:
        """Ask the node to leave a round and destroy its keys. `names_checked` as for `submit`."""
        body, query = AbortReason(reason=reason).model_dump(mode="json"), confirmed(names_checked=names_checked)
        self._connection.call("POST", _round(round_id, "/abort"), json=body, params=query)


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


def _round(round_id: str, rest: str = "") -> str:
    return f"/v1/rounds/{quote(round_id, safe='')}{rest}"
