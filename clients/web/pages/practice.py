"""Pages of a practice: next steps and roles, and at a node with real persons the way to begin one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Self

from fastapi import APIRouter, Response
from starlette.exceptions import HTTPException

from aquila.followup.lifecycle import Stage
from aquila.interface.approval import ApprovalKind, ApprovalState
from aquila.interface.hits import HitEntry, HitPage, HitSearch
from aquila.interface.queries import QueryEntry
from aquila.interface.rounds import AnswerState, NodeRoundView
from aquila.interface.safeguard import FishingAlarmView
from aquila.protocol.messages import Kind
from aquila.protocol.rounds.round_state import Phase
from clients.sdk import ApprovalClient, Connection, HitsClient, NodeClient, QueryClient
from clients.web.app.navigation import local_path
from clients.web.app.practice import TRAINEES, Practice
from clients.web.app.visit import OpenForm, OpenRoute, PageRoute, Visit, Visited, keep_cookie
from clients.web.i18n.languages import n_

router = APIRouter(route_class=OpenRoute)
about = APIRouter(route_class=PageRoute)
_NUMBER = 6  # digits of a hit's id in the number of the invented reply


@dataclass(frozen=True, slots=True)
class Reply:
    """The invented reply of a counterpart."""

    hit: HitEntry
    number: str
    """Its number at the counterpart."""
    same: bool
    """Whether the counterpart's person is the same."""


@about.get("/practice")
def get_about_practice(visit: Visited) -> Response:
    """Show the page on practice and how it begins, at a node with real persons."""
    visit.need_session()
    return visit.show("about_practice.html")


@router.get("/practice")
def get_practice(visit: Visited) -> Response:
    practice = _practice(visit)
    state = PracticeState.seen(
        lambda login: visit.site.connection.as_bearer(practice.enter(visit.site.connection, login))
    )
    steps = state.steps()
    return visit.show(
        "practice.html",
        steps=steps,
        next_step=next((step for step in steps if not step.done), None),
        trainees=TRAINEES,
        material=practice.material(),
        replies=list(map(partial(_reply, practice.material()), state.followed_up())),
    )


@router.post("/practice/enter")
def post_enter(visit: Visited, sent: OpenForm) -> Response:
    """Go on as one of the people of the practice."""
    login = sent.text("login")
    if login not in TRAINEES:
        raise HTTPException(404)
    token = _practice(visit).enter(visit.site.connection, login)
    response = visit.go(local_path(sent.text("next")))
    keep_cookie(visit.site, response, visit.site.cookie("session"), token)
    return response


@router.get("/practice/list.csv")
def get_list(visit: Visited) -> Response:
    return visit.give("list.csv", _practice(visit).list_file())


def _practice(visit: Visit) -> Practice:
    practice = visit.site.practice
    assert practice is not None  # else no page is routed here
    return practice


def _reply(material: dict[str, object], hit: HitEntry) -> Reply:
    """Invent the reply of a counterpart; whether it is the same person is true."""
    same = material.get("same")
    known = same.get(hit.record_id, ()) if isinstance(same, dict) else ()
    number = f"PRACTICE {hit.counterpart} {datetime.now(UTC).year}-{hit.hit_id[:_NUMBER]}"
    return Reply(hit, number, hit.counterpart in known)


_DECIDED = 3  # hits after which deciding is practised
_UNDECIDED = (Stage.NEW, Stage.KNOWN, Stage.ACKNOWLEDGED)


@dataclass(frozen=True, slots=True)
class PracticeStep:
    """A step of a practice."""

    login: str
    """Whose work it is."""
    title: str
    """What it is, in English."""
    text: str
    """How it is done, in English."""
    path: str
    """The page on which it is done."""
    done: bool
    ready: bool = True
    """Whether it can be done now; else it waits for others."""


@dataclass(frozen=True, slots=True)
class PracticeState:
    """A practice as its people see it."""

    has_list: bool
    """Whether a list is stored."""
    view: NodeRoundView | None
    """The round, or None before the node has heard of it."""
    waiting: frozenset[ApprovalKind]
    """The kinds of requests that wait for a second person."""
    hits: HitPage | None
    """The hits between the lists, those in a follow-up first."""
    queries: Sequence[QueryEntry]
    alarms: Sequence[FishingAlarmView]
    """The queries of others that hit too often."""

    @classmethod
    def seen(cls, connection_of: Callable[[str], Connection]) -> Self:
        """Ask the node, as its officer and its analyst.

        Args:
            connection_of: Gives the connection of a person by login.

        Raises:
            AquilaError: The node refuses, or is not there.
        """
        officer = connection_of("officer")
        node = NodeClient(officer)
        rounds, requests = node.rounds(limit=1).rounds, ApprovalClient(officer).approvals(waiting=True).approvals
        view = node.round(rounds[0].round_id) if rounds else None
        has_hits = view is not None and view.hits is not None
        wanted = HitSearch(kind=Kind.LIST, limit=100)
        return cls(
            has_list=any(not one.for_query for one in node.imports().imports),
            view=view,
            waiting=frozenset(one.kind for one in requests if one.state is ApprovalState.WAITING),
            hits=HitsClient(connection_of("analyst")).search(wanted) if has_hits else None,
            queries=QueryClient(officer).queries().queries,
            alarms=node.safeguards(view.entry.round_id).alarms if view else (),
        )

    def followed_up(self) -> list[HitEntry]:
        """Return the hits that are followed up: the other party answers."""
        return [hit for hit in self.hits.hits if hit.stage is Stage.FOLLOW_UP] if self.hits else []

    def steps(self) -> list[PracticeStep]:
        """Return all steps in their order."""
        view, stages = self.view, self.hits.by_stage if self.hits else {}
        path = f"/rounds/{view.entry.round_id}" if view else "/rounds"
        consented = view is not None and view.consented
        submitted = view is not None and any(one.kind is Kind.LIST for one in view.submissions)
        asked = ApprovalKind.SUBMISSION in self.waiting
        decided = sum(stages.values()) - sum(stages.get(stage, 0) for stage in _UNDECIDED)
        closed = stages.get(Stage.CLOSED, 0)
        answered = any(one.answer is AnswerState.ANSWERED for one in self.queries)
        is_open = view is not None and view.entry.phase not in {Phase.PROPOSED, Phase.ABORTED}
        settled = any(one.released_at is not None or one.refused_at is not None for one in self.alarms)
        return [
            PracticeStep("officer", LIST, LIST_TEXT, "/records", self.has_list),
            PracticeStep(
                "officer",
                CONSENT,
                CONSENT_TEXT,
                path,
                consented or ApprovalKind.CONSENT in self.waiting,
                view is not None,
            ),
            PracticeStep("approver", APPROVE_CONSENT, APPROVE_CONSENT_TEXT, "/approvals", consented),
            PracticeStep("officer", SUBMIT, SUBMIT_TEXT, path, submitted or asked, is_open),
            PracticeStep("approver", APPROVE_LIST, APPROVE_LIST_TEXT, "/approvals", submitted),
            PracticeStep("analyst", DECIDE, DECIDE_TEXT, "/hits", decided >= _DECIDED, bool(stages)),
            PracticeStep("analyst", ASK, ASK_TEXT, "/hits", closed + stages.get(Stage.FOLLOW_UP, 0) > 0),
            PracticeStep("analyst", CLOSE, CLOSE_TEXT, "/hits", closed > 0),
            PracticeStep("officer", QUERY, QUERY_TEXT, "/queries", bool(self.queries) or (submitted and asked)),
            PracticeStep("approver", APPROVE_QUERY, APPROVE_QUERY_TEXT, "/approvals", bool(self.queries)),
            PracticeStep("officer", READ, READ_TEXT, "/queries", bool(self.alarms), answered),
            PracticeStep("approver", ALARM, ALARM_TEXT, path, settled, bool(self.alarms)),
        ]


LIST = n_("Import a list")
LIST_TEXT = n_(
    "Save the practice list of this page. On the page of records choose it, look at what was found, and store it."
)
CONSENT = n_("Ask for the consent to a round")
CONSENT_TEXT = n_("Read the terms of the round that the secretariat proposes, and ask for your party's consent.")
APPROVE_CONSENT = n_("Approve the consent")
APPROVE_CONSENT_TEXT = n_("You are the second person now. Read what the officer asks for, and approve exactly that.")
SUBMIT = n_("Submit your list")
SUBMIT_TEXT = n_(
    "The round opens when all parties have consented, which the others do by themselves. Submit your list, with the "
    "reason and an invented case reference."
)
APPROVE_LIST = n_("Approve the submission")
APPROVE_LIST_TEXT = n_(
    "Read which list is to be compared and why, and approve it. The others submit theirs by themselves."
)
DECIDE = n_("Decide on hits")
DECIDE_TEXT = n_(
    "The hits come in less than a minute. Look at the reasons and at your own record, and decide on at least three."
)
ASK = n_("Ask the other party")
ASK_TEXT = n_(
    "Choose a hit that is the same person, open a follow-up, and export the letter. It is marked as "
    "practice: send it to nobody."
)
CLOSE = n_("Record the reply and the outcome")
CLOSE_TEXT = n_(
    "The reply of the other party is on this page. Record it at the hit, and close the hit with its outcome."
)
QUERY = n_("Ask for three persons")
QUERY_TEXT = n_("Type the three persons of this page on the page of queries, with an invented case reference.")
APPROVE_QUERY = n_("Approve the query")
APPROVE_QUERY_TEXT = n_("Read who is asked for and why, and approve it. The answer comes within seconds.")
READ = n_("Read the answer")
READ_TEXT = n_(
    "Open the answer, person by party, and its sheet for printing. A moment later another party asks for far "
    "too many persons."
)
ALARM = n_("Decide on an alarm")
ALARM_TEXT = n_(
    "Your node withholds its answer to a query that hit too many of your records. Read who asks and why, and refuse or "
    "release the answer."
)
