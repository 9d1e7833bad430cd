"""The clients of a node and of the matcher: one line for each operation, and persons that are pasted as text."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO, cast

from aquila.errors import InputError
from aquila.interface import approval, attention
from aquila.interface import hits as hit_views
from aquila.interface import log as log_views
from aquila.interface import looks as look_views
from aquila.interface import people as of_people
from aquila.interface import queries as query_views
from aquila.interface import records as record_views
from aquila.interface import rounds as round_views
from aquila.interface import safeguard as safeguard_views
from aquila.interface import statistics as published
from aquila.interface import subjects as subject_views
from aquila.interface.queries import MOST_PERSONS, PERSON_FIELDS, QueryPerson
from aquila.interface.service import health as health_views
from aquila.interface.service import party as party_views
from aquila.interface.service import upkeep as upkeep_views
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

    status = answers("get_status", round_views.NodeStatus)
    categories = answers("get_categories", round_views.Categories)
    health = answers("get_service_health", health_views.ServiceHealth)
    needs = answers("get_needs", attention.AttentionList)
    registry = answers("get_registry", party_views.RegistryView)
    fetch_registry = answers("post_fetch", party_views.RegistryView)
    take_registry = answers("post_statements", party_views.RegistryView, party_views.FileContent)
    registry_file = answers("get_statements", party_views.FileContent)
    accept_registry = answers("post_accept", approval.PendingApproval, party_views.AcceptedRegistry)
    reading_progress = answers("get_reading_progress", record_views.ReadingProgress)
    stored_findings = answers("get_stored_findings", record_views.Findings)
    stored_findings_file = reads("get_stored_findings_file")
    deliveries = answers("get_deliveries", record_views.Deliveries)
    remove_delivery = acts("delete_delivery")
    safeguards = answers("get_safeguards", safeguard_views.Safeguards)
    release = acts("release")
    refuse_answer = acts("refuse", safeguard_views.RefusedAnswer)
    imports = answers("get_imports", record_views.Imports)
    duplicates = answers("get_duplicates", record_views.DuplicateRecords)
    delete_import = acts("delete_import")
    rounds = answers("get_rounds", round_views.RoundPage)
    round = answers("get_round", round_views.NodeRoundView)
    consent = answers("ask_consent", approval.PendingApproval, round_views.ConsentRequest)
    submit = answers("ask_submission", approval.PendingApproval, round_views.SubmissionRequest)
    hits = answers("get_round_hits", round_views.Hits)
    close = acts("close_round")
    abort = acts("abort_round", round_views.AbortReason)

    def check(
        self, source: BinaryIO | DeliveredList, layout: Layout = RECOGNIZED, rules: str = "default", *, key: str = ""
    ) -> record_views.RecordReport:
        """Have the node read a list and return its findings; nothing is stored. Its progress is shown under a key."""
        sent = _list(source, {**_layout_query(layout), "rules": rules, **({"progress": key} if key else {})})
        return self.connection.fetch(record_views.RecordReport, "POST", "/v1/records/check", **sent)

    def recognize(self, source: BinaryIO | DeliveredList, layout: Layout = RECOGNIZED) -> record_views.LayoutView:
        """Have the node recognize how a list is to be read; nothing is stored."""
        sent = _list(source, _layout_query(layout))
        return self.connection.fetch(record_views.LayoutView, "POST", "/v1/records/recognize", **sent)

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
    ) -> record_views.RecordReport:
        """Store a list in the node; one that was delivered leaves its folder. Its progress is shown under a key.

        Raises:
            InputError: A row cannot be used and `accept_refused` is False; nothing is stored.
        """
        query = {"name": name, **_layout_query(layout), "accept_refused": "true" if accept_refused else "false"}
        query |= {"progress": key} if key else {}
        return self.connection.fetch(record_views.RecordReport, "POST", "/v1/imports", **_list(source, query))


class RecordsClient(ServiceClient):
    """A party's own records. What is looked for is in no address."""

    indicators = answers("get_indicators", record_views.IndicatorTableView)
    search = answers("search_records", record_views.RecordPage, record_views.RecordSearch)
    browse = answers("get_records", record_views.RecordPage)
    difference = answers("get_difference", record_views.ListDifference)
    show = answers("get_record", record_views.RecordView)
    check_correction = answers("check_correction", record_views.CorrectionReport, record_views.RecordCorrection)
    correct = answers("put_record", record_views.CorrectionReport, record_views.RecordCorrection)
    take_out = acts("delete_record")


def _list(source: BinaryIO | DeliveredList, query: dict[str, str]) -> dict[str, Any]:
    if isinstance(source, DeliveredList):
        return {"params": {**query, "delivery": source.delivery_id}, "timeout": LIST_TIMEOUT}
    return {"params": query, "content": source, "timeout": LIST_TIMEOUT}


def _layout_query(layout: Layout) -> dict[str, str]:
    """Return the query of a call that names a layout; what it leaves open is not in it."""
    columns = None if layout.columns is None else ",".join(name or "" for name in layout.columns)
    given = {"format": layout.format, "encoding": layout.encoding, "sheet": layout.sheet, "columns": columns}
    given |= {"heading": layout.heading}
    return {name: str(value) for name, value in given.items() if value is not None}


class MatcherClient(ServiceClient):
    """The matcher's operator interface. Statistics are rounded; rounds and statistics come newest first."""

    service = "matcher"

    proposal_defaults = answers("get_proposal_defaults", round_views.ProposalDefaults)
    propose = answers("post_round", approval.PendingApproval, round_views.RoundProposal)
    rounds = answers("get_all_rounds", round_views.RoundPage)
    overview = answers("get_overview", round_views.RoundsOverview)
    categories = answers("get_categories", round_views.Categories)
    health = answers("get_service_health", health_views.ServiceHealth)
    needs = answers("get_needs", attention.AttentionList)
    parties = answers("get_parties", party_views.Parties)
    registry = answers("get_registry", party_views.RegistryView)
    registry_file = answers("get_file", party_views.FileContent)
    restate_registry = answers("post_registry", approval.PendingApproval)
    move = answers("post_move", approval.PendingApproval, party_views.NewMatcherAddress)
    state_contact = answers("post_contact", approval.PendingApproval, party_views.NewContact)
    remind = answers("post_remind", round_views.RemindedParties)
    state_templates = answers("post_templates", approval.PendingApproval, party_views.FileContent)
    invite = answers("post_invitation", party_views.FileContent, party_views.NewInvitation)
    admit = answers("post_party", approval.PendingApproval, party_views.Admittance)
    replace_key = answers("post_renewal", approval.PendingApproval, party_views.RenewedKey)
    renew_identity = answers("post_own_renewal", approval.PendingApproval, party_views.OwnRenewal)
    remove_party = answers("post_removal", approval.PendingApproval)
    round = answers("get_round", round_views.MatcherRoundView)
    close = acts("post_close")
    abort = answers("post_abort", approval.PendingApproval, round_views.AbortReason)
    statistics = answers("get_statistics", published.Statistics)
    picture = answers("get_picture", published.RegionalPicture)
    statistics_csv = reads("get_statistics_csv")
    report = answers("get_report", published.AnnualReport)
    sign_report = answers("post_report", published.SignedReport, published.ReportToSign)


class ApprovalClient(ServiceClient):
    """Dual control at a service."""

    approvals = answers("get_approvals", approval.Approvals)
    show = answers("get_approval", approval.ApprovalView)
    persons = answers("get_asked_persons", query_views.AskedPersons)
    approve = answers("post_approve", approval.ApprovalEntry, approval.Approve)
    refuse = answers("post_refuse", approval.ApprovalEntry, approval.Refuse)
    withdraw = answers("post_withdraw", approval.ApprovalEntry)


def hit_keys(places: Iterable[tuple[str, str]]) -> tuple[hit_views.HitKey, ...]:
    return tuple(hit_views.HitKey(round_id=round_id, hit_id=hit_id) for round_id, hit_id in places)


class HitsClient(ServiceClient):
    """A node's hits. One hit is named by its round and its id; `letter` is logged as an export, `letter_draft` is not.

    `erase_record` refuses a record with hits, whose erasure is asked for (`ask_erasure`).
    """

    page = answers("get_hits", hit_views.HitPage, hit_views.HitFilter)
    changes = answers("get_changes", hit_views.Changes)
    search = answers("search_hits", hit_views.HitPage, hit_views.HitSearch)
    count = answers("count_hits", hit_views.HitCounts, hit_views.HitCountsRequest)
    neighbours = answers("get_neighbours", hit_views.HitNeighbours, hit_views.NeighboursRequest)
    export = answers("export_hits", hit_views.HitExport, hit_views.HitSearch)
    decide_many = answers("decide_many", hit_views.ManyDecisions, hit_views.ManyDecisionsRequest)
    close_many = answers("close_many", hit_views.ManyClosings, hit_views.ManyClosingsRequest)
    follow_up_many = answers("follow_up_many", hit_views.ManyFollowUps, hit_views.ManyFollowUpsRequest)
    figures = answers("get_unit_figures", hit_views.UnitFigures)
    picture = answers("get_unit_picture", hit_views.UnitPicture)
    follow_ups = answers("get_follow_ups", hit_views.FollowUps)
    correspond = answers("record_correspondence", hit_views.CorrespondenceResult, hit_views.CorrespondenceRequest)
    letters = answers("make_letters", hit_views.Letters, hit_views.LettersRequest)
    colleagues = answers("get_colleagues", hit_views.Colleagues)
    assign = acts("assign", hit_views.AssignmentRequest)
    undo = answers("undo", hit_views.UndoResult, hit_views.UndoRequest)
    show = answers("get_hit", hit_views.HitView)
    acknowledge = acts("acknowledge_hit")
    remark = acts("remark", hit_views.RemarkRequest)
    decide = acts("decide", hit_views.DecisionRequest)
    follow_up = acts("open_follow_up", hit_views.FollowUpRequest)
    reference = acts("record_reference", hit_views.ReferenceRequest)
    record_reply = acts("record_reply", hit_views.ReplyRequest)
    permit = acts("permit", hit_views.PermissionRequest)
    close = acts("close_hit", hit_views.CloseRequest)
    reopen = acts("reopen_hit", hit_views.ReopenRequest)
    withdraw = acts("withdraw_hit", hit_views.WithdrawRequest)
    letter_draft = answers("read_letter", hit_views.LetterView)
    letter = answers("write_letter", hit_views.LetterView)
    views = answers("get_views", hit_views.SavedFilters)
    save_view = answers("post_view", hit_views.SavedFilterView, hit_views.NewFilter)
    remove_view = acts("delete_view")
    erase_record = answers("erase_record", hit_views.ErasureReport, hit_views.ErasureRequest)
    ask_erasure = answers("ask_erasure", approval.PendingApproval, hit_views.ErasureProposal)
    erasure_requests = answers("get_erasure_requests", approval.OwnErasureRequests)
    withdraw_erasure = answers("withdraw_erasure", approval.ApprovalEntry)


PASTED_FIELDS = ("given_names", "family_names", "date_of_birth", "nationality", "document_numbers")
"""The columns of pasted lines that have no line of column names."""

_SEPARATORS = ("\t", ";", ",")
_LEAST_NAMED = 2
_LONGEST = 500


class QueryClient(ServiceClient):
    """A node's queries. What is asked waits for a second person; `names_checked` as for `NodeClient.submit`."""

    queries = answers("get_queries", query_views.Queries)
    check = answers("post_check", query_views.AskedPersons, query_views.ChosenPersons)
    ask = answers("post_query", approval.PendingApproval, query_views.QueryRequest)
    answer = answers("get_query", query_views.QueryAnswer)
    standing = answers("get_standing_queries", query_views.StandingQueries)
    standing_query = answers("get_standing_query", query_views.StandingQueryView)
    watch = answers("post_standing_query", approval.PendingApproval, query_views.StandingQueryRequest)
    withdraw = acts("post_standing_withdrawal", query_views.WithdrawnStandingQuery)
    progress = answers("get_progress", query_views.QueryProgress)


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


class SubjectsClient(ServiceClient):
    """What persons ask of a party. An answer names a search of the same person for the same file number."""

    search = answers("search_subject", subject_views.SubjectFindings, subject_views.SubjectSearch)
    answer = answers("answer_subject", subject_views.AnsweredRequest, subject_views.SubjectDecision)
    answered = answers("get_answered", subject_views.AnsweredRequests)


class UpkeepClient(ServiceClient):
    """The upkeep of a service by its administrator."""

    health = answers("get_service_health", health_views.ServiceHealth)
    view = answers("get_upkeep", upkeep_views.ServiceUpkeep)
    back_up = acts("post_backup")
    renew_certificate = acts("post_certificate")
    test_notifications = answers("post_notification_test", upkeep_views.NotificationTest)


_PEOPLE = "/v1/people"


class PeopleClient(ServiceClient):
    """The people of a service. What follows the sign-in is operations; `change_password` ends all other sessions."""

    change_password = answers("post_password", of_people.SessionGrant, of_people.PasswordChange)
    sign_out = acts("post_sign_out")
    me = answers("get_me", of_people.CurrentUser)
    choose_language = acts("put_language", of_people.LanguageChoice)
    sessions = answers("get_sessions", of_people.Sessions)
    end_session = acts("delete_session")
    accounts = answers("get_accounts", of_people.Accounts)
    add_account = answers("post_account", of_people.Invitation, of_people.NewAccount)
    add_program = answers("post_program", of_people.ProgramGrant, of_people.NewProgram)
    reset_account = answers("post_reset", of_people.Invitation)
    admit_account = answers("post_admit", of_people.AccountView, of_people.Admission)
    change_roles = answers("put_roles", of_people.AccountView, of_people.RoleChange)
    deactivate_account = answers("post_deactivate", of_people.AccountView)
    activate_account = answers("post_activate", of_people.AccountView)
    waiting = answers("get_waiting", attention.Waiting)
    notifications = answers("get_notifications", attention.NotificationSettingsView)
    choose_notifications = answers(
        "put_notifications", attention.NotificationSettingsView, attention.NotificationChoice
    )
    end_notifications = acts("delete_notifications")

    def sign_in(self, login: str, password: str, code: str) -> of_people.SessionGrant:
        """Open a session; `Connection.carry` goes on with it.

        Raises:
            ValidationError: Login or code are none that can be.
            SignInError: Login, password or code are not right.
        """
        return self._grant("/sign-in", of_people.SignIn(login=login, password=password, code=code))

    def begin_enrolment(self, login: str, code: str) -> of_people.Authenticator:
        shown = of_people.BeginEnrolment(login=login, code=code)
        body = shown.model_dump(mode="json")
        return self.connection.fetch(of_people.Authenticator, "POST", f"{_PEOPLE}/enrolment", json=body)

    def confirm_enrolment(self, login: str, enrolment: str, password: str, code: str) -> of_people.SessionGrant:
        """Set the password, show that the authenticator works, and open the first session."""
        shown = of_people.ConfirmEnrolment(login=login, enrolment=enrolment, password=password, code=code)
        return self._grant("/enrolment/confirm", shown)

    def ways(self) -> of_people.SignInWays:
        return self.connection.fetch(of_people.SignInWays, "GET", f"{_PEOPLE}/ways")

    def start_at_provider(self) -> of_people.ProviderStart:
        """Begin a sign-in at the ministry's provider: the browser goes to its URL, and keeps the binding."""
        return self.connection.fetch(of_people.ProviderStart, "POST", f"{_PEOPLE}/provider/start")

    def finish_at_provider(self, shown: of_people.ProviderReturn) -> of_people.SessionGrant:
        """End a sign-in at the provider with what the browser came back with, and what it kept."""
        return self._grant("/provider/finish", shown)

    def _grant(self, path: str, shown: Message) -> of_people.SessionGrant:
        return self.connection.fetch(of_people.SessionGrant, "POST", _PEOPLE + path, json=shown.model_dump(mode="json"))


class LogClient(ServiceClient):
    """A service's log. Looking at entries is an entry itself; `export_matchers` is of a node alone."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.service = cast("Service", connection.service)

    view = answers("get_log", log_views.LogView)
    entries = answers("search_entries", log_views.EntriesPage, log_views.EntrySearch)
    entry = answers("get_entry", log_views.EntryView)
    check = answers("check_log", log_views.LogCheck)
    review_looks = answers("review_looks", look_views.LookReview, look_views.LookReviewRequest)
    round_entries = answers("get_entries", log_views.RoundEntries)
    export = reads("get_export")
    export_matchers = reads("get_matchers_log")
    acknowledge = acts("post_acknowledge")
