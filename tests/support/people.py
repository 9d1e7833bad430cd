"""People for the tests of the services: accounts whose sessions are open, and two persons who act together."""

import json
from typing import TypeVar

import httpx

from aquila.audit.roles import Role, role_table
from aquila.interface.approval import PendingApproval
from aquila.interface.people import Method
from services.kit.approvals import decisions
from services.kit.approvals.requests import Approvals
from services.kit.people.accounts import new_person
from services.kit.people.context import People
from services.kit.people.sessions import find_actor, open_session
from services.kit.people.tables import AccountRow
from services.kit.settings import ServiceSettings

S = TypeVar("S", bound="ServiceSettings")

_YEARS = 10 * 365 * 24 * 60


def patient(settings: S) -> S:
    """Return settings under which sessions outlive a test that sets the clock, and passwords cost nothing."""
    longer = {"idle_minutes": _YEARS, "session_minutes": _YEARS, "argon2_kibibytes": 32, "argon2_passes": 1}
    return settings.model_copy(update={"people": settings.people.model_copy(update=longer)})


def signed_in(people: People, login: str, *roles: Role) -> str:
    """Make an account with these roles, unless it is there, and return the token of a new session of it."""
    with people.store.transaction("test.people") as session:
        row = session.query(AccountRow).filter_by(login=login).one_or_none()
        if row is None:
            row = AccountRow(
                person=new_person(), login=login, roles=list(roles), active=True, created_at=0, password_hash="none"
            )
            session.add(row)
            session.flush()
        return open_session(session, people, row, Method.PASSWORD).token


def two_persons(people: People) -> tuple[str, str]:
    """Return the tokens of two persons who have every role of the service between them, and can approve each other."""
    roles = role_table().roles_of(people.service)
    return signed_in(people, "ana", *roles), signed_in(people, "bor", *roles)


def approve(approvals: Approvals, asked: PendingApproval) -> None:
    """Let somebody who is no administrator approve a request."""
    (role,) = (
        one for one in (Role.APPROVER, Role.SECRETARIAT) if one in role_table().roles_of(approvals.people.service)
    )
    second = find_actor(approvals.people, signed_in(approvals.people, "second", role))
    assert second is not None
    decisions.approve(approvals, second, asked.approval_id, asked.digest)


class FourEyes(httpx.AsyncBaseTransport):
    """Lets one person ask and another approve at once: what a test wants done is done, as two persons would do it.

    The answer is that to the first person, or the refusal to the second.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport, tokens: tuple[str, str]) -> None:
        self._transport, self._tokens = transport, tokens

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Make the call, and the second person's if it waits for one."""
        request.headers.setdefault("authorization", f"Bearer {self._tokens[0]}")
        answer = await self._transport.handle_async_request(request)
        await answer.aread()
        if answer.status_code != httpx.codes.ACCEPTED or b'"approval_id"' not in answer.content:
            return answer
        asked = json.loads(answer.content)
        approval = httpx.Request(
            "POST",
            request.url.copy_with(raw_path=f"/v1/approvals/{asked['approval_id']}/approve".encode()),
            headers={"authorization": f"Bearer {self._tokens[1]}"},
            json={"digest": asked["digest"]},
        )
        decided = await self._transport.handle_async_request(approval)
        await decided.aread()
        return answer if decided.is_success else decided
