"""Signed calls: RFC 9421 HTTP message signatures with the parties' identity keys (PROTOCOL.md section 9).

A caller signs the method, authority, path and query, and with a body its content digest (RFC 9530) and content type;
the signature carries the key's fingerprint, the time, a fresh nonce and the tag `aquila`. The scheme is not covered,
because a proxy may end TLS; the authority is, so that a call to one service is worth nothing at another.

Answers are not signed here. What counts in them is signed as a statement or has a digest inside a signed statement;
the rest (a status, a problem) is the matcher's word, on which no party relies.

RFC 9421 lets a signature be written in many ways. PROTOCOL.md 9.1.1 allows one, and every other is refused.
"""

import base64
import hashlib
import re
import secrets
from asyncio import to_thread
from collections.abc import AsyncGenerator, Callable, Collection, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Protocol

import httpx

from aquila.crypto.keys import IdentityKey, SigningKey, VerifyKey
from aquila.errors import ReplayError, SignatureError

TAG = "aquila"
WINDOW_SECONDS = 300
NONCE_BYTES = 16
COMPONENTS = ("@method", "@authority", "@path", "@query")
BODY_COMPONENTS = ("content-digest", "content-type")

_INPUT = re.compile(
    r'aquila=(\("@method" "@authority" "@path" "@query"( "content-digest" "content-type")?\)'
    r';created=(0|[1-9][0-9]{0,11});keyid="([0-9a-f]{64})";alg="ed25519";nonce="([A-Za-z0-9_-]{1,64})";tag="aquila")'
)
_SIGNATURE = re.compile(r"aquila=:([A-Za-z0-9+/]{86}==):")
_SEGMENTS = r"[A-Za-z0-9._~!$&'()*+,;=:@/%-]"
_URL = re.compile(
    rf"(https?)://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]+))?(/{_SEGMENTS}*)?(?:\?((?:{_SEGMENTS}|\?)*))?"
)
_VALUE = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_DEFAULT_PORTS = {"http": "80", "https": "443"}


class Nonces(Protocol):
    """The nonces that were used. An implementation is a durability contract.

    When `spend` has returned, no later `spend` of the same key and nonce returns before `keep_until`, in any thread,
    in any process, and after any crash.
    """

    def spend(self, key_id: str, nonce: str, keep_until: int, now: int) -> None:
        """Use a nonce; raises ReplayError if it was used before."""


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """The bytes that a signature covers, as received: nothing decoded, no header joined or dropped."""

    method: str
    url: str
    headers: Sequence[tuple[bytes, bytes]]

    def header(self, name: str) -> str:
        """Return the value of the one line with a name in lower case, or an empty text if there is not exactly one."""
        values = [value for known, value in self.headers if known.lower() == name.encode()]
        return values[0].decode("latin-1") if len(values) == 1 else ""


class CallSigner(httpx.Auth):
    """Signs every request of an httpx client. A streamed body is read into memory first: it is a chunk, not a list."""

    requires_request_body: ClassVar[bool] = True  # type: ignore[misc]  # httpx declares a plain class attribute

    def __init__(self, key: SigningKey, party: str, clock: Callable[[], int] | None = None) -> None:
        """Sign for a party.

        Args:
            party: Its code, for `repr` only; the verifier knows it by the key's fingerprint.
            clock: Seconds since 1970; the system's clock if not given.
        """
        self._key = key
        self._party = party
        self._clock = clock or now

    def __repr__(self) -> str:
        return f"CallSigner({self._party})"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        self.sign(request)
        yield request

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sign a request after its body was read; a key in a token may take its time, so a thread waits for that."""
        await request.aread()
        if isinstance(self._key, IdentityKey):
            self.sign(request)
        else:
            await to_thread(self.sign, request)
        yield request

    def sign(self, request: httpx.Request) -> None:
        """Add the digest and the signature to a request; a signature of an earlier attempt is replaced."""
        headers, body = request.headers, request.content
        for name in ("content-digest", "signature-input", "signature"):
            headers.pop(name, None)
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        authority = request.url.netloc.decode("ascii")
        covered = dict(zip(COMPONENTS, (request.method, authority, path, f"?{query}"), strict=True))
        if body:
            headers.setdefault("content-type", "application/octet-stream")
            headers["content-digest"] = content_digest(body)
            covered |= {name: headers[name] for name in BODY_COMPONENTS}
        names = " ".join(f'"{name}"' for name in covered)
        nonce, key_id = secrets.token_urlsafe(NONCE_BYTES), self._key.public.fingerprint
        parameters = f'({names});created={self._clock()};keyid="{key_id}";alg="ed25519";nonce="{nonce}";tag="{TAG}"'
        signature = self._key.sign(signature_base(covered, parameters))
        headers["signature-input"] = f"{TAG}={parameters}"
        headers["signature"] = f"{TAG}=:{base64.b64encode(signature).decode()}:"


def content_digest(body: bytes) -> str:
    """Return the Content-Digest of a body (RFC 9530), as a caller sends it."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def signature_base(covered: Mapping[str, str], parameters: str) -> bytes:
    """Return the bytes that are signed (RFC 9421 section 2.5)."""
    lines = [f'"{name}": {value}' for name, value in covered.items()]
    return "\n".join([*lines, f'"@signature-params": {parameters}']).encode("ascii")


@dataclass(frozen=True, slots=True)
class VerifiedHead:
    """A call whose signature holds, whose body was not seen yet, and whose nonce is not spent."""

    party: str
    key_id: str
    covered: Mapping[str, str]
    created: int
    """When it was signed, in seconds since 1970."""
    nonce: str


class CallVerifier:
    """Verifies signed calls. Safe in threads.

    `verify_head`, then the body is read, then `verify_body`: nothing is read for a caller who is not known.
    """

    def __init__(
        self,
        keys: Mapping[str, tuple[str, VerifyKey]],
        nonces: Nonces,
        authorities: Collection[str],
        clock: Callable[[], int] | None = None,
        max_age: int = WINDOW_SECONDS,
    ) -> None:
        """Verify for a service.

        Args:
            keys: The pinned keys: fingerprint to party and key (`Registry.by_fingerprint`).
            nonces: Which nonces were used, across restarts.
            authorities: `host` or `host:port` under which this service is called, without the scheme's default port.
            clock: Seconds since 1970; the system's clock if not given.
            max_age: Seconds that a call's time may differ from ours, each way.
        """
        self._keys = keys
        self._nonces = nonces
        self._authorities = frozenset(authority.lower() for authority in authorities)
        self._clock = clock or now
        self._max_age = max_age

    def verify_head(self, message: SignedRequest) -> VerifiedHead:
        """Verify everything but the body and the nonce.

        1. One signature in the form of PROTOCOL.md 9.1.1, by a pinned key.
        2. The authority is ours.
        3. Its time is within the window.

        Raises:
            SignatureError: 1 or 2 does not hold.
            ReplayError: 3 does not hold; the field `matcher_time` has our time in seconds since 1970.
        """
        # 1.
        given = _INPUT.fullmatch(message.header("signature-input"))
        signed = _SIGNATURE.fullmatch(message.header("signature"))
        covered = _covered(message, BODY_COMPONENTS if given and given[2] else ())
        if given is None or signed is None or covered is None:
            raise SignatureError("call_signature_not_pinned")
        parameters, _, created, key_id, nonce = given.groups()
        party, key = self._keys.get(key_id, ("", None))
        if key is None:
            raise SignatureError("call_signature_not_pinned")
        try:
            key.verify(base64.b64decode(signed[1], validate=True), signature_base(covered, parameters))
        except SignatureError:
            raise SignatureError("call_signature_not_pinned") from None
        # 2.
        if covered["@authority"] not in self._authorities:
            raise SignatureError("call_signed_for_another_service", party=party)
        # 3.
        self._check_time(int(created), party)
        return VerifiedHead(party, key_id, covered, int(created), nonce)

    def verify_body(self, head: VerifiedHead, body: bytes) -> None:
        """Verify the body and spend the nonce, which a call with a changed body leaves to its sender.

        1. A body has a signed content digest and content type, and the digest is the body's.
        2. The key still counts: it may have been replaced while the body came.
        3. The nonce was not used before.

        Raises:
            SignatureError: 1 or 2 does not hold.
            ReplayError: 3 does not hold.
        """
        # 1.
        if body and "content-type" not in head.covered:
            raise SignatureError("call_content_type_not_signed", party=head.party)
        if head.covered.get("content-digest") != (content_digest(body) if body else None):
            raise SignatureError("call_body_differs", party=head.party)
        # 2.
        if not self.still_knows(head):
            raise SignatureError("call_signature_not_pinned")
        # 3. Twice the window: a clock that is set back by less than one window opens no gap.
        self._nonces.spend(head.key_id, head.nonce, head.created + 2 * self._max_age, self._clock())

    def still_knows(self, head: VerifiedHead) -> bool:
        """Return whether the key of a call is pinned for its party now: it may have been replaced since."""
        party, _ = self._keys.get(head.key_id, ("", None))
        return party == head.party

    def _check_time(self, created: int, party: str) -> None:
        """Refuse a time outside the window, and state ours."""
        ours = self._clock()
        if abs(ours - created) > self._max_age:
            raise ReplayError(
                "call_time_differs", party=party, matcher_time=ours, difference=created - ours, max_age=self._max_age
            )


def now() -> int:
    """Return the system's time in whole seconds since 1970."""
    return int(datetime.now(tz=UTC).timestamp())


def _covered(message: SignedRequest, fields: Iterable[str]) -> dict[str, str] | None:
    """Return the values of the components of a call (RFC 9421 section 2), or None for one in an unusual form."""
    url = _URL.fullmatch(message.url)
    if url is None or not (message.method.isascii() and message.method.isalpha() and message.method.isupper()):
        return None
    scheme, host, port, path, query = url.groups()
    authority = host.lower() if port in {None, _DEFAULT_PORTS[scheme]} else f"{host.lower()}:{port}"
    covered = dict(zip(COMPONENTS, (message.method, authority, path or "/", f"?{query or ''}"), strict=True))
    covered |= {name: message.header(name) for name in fields}
    return covered if all(map(_VALUE.fullmatch, covered.values())) else None
