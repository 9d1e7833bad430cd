"""Calls with a key of the caller's own: a call that is repeated under it is done once, and answered as the first time.

The header is `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header). A key is the person's or program's own, and
stands for one call: method, path, query and body. It is stored before the call is done, and its answer afterwards, so
that after a crash in between nothing is done twice: the caller is told that the end of the first call is not known.
A call that is refused, or whose body did not come whole, has changed nothing, and its key is free again. Answers are
kept for a day.
"""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Header, Request, Response, params
from fastapi.exceptions import RequestValidationError
from sqlalchemy import delete, update
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Message

from aquila.errors import AquilaError, InputError, OrderError
from services.kit.http.routing import AroundCall
from services.kit.people.context import People
from services.kit.people.tables import KeptAnswerRow
from services.kit.work import threads
from services.kit.work.threads import Pool

HEADER = "idempotency-key"
_KEPT_SECONDS = 86_400
_LONGEST_KEY = 255

IdempotencyKey = Annotated[
    str | None,
    Header(
        pattern=rf"^[!-~]{{1,{_LONGEST_KEY}}}$",
        description="An id that the caller makes for this call. Repeated under it within a day, the call is answered "
        "as the first time and has no second effect; another call under it is refused.",
    ),
]


class OnceForKey(AroundCall):
    """The dependency of a handler whose call is done once for each key; it also declares the header to OpenAPI."""

    async def __call__(self, idempotency_key: IdempotencyKey = None) -> None:
        """Take the header; what it does stands in `around`."""

    async def around(self, request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        """Do a call, or return the answer that it had."""
        shown = request.headers.get(HEADER)
        if shown is None or not 0 < len(shown) <= _LONGEST_KEY:  # an unusable one is refused with the other headers
            return await answer(request)
        people: People = request.app.state.door.people
        key = request.state.person, hashlib.sha256(shown.encode()).hexdigest()
        body = _DigestedBody(request)
        kept = await threads.run(Pool.SESSIONS, _begin, people, *key)
        if kept is not None:
            if kept.call_digest is None:
                raise OrderError("idempotency_key_not_over")
            await body.drain()
            if body.call_digest() != kept.call_digest:
                raise InputError("idempotency_key_of_another_call")
            return Response(kept.body, kept.status, media_type="application/json" if kept.body else None)
        try:
            response = await answer(Request(request.scope, body.receive))
        except (AquilaError, HTTPException, RequestValidationError, ClientDisconnect):
            await threads.run(Pool.SESSIONS, _forget, people, *key)
            raise
        await body.drain()
        await threads.run(Pool.SESSIONS, _keep, people, *key, body.call_digest(), response)
        return response


ONCE = params.Depends(OnceForKey())


class _DigestedBody:
    """Passes the body of a call on as it comes, and digests the call."""

    def __init__(self, request: Request) -> None:
        self._receive, self._over = request.receive, False
        self._hash = hashlib.sha256()
        for part in (request.method, request.url.path, request.url.query):
            self._hash.update(part.encode() + b"\0")

    async def receive(self) -> Message:
        message = await self._receive()
        self._hash.update(message.get("body", b""))
        self._over = self._over or not message.get("more_body", False)
        return message

    async def drain(self) -> None:
        """Read what nobody has read."""
        while not self._over:
            await self.receive()

    def call_digest(self) -> str:
        return self._hash.hexdigest()


def _begin(people: People, person: str, key: str) -> KeptAnswerRow | None:
    """Return what is stored under a key; if nothing is, store that its call begins."""
    now = people.clock()
    with people.store.transaction("idempotency.begin") as session:
        _erase_old(session, now)
        row = session.get(KeptAnswerRow, (person, key))
        if row is None:
            session.add(KeptAnswerRow(person=person, key=key, began_at=now))
        return row


def _keep(people: People, person: str, key: str, call_digest: str, answer: Response) -> None:
    with people.store.transaction("idempotency.keep") as session:
        row = session.get_one(KeptAnswerRow, (person, key))
        row.call_digest, row.status, row.body = call_digest, answer.status_code, bytes(answer.body)


def forget_answers(session: Session) -> None:
    """Forget what calls were answered, in the transaction that erases a record: repeated, their end is not known."""
    session.execute(update(KeptAnswerRow).values(call_digest=None, body=b""))


def erase_old_answers(people: People) -> None:
    """Erase the answers whose day is over, though no other call comes."""
    with people.store.transaction("idempotency.erase") as session:
        _erase_old(session, people.clock())


def _erase_old(session: Session, now: int) -> None:
    session.execute(delete(KeptAnswerRow).where(KeptAnswerRow.began_at <= now - _KEPT_SECONDS))


def _forget(people: People, person: str, key: str) -> None:
    with people.store.transaction("idempotency.forget") as session:
        session.execute(delete(KeptAnswerRow).where(KeptAnswerRow.person == person, KeptAnswerRow.key == key))
