"""The calls about people, the same at node and matcher: signing in, own sessions, accounts."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from aquila.audit.roles import Action
from aquila.interface import people as forms
from services.kit.actor import Actor
from services.kit.errors import NotFoundError
from services.kit.http.routing import ServiceRoute
from services.kit.people import accounts, provider_sign_in, sessions, sign_in
from services.kit.people.context import People
from services.kit.people.oidc import Provider
from services.kit.people.permissions import AccessControl, bearer_of, requires
from services.kit.people.sessions import choose_language, show_current_user
from services.kit.work import threads
from services.kit.work.threads import Pool

router = APIRouter(route_class=ServiceRoute, prefix="/v1/people", tags=["people"])


async def _people(request: Request) -> People:
    door: AccessControl = request.app.state.door
    assert door.people is not None
    return door.people


def provider_of(people: People) -> Provider:
    """Return the provider; raises NotFoundError if the settings name none."""
    if people.provider is None:
        raise NotFoundError("identity_provider_missing")
    return people.provider


async def _shown(request: Request) -> str:
    return bearer_of(request.headers.get("authorization", ""))


At = Annotated[People, Depends(_people)]
Shown = Annotated[str, Depends(_shown)]
Own = Annotated[Actor, requires(Action.OWN_SESSION)]
Administrator = Annotated[Actor, requires(Action.MANAGE_PEOPLE)]
Person = Annotated[str, Path(pattern=r"^p-[0-9a-f]{12}$")]


@router.post("/sign-in", status_code=201, summary="Sign in with password and authenticator")
async def post_sign_in(people: At, replaced: Shown, shown: forms.SignIn) -> forms.SessionGrant:
    """Open a session; one whose token came with the call ends."""
    return await threads.run(Pool.PASSWORDS, sign_in.sign_in, people, shown, replaced)


@router.post("/enrolment", summary="Begin to enrol with a one-time code")
async def post_enrolment(people: At, shown: forms.BeginEnrolment) -> forms.Authenticator:
    return await threads.run(Pool.PASSWORDS, sign_in.begin_enrolment, people, shown)


@router.post("/enrolment/confirm", status_code=201, summary="Set the password and end the enrolment")
async def post_confirmation(people: At, shown: forms.ConfirmEnrolment) -> forms.SessionGrant:
    return await threads.run(Pool.PASSWORDS, sign_in.confirm_enrolment, people, shown)


@router.get("/ways", summary="How one can sign in")
async def get_ways(people: At) -> forms.SignInWays:
    """Return whether there is a provider besides local accounts, and whether an administrator can sign in."""
    set_up = await threads.run(Pool.SESSIONS, accounts.has_administrator, people)
    return forms.SignInWays(password=True, provider=people.provider is not None, set_up=set_up)


@router.post("/provider/start", status_code=201, summary="Begin to sign in at the ministry's provider")
async def post_provider_start(people: At) -> forms.ProviderStart:
    """Return where the browser goes, and what it keeps until it comes back."""
    return await threads.run(Pool.PROVIDER, provider_sign_in.start, people, provider_of(people))


@router.post("/provider/finish", status_code=201, summary="End a sign-in at the ministry's provider")
async def post_provider_finish(people: At, replaced: Shown, shown: forms.ProviderReturn) -> forms.SessionGrant:
    return await threads.run(Pool.PROVIDER, provider_sign_in.finish, people, provider_of(people), shown, replaced)


@router.get("/me", summary="Who the caller is")
def get_me(people: At, actor: Own) -> forms.CurrentUser:
    """Return the caller and the actions that its roles allow."""
    return show_current_user(people, actor)


@router.put("/language", status_code=204, summary="Choose the language of the pages")
def put_language(people: At, actor: Own, wanted: forms.LanguageChoice) -> None:
    """Keep the language in which the caller reads the pages; a sign-in returns it."""
    choose_language(people, actor, wanted)


@router.post("/password", status_code=201, summary="Set another password")
async def post_password(people: At, actor: Own, shown: forms.PasswordChange) -> forms.SessionGrant:
    """Set another password and end all sessions but the one that is returned."""
    return await threads.run(Pool.PASSWORDS, sign_in.change_password, people, actor, shown)


@router.get("/sessions", summary="The caller's sessions")
def get_sessions(people: At, actor: Own) -> forms.Sessions:
    return sessions.list_sessions(people, actor)


@router.delete("/sessions/{session_id}", status_code=204, summary="End a session")
def delete_session(people: At, actor: Own, session_id: Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]) -> None:
    """End one of the caller's own sessions; the present one is a sign-out."""
    sessions.end_session(people, actor, session_id)


@router.post("/sign-out", status_code=204, summary="Sign out")
def post_sign_out(people: At, actor: Own) -> None:
    sessions.end_session(people, actor, actor.session_id)


@router.get("/accounts", summary="All accounts", dependencies=[requires(Action.MANAGE_PEOPLE)])
def get_accounts(people: At) -> forms.Accounts:
    return accounts.list_accounts(people)


@router.post("/accounts", status_code=201, summary="Make an account")
def post_account(people: At, actor: Administrator, wanted: forms.NewAccount) -> forms.Invitation:
    """Make an account and return its enrolment code, once."""
    return accounts.add_account(people, actor, wanted)


@router.post("/programs", status_code=201, summary="Make an account of a program")
def post_program(people: At, actor: Administrator, wanted: forms.NewProgram) -> forms.ProgramGrant:
    """Make an account of a program and return its token, once; deactivated, it ends for good."""
    return accounts.add_program(people, actor, wanted)


@router.post("/accounts/{person}/reset", summary="Let a person enrol again")
def post_reset(people: At, actor: Administrator, person: Person) -> forms.Invitation:
    """Forget password and authenticator and return an enrolment code, once."""
    return accounts.reset_account(people, actor, person)


@router.post("/accounts/{person}/admit", summary="Let in whom the provider named")
def post_admit(people: At, actor: Administrator, person: Person, shown: forms.Admission) -> forms.AccountView:
    return accounts.admit_account(people, actor, person, shown)


@router.put("/accounts/{person}/roles", summary="Give an account other roles")
def put_roles(people: At, actor: Administrator, person: Person, change: forms.RoleChange) -> forms.AccountView:
    return accounts.change_roles(people, actor, person, change.roles)


@router.post("/accounts/{person}/deactivate", summary="Deactivate an account")
def post_deactivate(people: At, actor: Administrator, person: Person) -> forms.AccountView:
    return accounts.switch_account(people, actor, person, active=False)


@router.post("/accounts/{person}/activate", summary="Activate an account again")
def post_activate(people: At, actor: Administrator, person: Person) -> forms.AccountView:
    return accounts.switch_account(people, actor, person, active=True)
