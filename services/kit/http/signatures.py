"""Signed calls: RFC 9421 HTTP message signatures with the parties' identity keys (PROTOCOL.md section 9).

A caller signs the method, authority, path and query, and with a body its content digest (RFC 9530) and content type;
the signature carries the key's fingerprint, the time, a fresh nonce and the tag `aquila`. The scheme is not covered,
because a proxy may end TLS; the authority is, so that a call to one service is worth nothing at another.

Answers are not signed here. What counts in them is signed as a statement or has a digest inside a signed statement;
the rest (a status, a problem) is the matcher's word, on which no party relies.

RFC 9421 lets a signature be written in many ways. Aquila writes one, which is composed and read here; a call that is
signed in any other way is verified by a library.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from asyncio import to_thread
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, Protocol

import httpx
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    VerifyResult,
    algorithms,
)

from aquila.crypto.keys import IdentityKey
from aquila.errors import ReplayError, SignatureError

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        Callable,
        Collection,
        Generator,
        Iterable,
        Mapping,
    )

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from aquila.crypto.keys import SigningKey, VerifyKey

TAG = "aquila"
WINDOW_SECONDS = 300
NONCE_BYTES = 16
COMPONENTS = ("@method", "@authority", "@path", "@query")
BODY_COMPONENTS = ("content-digest", "content-type")
_NONCE_LIMIT = 64

_INPUT = re.compile(
    r'([a-z][a-z0-9_.*-]*)=(\("@method" "@authority" "@path" "@query"( "content-digest" "content-type")?\)'
    r';created=(0|[1-9][0-9]{0,11});keyid="([0-9a-f]{64})";alg="ed25519";nonce="([A-Za-z0-9_-]+)";tag="aquila")'
)
_SIGNATURE = re.compile(r"([a-z][a-z0-9_.*-]*)=:([A-Za-z0-9+/]{86}==):")
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
        """Use a nonce.

        Raises:
            ReplayError: It was used before.
        """


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """The bytes that a signature covers, as received: nothing decoded, no header joined or dropped."""

    method: str
    url: str
    headers: HeaderLines


class HeaderLines:
    """Header lines in order; the shape that the library reads."""

    def __init__(self, lines: Iterable[tuple[bytes, bytes]]) -> None:
        self._lines = [(name.decode("ascii", "replace"), value.decode("latin-1")) for name, value in lines]

    def items(self) -> list[tuple[str, str]]:
        """Return every line, repeated names included."""
        return self._lines

    def only(self, name: str) -> str:
        """Return the value of the one line of a name; an empty text if there is none, or more than one."""
        found = [value for known, value in self._lines if known.lower() == name]
        return found[0] if len(found) == 1 else ""

    def __contains__(self, name: str) -> bool:
        return any(name.lower() == known.lower() for known, _ in self._lines)


class CallSigner(httpx.Auth):
    """Signs every request of an httpx client. A streamed body is read into memory first: it is a chunk, not a list."""

    requires_request_body: ClassVar[bool] = True  # type: ignore[misc]  # httpx declares a plain class attribute

    def __init__(self, key: SigningKey, party: str, clock: Callable[[], int] | None = None) -> None:
        """Sign for a party.

        Args:
            key: The party's long-term identity key.
            party: Its code, for `repr` only; the verifier knows it by the key's fingerprint.
            clock: Seconds since 1970; the system's clock if not given.
        """
        self._key = key
        self._party = party
        self._clock = clock or now

    def __repr__(self) -> str:
        return f"CallSigner({self._party})"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign a request whose body was read."""
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
    """Return the bytes that are signed (RFC 9421 section 2.5).

    Args:
        covered: The values of the covered components by their names, in their order.
        parameters: The value of `@signature-params`.
    """
    lines = [f'"{name}": {value}' for name, value in covered.items()]
    return "\n".join([*lines, f'"@signature-params": {parameters}']).encode("ascii")


@dataclass(frozen=True, slots=True)
class VerifiedHead:
    """A call whose signature holds, whose body was not seen yet, and whose nonce is not spent."""

    party: str
    key_id: str
    message: SignedRequest
    result: VerifyResult


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
        self._verifier = _Verifier(signature_algorithm=algorithms.ED25519, key_resolver=_Pinned(keys))

    def verify(self, message: SignedRequest, body: bytes) -> str:
        """Verify a whole call and return the party; raises as `verify_head` and `verify_body` do."""
        head = self.verify_head(message)
        self.verify_body(head, body)
        return head.party

    def verify_head(self, message: SignedRequest) -> VerifiedHead:
        """Verify everything but the body and the nonce.

        1. One signature with our tag, by a pinned key, over at least the method, authority, path and query.
        2. The authority is ours.
        3. It has a nonce, and its time is within the window.

        Raises:
            SignatureError: 1 or 2 does not hold.
            ReplayError: 3 does not hold; the field `matcher_time` has our time in seconds since 1970.
        """
        # 1.
        results = self._checked(message)
        if len(results) != 1:
            raise SignatureError("call_signed_twice")
        result = results[0]
        key_id = str(result.parameters["keyid"])
        party, _ = self._keys[key_id]
        # 2.
        if result.covered_components['"@authority"'] not in self._authorities:
            raise SignatureError("call_signed_for_another_service", party=party)
        # 3.
        if not result.nonce or len(result.nonce) > _NONCE_LIMIT:
            raise SignatureError("call_nonce_missing", party=party)
        self._check_time(int(result.parameters["created"]), party)
        return VerifiedHead(party, key_id, message, result)

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
        covered = head.result.covered_components
        if body and '"content-type"' not in covered:
            raise SignatureError("call_content_type_not_signed", party=head.party)
        if not body or covered.get('"content-digest"') != content_digest(body):
            try:
                self._verifier.verify_body(head.message, [head.result], body)
            except HTTPMessageSignaturesException:
                raise SignatureError("call_body_differs", party=head.party) from None
        # 2.
        if not self.still_knows(head):
            raise SignatureError("call_signature_not_pinned")
        # 3. Twice the window: a clock that is set back by less than one window opens no gap.
        created = int(head.result.parameters["created"])
        self._nonces.spend(head.key_id, str(head.result.nonce), created + 2 * self._max_age, self._clock())

    def still_knows(self, head: VerifiedHead) -> bool:
        """Return whether the key of a call is pinned for its party now: it may have been replaced since."""
        party, _ = self._keys.get(head.key_id, ("", None))
        return party == head.party

    def _checked(self, message: SignedRequest) -> list[VerifyResult]:
        """Return the verified signatures with our tag."""
        usual = self._usual(message)
        if usual is not None:
            return [usual]
        try:
            # The library's window follows the system's clock, with five seconds for a clock that is ahead: ours is
            # checked by `_check_time`.
            return self._verifier.verify(message, max_age=None, expect_tag=TAG, require_components=COMPONENTS)
        except HTTPMessageSignaturesException:
            # Its message may quote a header.
            raise SignatureError("call_signature_not_pinned") from None

    def _usual(self, message: SignedRequest) -> VerifyResult | None:
        """Return the one signature of a call, written as Aquila writes it and verified, or None if it is another."""
        headers = message.headers
        given = _INPUT.fullmatch(headers.only("signature-input"))
        signed = _SIGNATURE.fullmatch(headers.only("signature"))
        covered = _covered(message, BODY_COMPONENTS if given and given[3] else ())
        if given is None or signed is None or given[1] != signed[1] or covered is None:
            return None
        _, parameters, _, created, key_id, nonce = given.groups()
        _, key = self._keys.get(key_id, ("", None))
        if key is None:
            return None
        try:
            key.verify(base64.b64decode(signed[2], validate=True), signature_base(covered, parameters))
        except (SignatureError, binascii.Error):
            return None
        return VerifyResult(
            label=given[1],
            algorithm=algorithms.ED25519,
            covered_components={f'"{name}"': value for name, value in covered.items()},
            parameters={"created": int(created), "keyid": key_id},
            body=None,
            nonce=nonce,
        )

    def _check_time(self, created: int, party: str) -> None:
        """Refuse a time outside the window, and state ours."""
        ours = self._clock()
        if abs(ours - created) > self._max_age:
            raise ReplayError(
                "call_time_differs",
                party=party,
                matcher_time=ours,
                difference=created - ours,
                max_age=self._max_age,
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
    covered |= {name: message.headers.only(name) for name in fields}
    return covered if all(map(_VALUE.fullmatch, covered.values())) else None


class _Verifier(HTTPMessageVerifier):
    """The library's verifier, which leaves the time to us but still wants one."""

    def validate_created_and_expires(self, sig_input: object, max_age: object = None) -> None:  # noqa: ARG002 - the library passes it
        """Require a time; `CallVerifier` compares it."""
        created = sig_input.params.get("created")  # type: ignore[attr-defined]  # the library's parsed list
        if type(created) is not int:
            raise HTTPMessageSignaturesException("no time")


class _Pinned(HTTPSignatureKeyResolver):
    """The pinned keys, in the shape that the library asks for."""

    def __init__(self, keys: Mapping[str, tuple[str, VerifyKey]]) -> None:
        self._keys = keys

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey | None:
        """Return the key of a fingerprint, or None."""
        pinned = self._keys.get(key_id)
        return None if pinned is None else pinned[1].ed25519()
