"""The clients of a node and of the matcher: one line for each operation, and persons that are pasted as text."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO, cast

from aquila.errors import InputError
from aquila.interface.approval import (
    ApprovalEntry,
    Approvals,
    ApprovalView,
    Approve,
    OwnErasureRequests,
    PendingApproval,
    Refuse,
)
from aquila.interface.attention import AttentionList, NotificationChoice, NotificationSettingsView, Waiting
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
from aquila.interface.log import EntriesPage, LogView, RoundEntries
from aquila.interface.people import (
    Accounts,
    AccountView,
    Admission,
    Authenticator,
    BeginEnrolment,
    ConfirmEnrolment,
    CurrentUser,
    Invitation,
    LanguageChoice,
    NewAccount,
    PasswordChange,
    ProviderReturn,
    ProviderStart,
    RoleChange,
    SessionGrant,
    Sessions,
    SignIn,
    SignInWays,
)
from aquila.interface.queries import (
    MOST_PERSONS,
    PERSON_FIELDS,
    Queries,
    QueryAnswer,
    QueryPerson,
    QueryProgress,
    QueryRequest,
    StandingQueries,
    StandingQueryRequest,
    StandingQueryView,
    WithdrawnStandingQuery,
)
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
    MatcherRoundView,
    NodeRoundView,
    NodeStatus,
    ProposalDefaults,
    RoundPage,
    RoundProposal,
    SubmissionRequest,
)
from aquila.interface.safeguard import RefusedAnswer, Safeguards
from aquila.interface.service.health import ServiceHealth
from aquila.interface.service.party import (
    AcceptedRegistry,
    Admittance,
    FileContent,
    NewInvitation,
    NewMatcherAddress,
    OwnRenewal,
    Parties,
    RegistryView,
    RenewedKey,
)
from aquila.interface.statistics import RegionalPicture, Statistics
from aquila.protocol.messages import Message
from aquila.records.reading.csv_rows import suggest_columns
from aquila.records.reading.layouts import RECOGNIZED, Layout
from clients.sdk.connection import LIST_TIMEOUT, Connection
from clients.sdk.homes import Service
from clients.sdk.operations import ServiceClient, acts, answers, reads


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
        return self.connection.fetch(RecordReport, "POST", "/v1/records/check", **sent)

    def recognize(self, source: BinaryIO | DeliveredList, layout: Layout = RECOGNIZED) -> LayoutView:
        """Have the node recognize how a list is to be read; nothing is stored."""
        sent = _list(source, _layout_query(layout))
        return self.connection.fetch(LayoutView, "POST", "/v1/records/recognize", **sent)

    def findings(self, source: BinaryIO | DeliveredList, layout: Layout = RECOGNIZED) -> bytes:
        """Let the node read a list and return all that is wrong with it as CSV, in UTF-8; nothing is stored."""
        return self.connection.call("POST", "/v1/records/findings", **_list(source, _layout_query(layout)))

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
        return self.connection.fetch(RecordReport, "POST", "/v1/imports", **_list(source, query))


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


class MatcherClient(ServiceClient):
    """The matcher's operator interface. Statistics are rounded; rounds and statistics come newest first."""

    service = "matcher"

    proposal_defaults = answers("get_proposal_defaults", ProposalDefaults)
    propose = answers("post_round", PendingApproval, RoundProposal)
    rounds = answers("get_all_rounds", RoundPage)
    health = answers("get_service_health", ServiceHealth)
    needs = answers("get_needs", AttentionList)
    parties = answers("get_parties", Parties)
    registry = answers("get_registry", RegistryView)
    registry_file = answers("get_file", FileContent)
    restate_registry = answers("post_registry", PendingApproval)
    move = answers("post_move", PendingApproval, NewMatcherAddress)
    invite = answers("post_invitation", FileContent, NewInvitation)
    admit = answers("post_party", PendingApproval, Admittance)
    replace_key = answers("post_renewal", PendingApproval, RenewedKey)
    renew_identity = answers("post_own_renewal", PendingApproval, OwnRenewal)
    remove_party = answers("post_removal", PendingApproval)
    round = answers("get_round", MatcherRoundView)
    close = acts("post_close")
    abort = answers("post_abort", PendingApproval, AbortReason)
    statistics = answers("get_statistics", Statistics)
    picture = answers("get_picture", RegionalPicture)
    statistics_csv = reads("get_statistics_csv")


class ApprovalClient(ServiceClient):
    """Dual control at a service."""

    approvals = answers("get_approvals", Approvals)
    show = answers("get_approval", ApprovalView)
    approve = answers("post_approve", ApprovalEntry, Approve)
    refuse = answers("post_refuse", ApprovalEntry, Refuse)
    withdraw = answers("post_withdraw", ApprovalEntry)


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


PASTED_FIELDS = ("given_names", "family_names", "date_of_birth", "nationality", "document_numbers")
"""The columns of pasted lines that have no line of column names."""

_SEPARATORS = ("\t", ";", ",")
_LEAST_NAMED = 2
_LONGEST = 500


class QueryClient(ServiceClient):
    """A node's queries. What is asked waits for a second person; `names_checked` as for `NodeClient.submit`."""

    queries = answers("get_queries", Queries)
    ask = answers("post_query", PendingApproval, QueryRequest)
    answer = answers("get_query", QueryAnswer)
    standing = answers("get_standing_queries", StandingQueries)
    standing_query = answers("get_standing_query", StandingQueryView)
    watch = answers("post_standing_query", PendingApproval, StandingQueryRequest)
    withdraw = acts("post_standing_withdrawal", WithdrawnStandingQuery)
    progress = answers("get_progress", QueryProgress)


def end_of_day(iso: str) -> int:
    """Return the end of a day in this machine's zone, as seconds since 1970.

    Raises:
        InputError: It is no date as 2027-03-31.
    """
    try:
        day = date.fromisoformat(iso)
        return int(datetime.combine(day + timedelta(days=1), time.min).astimezone().timestamp()) - 1
    except (ValueError, OverflowError, OSError):
        raise InputError("form_date_unreadable") from None


def pasted_persons(text: str) -> tuple[QueryPerson, ...]:
    """Read persons from pasted lines, one each, of which tabs, semicolons or commas separate the columns.

    A first line that names at least two columns, in any language that lists are read in, says what they hold; else they
    are those of `PASTED_FIELDS`. A line without a separator is a full name.

    Raises:
        InputError: There are more persons than a query takes, or a line has a column or a text too many.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    separator = max(_SEPARATORS, key=lambda one: sum(one in line for line in lines)) if lines else ";"
    reader = csv.reader(io.StringIO("\n".join(lines), newline=""), delimiter=separator)
    try:
        rows = [row for row in reader if any(row)]
    except csv.Error:  # a cell of more than 128 KiB, such as the rest of a text in which a quotation mark does not end
        raise InputError("query_line_unreadable", number=reader.line_num, columns=len(PASTED_FIELDS)) from None
    columns: tuple[str | None, ...] = PASTED_FIELDS
    if rows and sum(name in PERSON_FIELDS for name in suggest_columns(rows[0])) >= _LEAST_NAMED:
        columns = suggest_columns(rows.pop(0))
    if len(rows) > MOST_PERSONS:
        raise InputError("query_persons_too_many", most=MOST_PERSONS, got=len(rows))
    return tuple(_person(number, row, columns) for number, row in enumerate(rows, start=1))


def _person(number: int, cells: Sequence[str], columns: Sequence[str | None]) -> QueryPerson:
    given = [cell.strip() for cell in cells]
    if any(given[len(columns) :]) or any(len(cell) > _LONGEST for cell in given):
        raise InputError("query_line_unreadable", number=number, columns=len(columns))
    if len(given) == 1:
        return QueryPerson(full_name=given[0])
    named = zip(columns, given, strict=False)
    return QueryPerson.model_validate({name: cell for name, cell in named if name in PERSON_FIELDS})


_PEOPLE = "/v1/people"


class PeopleClient(ServiceClient):
    """The people of a service. What follows the sign-in is operations; `change_password` ends all other sessions."""

    change_password = answers("post_password", SessionGrant, PasswordChange)
    sign_out = acts("post_sign_out")
    me = answers("get_me", CurrentUser)
    choose_language = acts("put_language", LanguageChoice)
    sessions = answers("get_sessions", Sessions)
    end_session = acts("delete_session")
    accounts = answers("get_accounts", Accounts)
    add_account = answers("post_account", Invitation, NewAccount)
    reset_account = answers("post_reset", Invitation)
    admit_account = answers("post_admit", AccountView, Admission)
    change_roles = answers("put_roles", AccountView, RoleChange)
    deactivate_account = answers("post_deactivate", AccountView)
    activate_account = answers("post_activate", AccountView)
    waiting = answers("get_waiting", Waiting)
    notifications = answers("get_notifications", NotificationSettingsView)
    choose_notifications = answers("put_notifications", NotificationSettingsView, NotificationChoice)
    end_notifications = acts("delete_notifications")

    def sign_in(self, login: str, password: str, code: str) -> SessionGrant:
        """Open a session; `Connection.carry` goes on with it.

        Raises:
            ValidationError: Login or code are none that can be.
            SignInError: Login, password or code are not right.
        """
        return self._grant("/sign-in", SignIn(login=login, password=password, code=code))

    def begin_enrolment(self, login: str, code: str) -> Authenticator:
        """Return the secret for the person's authenticator."""
        shown = BeginEnrolment(login=login, code=code)
        body = shown.model_dump(mode="json")
        return self.connection.fetch(Authenticator, "POST", f"{_PEOPLE}/enrolment", json=body)

    def confirm_enrolment(self, login: str, enrolment: str, password: str, code: str) -> SessionGrant:
        """Set the password, show that the authenticator works, and open the first session."""
        shown = ConfirmEnrolment(login=login, enrolment=enrolment, password=password, code=code)
        return self._grant("/enrolment/confirm", shown)

    def ways(self) -> SignInWays:
        """Return how one can sign in."""
        return self.connection.fetch(SignInWays, "GET", f"{_PEOPLE}/ways")

    def start_at_provider(self) -> ProviderStart:
        """Begin a sign-in at the ministry's provider: the browser goes to its URL, and keeps the binding."""
        return self.connection.fetch(ProviderStart, "POST", f"{_PEOPLE}/provider/start")

    def finish_at_provider(self, shown: ProviderReturn) -> SessionGrant:
        """End a sign-in at the provider with what the browser came back with, and what it kept."""
        return self._grant("/provider/finish", shown)

    def _grant(self, path: str, shown: Message) -> SessionGrant:
        return self.connection.fetch(SessionGrant, "POST", _PEOPLE + path, json=shown.model_dump(mode="json"))


class LogClient(ServiceClient):
    """A service's log. Looking at entries is an entry itself; `export_matchers` is of a node alone."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.service = cast("Service", connection.service)

    view = answers("get_log", LogView)
    entries = answers("get_page", EntriesPage)
    round_entries = answers("get_entries", RoundEntries)
    export = reads("get_export")
    export_matchers = reads("get_matchers_log")
    acknowledge = acts("post_acknowledge")
