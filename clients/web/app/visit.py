"""One visit of a page: who looks, in which language, and what may be shown."""

import codecs
import contextlib
import functools
import inspect
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute

from aquila.audit.roles import Action
from aquila.csv_files import CsvWriter
from aquila.errors import AquilaError
from aquila.interface.attention import Waiting
from aquila.interface.people import CurrentUser, SessionGrant
from aquila.sentences import Sentence
from clients.sdk import (
    Connection,
    HitsClient,
    LogClient,
    MatcherClient,
    NodeClient,
    PeopleClient,
    RecordsClient,
    SubjectsClient,
)
from clients.web.app import forms
from clients.web.app.navigation import sections_of
from clients.web.app.site import Site, environment_of
from clients.web.i18n.languages import TAGS, Language, chosen
from clients.web.text.errors import DONE
from clients.web.text.labels import PRACTICE
from services.kit.errors import NotAllowedError, UnknownCallerError
from services.kit.http.connections import mark_caller_known

LANGUAGE_COOKIE = "aquila-language"
_YEAR_SECONDS = 365 * 24 * 3600


_TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".pdf": "application/pdf",
    ".tar": "application/x-tar",
    ".tlog-proof": "application/octet-stream",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".zip": "application/zip",
}


class SignInNeededError(Exception):
    """The visitor has no session."""


@dataclass(slots=True)
class Visit:
    """One call of a browser."""

    site: Site
    request: Request
    language: Language
    """In which the visitor reads."""
    session: str
    """The token of the visitor's session, or nothing."""
    early: str
    """Before sign-in: a random value that forms are bound to, or nothing."""
    _asked: bool = False
    _user: CurrentUser | None = None
    _waiting: Waiting | None = None
    _indicators: Mapping[str, str] | None = None
    _categories: Mapping[str, str] | None = None
    _faulty: dict[str, str] = field(default_factory=dict)

    @property
    def user(self) -> CurrentUser | None:
        """Return the person of this session, as the service knows it; None without one. Asked once for a page.

        Raises:
            PeerUnavailableError: The service cannot be reached.
        """
        if self.session and not self._asked:
            self._asked = True
            with contextlib.suppress(UnknownCallerError, NotAllowedError):  # the latter is a program
                self._user = PeopleClient(self.connection()).me()
        return self._user

    @property
    def waiting(self) -> Waiting | None:
        """The work that waits for the visitor, asked for once; None without a visitor or an answer."""
        if self._waiting is None and self.user is not None:
            with contextlib.suppress(AquilaError):  # a page is shown without its count rather than not at all
                self._waiting = self.people().waiting()
        return self._waiting

    @property
    def person(self) -> str:
        """The visitor's pseudonymous id; raises SignInNeededError if there is no session."""
        if self.user is None:
            raise SignInNeededError
        return self.user.person

    @property
    def chosen_language(self) -> str:
        """The tag of the language that was chosen in this browser, or nothing."""
        return self.request.cookies.get(LANGUAGE_COOKIE, "")

    @property
    def here(self) -> str:
        """The path of this page, to come back to from the choice of a language."""
        return self.request.url.path if self.request.method == "GET" else "/"

    @property
    def mark(self) -> str:
        """The mark of practice for every page and paper, or nothing."""
        return self.say(PRACTICE) if self.site.practice else ""

    def marked(self, csv: bytes) -> bytes:
        """Return a CSV file for people, which in practice has the mark as its first line."""
        if not self.mark:
            return csv
        line = io.StringIO()
        CsvWriter(line).write([self.mark])
        return codecs.BOM_UTF8 + line.getvalue().encode() + csv.removeprefix(codecs.BOM_UTF8)

    @property
    def done(self) -> str:
        """Return the English sentence that confirms the last action, or nothing."""
        return DONE.get(self.request.query_params.get("done", ""), "")

    @property
    def faults(self) -> Mapping[str, Sentence]:
        """The faults of a form that comes back on this page, by field."""
        found: Mapping[str, Sentence] = getattr(self.request.state, "faults", {})
        return found

    def fault(self, name: str, label: str, action: str = "") -> str:
        """Return the fault of a field in words, or nothing, and note the field's label for the summary.

        Args:
            label: As the page names it.
            action: Of the form, where several of a page have such a field.
        """
        if name not in self.faults or (action and action != self.request.state.sent_to):
            return ""
        self._faulty[name] = label
        return self.language.compose(self.faults[name])

    def may_name(self, step: str) -> bool:
        """Return whether a form comes back with a possible name, so that the officer has to confirm the texts.

        Args:
            step: The last part of the form's address.
        """
        found = any(fault.code == forms.MAY_NAME for fault in self.faults.values())
        return found and str(self.request.state.sent_to).endswith(f"/{step}")

    def typed(self, name: str, value: object) -> object:
        """Return the text that was typed into a field of a form that comes back, or the value of the page."""
        typed = self.request.state.sent.data.get(name, value) if self.faults else value
        return typed if isinstance(typed, str) else value

    def faulty(self) -> list[tuple[str, str, str]]:
        """Return field, label and fault of each fault; the label is empty where the page has no such field."""
        return [(name, self._faulty.get(name, ""), self.language.compose(fault)) for name, fault in self.faults.items()]

    @property
    def secret(self) -> str:
        """Return the secret in the visitor's cookie, to which forms are bound."""
        return self.session or self.early

    @property
    def form_token(self) -> str:
        return forms.token_of(self.secret)

    def indicators(self) -> Mapping[str, str]:
        """Return the groups of the node's table of indicators in words, each before its codes, by letter and code."""
        if self._indicators is None:
            labels: dict[str, str] = {}
            with contextlib.suppress(AquilaError):  # a page is shown with codes rather than not at all
                table = self.records().indicators()
                labels = table.groups | table.indicators
            order = sorted(labels, key=lambda code: (code[0], int(code[1:] or 0)))
            self._indicators = {code: f"{code} {self.say(labels[code])}" for code in order}
        return self._indicators

    def indicator(self, code: str) -> str:
        """Return an indicator in words; one that the table does not have is its code alone."""
        return self.indicators().get(code, code)

    def category(self, text: str) -> str:
        """Return a category of persons in the visitor's language, by its code or its words in a manifest.

        A text that is no template's stays as it is.
        """
        if self._categories is None:
            self._categories = {}
            with contextlib.suppress(AquilaError):  # as above
                found = (self.node() if self.site.is_node else self.matcher()).categories().categories
                words = [(one, one.wordings.get(self.language.tag, one.words)) for one in found]
                self._categories = {known: word for one, word in words for known in (one.code, one.words)}
        return self._categories.get(text, text)

    def node(self) -> NodeClient:
        return NodeClient(self.connection())

    def matcher(self) -> MatcherClient:
        return MatcherClient(self.connection())

    def hits(self) -> HitsClient:
        return HitsClient(self.connection())

    def records(self) -> RecordsClient:
        return RecordsClient(self.connection())

    def subjects(self) -> SubjectsClient:
        return SubjectsClient(self.connection())

    def log(self) -> LogClient:
        return LogClient(self.connection())

    def people(self) -> PeopleClient:
        return PeopleClient(self.connection())

    def connection(self) -> Connection:
        """Return a connection that calls with the visitor's session; the clients above have it too.

        Raises:
            SignInNeededError: There is none.
        """
        if not self.session:
            raise SignInNeededError
        return self.site.connection.as_bearer(self.session)

    def may(self, action: str) -> bool:
        return self.user is not None and action in self.user.actions

    def need_session(self) -> None:
        """Refuse a visitor without a session; raises SignInNeededError if there is none."""
        if self.user is None:
            raise SignInNeededError

    def need(self, action: str) -> None:
        """Show a page that asks the service for nothing only to whom it is meant for.

        Raises:
            SignInNeededError: There is no session.
            NotAllowedError: The visitor's roles do not allow the action.
        """
        self.need_session()
        if not self.may(action):
            raise NotAllowedError("role_not_allowed", action=action)

    def say(self, message: str, **values: object) -> str:
        return self.language.say(message, **values)

    def show(self, template: str, http: int = 200, **values: object) -> Response:
        found = environment_of(self.language.tag).get_template(template)
        # Before sign-in there is nowhere to go, and nothing is asked of the service.
        places = () if self.user is None else sections_of(self.site.service, self.request.url.path, self.may)
        waiting = self.waiting.counts.total if places and self.waiting else 0
        page = found.render(site=self.site, visit=self, places=places, waiting_count=waiting, **values)
        return HTMLResponse(page, http)

    def give(self, name: str, content: bytes) -> Response:
        """Return a file to be saved under a name, whose ending says what it is."""
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(content, headers=headers, media_type=_TYPES[PurePosixPath(name).suffix])

    def go(self, path: str, done: str = "") -> Response:
        """Redirect the visitor after a form; `done` is the name of a confirmation on the next page, not text."""
        return RedirectResponse(f"{path}{'&' if '?' in path else '?'}done={done}" if done else path, 303)


def visit_of(request: Request) -> Visit:
    """Return the visit that a call is; nothing is asked of the service yet."""
    site = request.app.state.site
    assert isinstance(site, Site)
    cookies = request.cookies
    language = chosen(cookies.get(LANGUAGE_COOKIE, ""), request.headers.get("accept-language", ""))
    return Visit(site, request, language, cookies.get(site.cookie("session"), ""), _early(request, site))


def keep_cookie(
    site: Site, response: Response, name: str, value: str, seconds: int | None = None, *, comes_back: bool = False
) -> None:
    """Set a cookie that no script reads and no other site's page sends; without seconds it ends with the browser.

    One that has to be there when another site sends the browser back here goes with links from elsewhere.
    """
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path="/",
        secure=site.secure,
        httponly=True,
        samesite="lax" if comes_back else "strict",
    )


def keep_language(site: Site, response: Response, tag: str) -> None:
    keep_cookie(site, response, LANGUAGE_COOKIE, tag, _YEAR_SECONDS)


def start_browser_session(site: Site, response: Response, grant: SessionGrant, chosen_before: str) -> None:
    """Give the browser of a person who has signed in the account's session and language.

    Args:
        chosen_before: The language that was chosen in this browser, or nothing: it becomes that of an account without
            one, so that a choice on the page of the sign-in is kept as well.
    """
    keep_cookie(site, response, site.cookie("session"), grant.token)
    if grant.language in TAGS:
        keep_language(site, response, grant.language)
    elif chosen_before in TAGS:
        PeopleClient(site.connection.as_bearer(grant.token)).choose_language(chosen_before)


def _early(request: Request, site: Site) -> str:
    value: str = (
        request.state.early if hasattr(request.state, "early") else request.cookies.get(site.cookie("form"), "")
    )
    return value


async def _visited(request: Request) -> Visit:
    return visit_of(request)


Visited = Annotated[Visit, Depends(_visited)]
"""A handler's parameter `visit: Visited`."""


@contextlib.asynccontextmanager
async def _sent(visit: Visit, reading: Awaitable[forms.SubmittedForm]) -> AsyncIterator[forms.SubmittedForm]:
    sent = await reading
    visit.request.state.sent, visit.request.state.sent_to = sent, visit.request.url.path
    async with contextlib.aclosing(sent):
        yield sent


async def _open_form(visit: Visited) -> AsyncIterator[forms.SubmittedForm]:
    async with _sent(visit, forms.read(visit.request, visit.secret, forms.OPEN_BYTES)) as sent:
        yield sent


async def _form(visit: Visited) -> AsyncIterator[forms.SubmittedForm]:
    await to_thread.run_sync(visit.need_session, limiter=visit.site.threads)
    mark_caller_known(visit.request.scope)
    async with _sent(visit, forms.read(visit.request, visit.secret, forms.FORM_BYTES)) as sent:
        yield sent


async def _list(visit: Visited) -> AsyncIterator[forms.SubmittedForm]:
    await to_thread.run_sync(visit.need, Action.CHECK_RECORDS.value, limiter=visit.site.threads)
    mark_caller_known(visit.request.scope)
    async with _sent(visit, forms.read_list(visit.request, visit.secret, visit.site.inbox)) as sent:
        yield sent


OpenForm = Annotated[forms.SubmittedForm, Depends(_open_form)]
"""A handler's parameter `sent: OpenForm`: a small form of a page of ours, from a visitor who needs no session."""

Sent = Annotated[forms.SubmittedForm, Depends(_form)]
"""A handler's parameter `sent: Sent`: the form was sent by a page of ours, in this session, which is open."""

SentList = Annotated[forms.SubmittedForm, Depends(_list)]
"""A handler's parameter `sent: SentList`: as `Sent`, with a list, of somebody whose roles allow to check lists."""


class PageRoute(APIRoute):
    """The route of a page, whose handler waits for the service and so runs in a thread of the site's own."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        @functools.wraps(endpoint)
        async def call(**given: Any) -> Any:
            handler = functools.partial(endpoint, **given)
            return await to_thread.run_sync(handler, limiter=self.threads_of(given["visit"].site))

        super().__init__(path, endpoint if inspect.iscoroutinefunction(endpoint) else call, **options)

    def threads_of(self, site: Site) -> CapacityLimiter:
        return site.threads


class OpenRoute(PageRoute):
    """The route of a page that needs no session: strangers do not take the threads of people with one."""

    def threads_of(self, site: Site) -> CapacityLimiter:
        return site.open_threads
