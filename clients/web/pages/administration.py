"""People: one's own sessions and password, and for the administrator the accounts of the service."""

from fastapi import APIRouter, Response

from aquila.audit.roles import Role, role_table
from aquila.errors import AquilaError, InputError, OrderError, PolicyError, ProtocolError
from aquila.interface.attention import NotificationChannel, NotificationChoice
from aquila.interface.people import Invitation, ProgramGrant
from aquila.interface.service.party import RegistryView
from clients.web.app.visit import PageRoute, Sent, Visit, Visited, keep_cookie
from clients.web.text.labels import ROLES
from clients.web.text.request_letter import CHANNELS, FAILURES
from services.kit.errors import NotAllowedError, NotFoundError, SignInError, UnknownCallerError

router = APIRouter(route_class=PageRoute)


@router.get("/account")
def get_account(visit: Visited) -> Response:
    return _account(visit)


@router.get("/glossary")
def get_glossary(visit: Visited) -> Response:
    visit.need_session()
    return visit.show("glossary.html")


def _account(visit: Visited, http: int = 200, *, wrong: str = "", wrong_address: str | None = None) -> Response:
    """Show the page of an account.

    Args:
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
def post_notifications(visit: Visited, sent: Sent) -> Response:
    """Choose notifications, in the language of the page."""
    address = sent.text("address")
    try:
        channel = NotificationChannel(sent.text("channel"))
        wanted = NotificationChoice(channel=channel, address=address, language=visit.language.tag)
        visit.people().choose_notifications(wanted)
    except (InputError, ValueError):
        return _account(visit, 422, wrong_address=address)
    return visit.go("/account", "told")


@router.post("/account/notifications/end")
def post_notifications_end(visit: Visited, _sent: Sent) -> Response:
    visit.people().end_notifications()
    return visit.go("/account", "told-no-more")


@router.post("/account/password")
def post_password(visit: Visited, sent: Sent) -> Response:
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
def post_end(visit: Visited, _sent: Sent, session_id: str) -> Response:
    visit.people().end_session(session_id)
    return visit.go("/account", "ended")


@router.post("/sign-out")
def post_sign_out(visit: Visited, _sent: Sent) -> Response:
    """End the session."""
    visit.site.uploads.drop(visit.session)
    visit.people().sign_out()
    response = visit.go("/sign-in", "signed-out")
    keep_cookie(visit.site, response, visit.site.cookie("session"), "", 0)
    # Whatever the browser still has of this site goes as well.
    response.headers["clear-site-data"] = '"cache", "storage"'
    return response


@router.get("/people")
def get_people(visit: Visited) -> Response:
    return _people(visit)


def _people(visit: Visit, invitation: Invitation | None = None, granted: ProgramGrant | None = None) -> Response:
    accounts, roles = visit.people().accounts().accounts, _roles(visit)
    of_programs = [(role, visit.say(ROLES[role])) for role in role_table().for_programs(visit.site.service)]
    return visit.show(
        "people.html", accounts=accounts, roles=roles, of_programs=of_programs, invitation=invitation, granted=granted
    )


@router.post("/people")
def post_person(visit: Visited, sent: Sent) -> Response:
    """Make an account and show its enrolment code, once."""
    return _people(visit, visit.people().add_account(sent.text("login").lower(), _chosen_roles(sent)))


@router.post("/people/programs")
def post_program(visit: Visited, sent: Sent) -> Response:
    """Make an account of a program and show its token, once."""
    login, role = sent.text("program_login").lower(), sent.choice("program_role", Role)
    networks, days = tuple(sent.text("networks").split()), sent.number("days")
    return _people(visit, granted=visit.people().add_program(login, role, networks, days))


@router.post("/people/{person}/reset")
def post_reset(visit: Visited, _sent: Sent, person: str) -> Response:
    """Let a person enrol again and show the enrolment code, once."""
    return _people(visit, visit.people().reset_account(person))


@router.post("/people/{person}/admit")
def post_admit(visit: Visited, sent: Sent, person: str) -> Response:
    visit.people().admit_account(person, sent.text("issuer"), sent.text("subject"), sent.text("name"))
    return visit.go("/people", "admitted")


@router.post("/people/{person}/roles")
def post_roles(visit: Visited, sent: Sent, person: str) -> Response:
    visit.people().change_roles(person, _chosen_roles(sent))
    return visit.go("/people", "roles")


@router.post("/people/{person}/deactivate")
def post_deactivate(visit: Visited, _sent: Sent, person: str) -> Response:
    visit.people().deactivate_account(person)
    return visit.go("/people", "deactivated")


@router.post("/people/{person}/activate")
def post_activate(visit: Visited, _sent: Sent, person: str) -> Response:
    visit.people().activate_account(person)
    return visit.go("/people", "activated")


def _roles(visit: Visited) -> list[tuple[str, str]]:
    """Return the roles that accounts of this service can have, each with what it is for."""
    table, service = role_table(), visit.site.service
    return [(role.value, table.rows[service, role].means) for role in table.roles_of(service)]


def _chosen_roles(sent: Sent) -> tuple[Role, ...]:
    """Return the roles that were ticked; raises InputError if none, or one that there is not."""
    try:
        return tuple(Role(text) for text in sent.texts("role"))
    except ValueError:
        raise InputError("role_unknown") from None


node = APIRouter(route_class=PageRoute)
matcher = APIRouter(route_class=PageRoute)


@node.get("/registry")
def get_registry(visit: Visited) -> Response:
    return _page(visit, visit.node().registry())


@node.post("/registry/fetch")
def post_fetch(visit: Visited, _sent: Sent) -> Response:
    return _page(visit, visit.node().fetch_registry())


@node.post("/registry/accept")
def post_accept(visit: Visited, sent: Sent) -> Response:
    """Ask to accept the registry that the page showed, by the words that were typed."""
    client = visit.node()
    try:
        client.accept_registry(sent.text("digest"), sent.text("spoken"))
    except (NotAllowedError, UnknownCallerError):
        raise
    except (InputError, NotFoundError, OrderError, PolicyError, ProtocolError) as error:
        return _page(visit, client.registry(), error, sent.text("spoken"))
    return visit.go("/registry", "asked")


@matcher.get("/registry")
def get_stated(visit: Visited) -> Response:
    """Show the registry that the matcher states, and who has accepted it."""
    return _page(visit, visit.matcher().registry())


def _page(visit: Visit, view: RegistryView, error: AquilaError | None = None, spoken: str = "") -> Response:
    fault = "" if error is None else visit.language.compose(error.sentence)
    return visit.show("registry.html", 200 if error is None else 422, registry=view, fault=fault, spoken=spoken)
