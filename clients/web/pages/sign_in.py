"""The way in and out: sign-in, enrolment with a one-time code, and the first account of a new home."""

import contextlib
from pathlib import PurePosixPath
from typing import Annotated

import segno
from fastapi import APIRouter, Query, Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from aquila.audit.roles import Role
from aquila.errors import AquilaError, InputError
from aquila.interface.people import ProviderReturn, SessionGrant
from clients.sdk import PeopleClient
from clients.web.app.navigation import local_path
from clients.web.app.visit import OpenForm, OpenRoute, Visit, Visited, keep_cookie, keep_language, start_browser_session
from clients.web.i18n.languages import TAGS
from services.kit.errors import UnknownCallerError

router = APIRouter(route_class=OpenRoute)
_WRONG = 401
_PROVIDER_SECONDS = 600


@router.get("/sign-in")
def get_sign_in(visit: Visited, wanted: Annotated[str, Query(alias="next")] = "/") -> Response:
    if visit.user is not None:
        return visit.go(local_path(wanted))
    return _ask(visit, wanted=local_path(wanted))


@router.post("/sign-in")
def post_sign_in(visit: Visited, sent: OpenForm) -> Response:
    """Open a session; the page does not reveal which part was wrong."""
    login, wanted = sent.text("login").lower(), local_path(sent.text("next"))
    try:
        # With a session that is there already: the service ends it, so that no old token opens anything afterwards.
        grant = _people(visit, visit.session).sign_in(login, sent.secret("password"), _code(sent))
    except (UnknownCallerError, ValidationError):
        return _ask(visit, _WRONG, wanted, login, "password")
    return _signed_in(visit, grant, wanted)


@router.post("/sign-in/provider")
def post_provider(visit: Visited, _sent: OpenForm) -> Response:
    """Begin a sign-in at the ministry's provider. The policy lets forms go nowhere else, so the page has a link."""
    started = _people(visit).start_at_provider()
    response = visit.show("provider.html", url=started.url, back=False)
    keep_cookie(
        visit.site, response, visit.site.cookie("provider"), started.binding, _PROVIDER_SECONDS, comes_back=True
    )
    return response


@router.get("/sign-in/provider")
def get_provider(visit: Visited, state: str = "", code: str = "", iss: str = "") -> Response:
    """End a sign-in at the provider, which sends the browser back here."""
    binding = visit.request.cookies.get(visit.site.cookie("provider"), "")
    try:
        shown = ProviderReturn(state=state, code=code, issuer=iss, binding=binding)
        grant = _people(visit, visit.session).finish_at_provider(shown)
    except (UnknownCallerError, ValidationError):
        return _ask(visit, _WRONG, wrong="provider")
    visit.site.uploads.drop(visit.session)
    # A page and no redirect: on one that another site began, browsers leave the new cookie out.
    response = visit.show("provider.html", url="/", back=True)
    start_browser_session(visit.site, response, grant, visit.chosen_language)
    keep_cookie(visit.site, response, visit.site.cookie("provider"), "", 0, comes_back=True)
    return response


@router.get("/enrol")
def get_enrol(visit: Visited) -> Response:
    """Ask for the login and the code that the administrator handed over."""
    return visit.show("enrol.html", login="", wrong=False)


@router.post("/enrol")
def post_enrol(visit: Visited, sent: OpenForm) -> Response:
    """Show the secret for the authenticator, as a picture and as letters, and ask for a password."""
    login, code = sent.text("login").lower(), sent.text("enrolment")
    return _choose_password(visit, login, code)


@router.post("/enrol/confirm")
def post_confirm(visit: Visited, sent: OpenForm) -> Response:
    login, enrolment, password = sent.text("login").lower(), sent.text("enrolment"), sent.secret("password")
    if password != sent.secret("again"):
        return _choose_password(visit, login, enrolment, "again")
    try:
        grant = _people(visit).confirm_enrolment(login, enrolment, password, _code(sent))
    except (UnknownCallerError, ValidationError):
        return _choose_password(visit, login, enrolment, "code")
    except InputError:
        return _choose_password(visit, login, enrolment, "easy")
    return _signed_in(visit, grant, "/")


@router.get("/set-up")
def get_set_up(visit: Visited) -> Response:
    """Ask for the key of the home folder and the login of the first administrator, until there is one."""
    if _people(visit).ways().set_up:
        return visit.go("/sign-in")
    return visit.show("set_up.html", wrong=False)


@router.post("/set-up")
def post_set_up(visit: Visited, sent: OpenForm) -> Response:
    """Create an administrator's account for the person who holds the key of the home folder."""
    if _people(visit).ways().set_up:
        return visit.go("/sign-in", "set-up")
    login = sent.text("login").lower()
    try:
        invitation = _people(visit, sent.text("key")).add_account(login, (Role.ADMINISTRATOR,))
    except UnknownCallerError:
        return visit.show("set_up.html", _WRONG, wrong=True)
    return _choose_password(visit, login, invitation.code)


def _ask(visit: Visit, http: int = 200, wanted: str = "/", login: str = "", wrong: str = "") -> Response:
    """Show the form of the sign-in, and the way to the ministry's provider where there is one."""
    ways = _people(visit).ways()
    return visit.show("sign_in.html", http, next=wanted, login=login, wrong=wrong, ways=ways)


def _choose_password(visit: Visit, login: str, code: str, wrong: str = "") -> Response:
    """Show the page on which a person sets password and authenticator; each showing makes a new secret."""
    try:
        authenticator = _people(visit).begin_enrolment(login, code)
    except (UnknownCallerError, ValidationError):
        return visit.show("enrol.html", _WRONG, login=login, wrong=True)
    picture = segno.make(authenticator.uri, error="m", micro=False)
    return visit.show(
        "choose_password.html",
        login=login,
        enrolment=code,
        letters=authenticator.secret,
        picture=picture.svg_inline(scale=5, border=3, light="#fff", svgclass=None, lineclass=None, omitsize=True),
        wrong=wrong,
    )


def _signed_in(visit: Visit, grant: SessionGrant, path: str) -> Response:
    """Give the browser the session; it ends with the browser, and at the service when its time is over."""
    visit.site.uploads.drop(visit.session)
    response = visit.go(path)
    start_browser_session(visit.site, response, grant, visit.chosen_language)
    return response


def _people(visit: Visit, token: str = "") -> PeopleClient:
    return PeopleClient(visit.site.connection.as_bearer(token))


def _code(sent: OpenForm) -> str:
    """Return the authenticator's code; people type it in two groups."""
    return sent.text("code").replace(" ", "")


_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@router.get("/static/{version}/{name}")
async def get_static(visit: Visited, version: str, name: str) -> Response:
    """Return a file that is the same for everyone; its address changes with each release, so that it may be cached."""
    content = visit.site.static.get(name)
    if content is None:
        raise HTTPException(404)
    headers = {"cache-control": "public, max-age=31536000, immutable"} if version else {}
    return Response(content, media_type=_TYPES[PurePosixPath(name).suffix], headers=headers)


@router.post("/language")
def post_language(visit: Visited, sent: OpenForm) -> Response:
    """Keep the language that was chosen, in the browser and with the account, and go back to the page."""
    response, tag = visit.go(local_path(sent.text("back"))), sent.text("tag")
    if tag in TAGS:
        keep_language(visit.site, response, tag)
        if visit.session:
            with contextlib.suppress(AquilaError):  # a session that is over, or a service that starts: the page is read
                visit.people().choose_language(tag)
    return response
