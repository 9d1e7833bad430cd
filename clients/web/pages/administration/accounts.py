"""People: one's own sessions and password, and for the administrator the accounts of the service."""

from __future__ import annotations

from fastapi import APIRouter, Response

from aquila.audit.roles import Role, role_table
from aquila.errors import InputError
from aquila.interface.attention import Channel, NotificationChoice
from clients.web.app.visit import Sent, Visited, keep_cookie, threaded
from clients.web.text.notifications import CHANNELS, FAILURES
from services.kit.errors import SignInError

router = APIRouter()


@router.get("/account")
@threaded
def get_account(visit: Visited) -> Response:
    """Show the visitor's account, sessions and notifications."""
    return _account(visit)


@router.get("/glossary")
@threaded
def get_glossary(visit: Visited) -> Response:
    """Show the terms of the pages, each in two sentences."""
    visit.need_session()
    return visit.show("glossary.html")


def _account(visit: Visited, http: int = 200, *, wrong: str = "", wrong_address: str | None = None) -> Response:
    """Show the page of an account.

    Args:
        visit: Who looks.
        http: The status.
        wrong: What is wrong with a new password: again, code or easy.
        wrong_address: An address to which the node sends nothing.
    """
    own = visit.people().notifications()
    return visit.show(
        "account.html",
        http,
        sessions=visit.people().sessions().sessions,
        wrong=wrong,
        notifications=own,
        channels=[(one.value, visit.say(CHANNELS[one.value])) for one in own.channels],
        failure=visit.say(FAILURES[own.failure]) if own.failure else "",
        wrong_address=wrong_address,
    )


@router.post("/account/notifications")
@threaded
def post_notifications(visit: Visited, sent: Sent) -> Response:
    """Choose notifications, in the language of the page."""
    address = sent.text("address")
    try:
        wanted = NotificationChoice(channel=Channel(sent.text("channel")), address=address, language=visit.language.tag)
        visit.people().choose_notifications(wanted)
    except (InputError, ValueError):
        return _account(visit, 422, wrong_address=address)
    return visit.go("/account", "told")


@router.post("/account/notifications/end")
@threaded
def post_notifications_end(visit: Visited, _sent: Sent) -> Response:
    """End the visitor's notifications."""
    visit.people().end_notifications()
    return visit.go("/account", "told-no-more")


@router.post("/account/password")
@threaded
def post_password(visit: Visited, sent: Sent) -> Response:
    """Set another password."""
    people, new = visit.people(), sent.secret("new_password")
    wrong = "again" if new != sent.secret("again") else ""
    if not wrong:
        try:
            grant = people.change_password(sent.secret("password"), sent.text("code").replace(" ", ""), new)
        except SignInError:
            wrong = "code"
        except InputError:
            wrong = "easy"
    if wrong:
        return _account(visit, 422, wrong=wrong)
    response = visit.go("/account", "password")
    keep_cookie(visit.site, response, visit.site.cookie("session"), grant.token)
    return response


@router.post("/account/sessions/{session_id}/end")
@threaded
def post_end(visit: Visited, _sent: Sent, session_id: str) -> Response:
    """End one of one's own sessions."""
    visit.people().end_session(session_id)
    return visit.go("/account", "ended")


@router.get("/people")
@threaded
def get_people(visit: Visited) -> Response:
    """Show all accounts."""
    return visit.show("people.html", accounts=visit.people().accounts().accounts, roles=_roles(visit), invitation=None)


@router.post("/people")
@threaded
def post_person(visit: Visited, sent: Sent) -> Response:
    """Make an account and show its enrolment code, once."""
    people = visit.people()
    invitation = people.add_account(sent.text("login").lower(), _chosen_roles(sent))
    return visit.show("people.html", accounts=people.accounts().accounts, roles=_roles(visit), invitation=invitation)


@router.post("/people/{person}/reset")
@threaded
def post_reset(visit: Visited, _sent: Sent, person: str) -> Response:
    """Let a person enrol again and show the enrolment code, once."""
    people = visit.people()
    invitation = people.reset_account(person)
    return visit.show("people.html", accounts=people.accounts().accounts, roles=_roles(visit), invitation=invitation)


@router.post("/people/{person}/admit")
@threaded
def post_admit(visit: Visited, sent: Sent, person: str) -> Response:
    """Let in whom the page named."""
    visit.people().admit_account(person, sent.text("issuer"), sent.text("subject"), sent.text("name"))
    return visit.go("/people", "admitted")


@router.post("/people/{person}/roles")
@threaded
def post_roles(visit: Visited, sent: Sent, person: str) -> Response:
    """Give an account other roles."""
    visit.people().change_roles(person, _chosen_roles(sent))
    return visit.go("/people", "roles")


@router.post("/people/{person}/deactivate")
@threaded
def post_deactivate(visit: Visited, _sent: Sent, person: str) -> Response:
    """Let an account sign in no more."""
    visit.people().deactivate_account(person)
    return visit.go("/people", "deactivated")


@router.post("/people/{person}/activate")
@threaded
def post_activate(visit: Visited, _sent: Sent, person: str) -> Response:
    """Let an account sign in again."""
    visit.people().activate_account(person)
    return visit.go("/people", "activated")


def _roles(visit: Visited) -> list[tuple[str, str]]:
    """Return the roles that accounts of this service can have, each with what it is for."""
    table, service = role_table(), visit.site.service
    return [(role.value, table.rows[service, role].means) for role in table.roles_of(service)]


def _chosen_roles(sent: Sent) -> tuple[Role, ...]:
    """Return the roles that were ticked.

    Raises:
        InputError: None, or one that there is not.
    """
    try:
        return tuple(Role(text) for text in sent.texts("role"))
    except ValueError:
        raise InputError("role_unknown") from None
