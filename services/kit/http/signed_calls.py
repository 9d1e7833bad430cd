"""Calls that a party signed, as handlers take them: verified before the handler runs, and counted (PROTOCOL.md 9.5).

Each party has a bucket of tokens that fills steadily up to its size, and each call takes one token; an empty bucket
refuses with the time to wait. Buckets live in memory: after a start they are full. What protects from replays is
durable by itself (`nonces`); the rate bounds how many nonces there are.
"""

import math
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Protocol

from fastapi import Request, params
from fastapi.openapi.models import HTTPBase as HTTPBaseModel
from starlette.types import Scope

from aquila.errors import ReplayError, SignatureError
from services.kit.errors import TooManyCallsError
from services.kit.http.routing import CallerCheck
from services.kit.http.signatures import CallVerifier, SignedRequest, VerifiedHead
from services.kit.work import threads
from services.kit.work.threads import Pool


@dataclass(frozen=True, slots=True)
class Rate:
    """The refill rate of a bucket, in tokens a second, and its capacity."""

    per_second: float
    size: int


@dataclass(slots=True)
class RateLimiter:
    """A bucket for each party, or for each person's account. Safe in threads."""

    rate: Rate
    clock: Callable[[], float] = time.monotonic
    refusal: str = "party_calls_too_often"
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, party: str) -> None:
        """Take a token of a party that is registered; others have no bucket, so there are never more than parties.

        Raises:
            TooManyCallsError: There is none; the field `retry_after` has the seconds until there is one.
        """
        with self._lock:
            now = self.clock()
            left, at = self._left.get(party, (float(self.rate.size), now))
            left = min(float(self.rate.size), left + (now - at) * self.rate.per_second)
            if left < 1:
                self._left[party] = left, now
                wait = math.ceil((1 - left) / self.rate.per_second)
                raise TooManyCallsError(self.refusal, party=party, retry_after=wait)
            self._left[party] = left - 1, now

    def give_back(self, party: str) -> None:
        """Put a token back that somebody else took in the party's name, by a replayed or changed call."""
        with self._lock:
            left, at = self._left[party]
            self._left[party] = min(float(self.rate.size), left + 1), at


_RELEASE = re.compile(r"aquila/([0-9A-Za-z.+-]{1,32})")


@dataclass(frozen=True, slots=True)
class SignedCall:
    """A call that a party signed, with its verified body."""

    party: str
    body: bytes
    counts: Callable[[], bool]
    """Whether the key is pinned still; a call that is held for long may outlive it."""


class Contacts(Protocol):
    """A service's store of the last contacts of its callers."""

    def record(self, party: str, release: str) -> None:
        """Keep that a party called; may write, and so is called in a thread."""

    def record_sign_of_life(self, party: str) -> None:
        """Keep that a party is still there while it holds a call; writes nothing."""


class _Signature(CallerCheck):
    """The dependency that verifies a signed call; it also declares to OpenAPI that the operation needs one."""

    pool = Pool.PARTIES
    small = False

    def __init__(self) -> None:
        self.scheme_name = "MessageSignature"
        self.model = HTTPBaseModel(scheme="signature", description="RFC 9421 with the party's identity key.")

    async def check(self, request: Request) -> None:
        """Verify the head: a caller who is not known costs no memory."""
        verifier: CallVerifier = request.app.state.call_verifier
        request.state.head = verifier.verify_head(signed_request(request.scope))

    async def __call__(self, request: Request) -> SignedCall:
        verifier: CallVerifier = request.app.state.call_verifier
        head: VerifiedHead = request.state.head
        body = await request.body()
        # Before the nonce is stored: so the rate bounds how many there are. Whoever sends a call of the party again, or
        # with another body, takes nothing from it.
        buckets: RateLimiter | None = request.app.state.buckets
        if buckets is not None:
            buckets.take(head.party)
        # Spending the nonce writes to the database, which must not hold up the event loop.
        contacts: Contacts | None = request.app.state.contacts
        release = _release(request.headers.get("user-agent", ""))
        try:
            await threads.run_call(_verify_body, verifier, contacts, head, body, release)
        except ReplayError:
            if buckets is not None:
                buckets.give_back(head.party)
            raise
        request.state.party = head.party
        return SignedCall(head.party, body, partial(verifier.still_knows, head))


def _verify_body(
    verifier: CallVerifier, contacts: Contacts | None, head: VerifiedHead, body: bytes, release: str
) -> None:
    """Verify the rest of a call, and keep that its party called; raises as `CallVerifier.verify_body` does."""
    verifier.verify_body(head, body)
    if contacts is not None:
        contacts.record(head.party, release)


SIGNED = params.Depends(_Signature())
"""The dependency of a route that only needs a verified call."""

SignedCaller = Annotated[SignedCall, SIGNED]
"""A handler's parameter `call: SignedCaller`: the call is verified before the handler runs."""


def signed_request(scope: Scope) -> SignedRequest:
    """Return the bytes that a signature covers, as received.

    The framework's own URL is built from the decoded path, so two different paths could look alike; the raw one is
    what the caller signed.
    """
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(hosts) != 1:
        raise SignatureError("call_host_not_one")
    path, query = scope["raw_path"], scope["query_string"]
    target = path + b"?" + query if query else path
    url = f"{scope['scheme']}://{hosts[0].decode('latin-1')}{target.decode('latin-1')}"
    return SignedRequest(scope["method"], url, scope["headers"])


def _release(agent: str) -> str:
    """Return the release that a caller's User-Agent names; the text is the caller's, so it has to look like one."""
    found = _RELEASE.fullmatch(agent)
    return found[1] if found else ""
