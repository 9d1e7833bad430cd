"""Signed calls: what was signed gets through once, and nothing else does."""

import base64
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from threading import get_ident
from typing import ClassVar

import httpx
import pytest
from http_message_signatures import HTTPMessageVerifier, MappingKeyResolver, algorithms

from aquila.crypto.keys import IdentityKey, VerifyKey
from aquila.errors import ReplayError, SignatureError
from services.kit.http.signatures import CallSigner, CallVerifier, SignedRequest, content_digest, signature_base
from tests.support.clock import Clock
from tests.support.memory_nonces import MemoryNonces

URL = "http://matcher.test:8700/rounds/r1/chunks/3?part=1&x=%20"
BODY = b"the chunk's bytes"


@pytest.fixture
def nonces() -> MemoryNonces:
    return MemoryNonces()


@pytest.fixture
def verifier(key: IdentityKey, nonces: MemoryNonces, clock: Clock) -> CallVerifier:
    return WholeVerifier({key.public.fingerprint: ("SI", key.public)}, nonces, ["matcher.test:8700"], clock)


@pytest.fixture
def signer(key: IdentityKey, clock: Clock) -> CallSigner:
    return CallSigner(key, "SI", clock)


def _signed(signer: CallSigner, body: bytes = BODY, url: str = URL, method: str = "PUT") -> httpx.Request:
    request = httpx.Request(method, url, content=body)
    signer.sign(request)
    return request


class WholeVerifier(CallVerifier):
    """Verifies head and body of a call at once."""

    def verify(self, message: SignedRequest, body: bytes) -> str:
        """Return the party of a whole call."""
        head = self.verify_head(message)
        self.verify_body(head, body)
        return head.party


def _received(request: httpx.Request) -> SignedRequest:
    return SignedRequest(request.method, str(request.url), request.headers.raw)


def _with_header(request: httpx.Request, name: str, value: str) -> SignedRequest:
    headers = [(key, content) for key, content in request.headers.raw if key.lower() != name.encode()]
    return replace(_received(request), headers=[*headers, (name.encode(), value.encode())])


def test_a_signed_call_names_its_party(signer: CallSigner, verifier: CallVerifier) -> None:
    assert verifier.verify(_received(_signed(signer)), BODY) == "SI"
    assert verifier.verify(_received(_signed(signer, b"", method="GET")), b"") == "SI"
    assert verifier.verify(_received(_signed(signer, b"", "http://matcher.test:8700", "DELETE")), b"") == "SI"


def test_the_signature_covers_what_it_should(signer: CallSigner) -> None:
    """Components, time, key, nonce and tag stand in the header; the nonce is fresh each time."""
    header = _signed(signer).headers["signature-input"]
    assert header.startswith(
        'aquila=("@method" "@authority" "@path" "@query" "content-digest" "content-type");created='
    )
    assert ';tag="aquila"' in header
    assert header.split("nonce=")[1] != _signed(signer).headers["signature-input"].split("nonce=")[1]


def test_the_base_of_a_signature_is_that_of_rfc_9421() -> None:
    covered = {
        "date": "Tue, 20 Apr 2021 02:07:55 GMT",
        "@method": "POST",
        "@path": "/foo",
        "@authority": "example.com",
        "content-type": "application/json",
        "content-length": "18",
    }
    names = " ".join(f'"{name}"' for name in covered)
    base = signature_base(covered, f'({names});created=1618884473;keyid="test-key-ed25519"')
    key = VerifyKey(base64.b64decode("JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs="))
    key.verify(
        base64.b64decode("wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="),
        base,
    )


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("PUT", URL, BODY),
        ("GET", "http://matcher.test:8700", b""),
        ("GET", "https://MATCHER.test:443/a%20b/c?", b""),
        ("POST", "http://[::1]:8700/v1/rounds?read=a:1&read=b:2", b"{}"),
        ("DELETE", "http://matcher.test/~x/(y);z=1?a=/?:@", b""),
    ],
)
def test_the_library_verifies_what_is_signed_here(
    key: IdentityKey, signer: CallSigner, method: str, url: str, body: bytes
) -> None:
    resolver = MappingKeyResolver(public_keys={key.public.fingerprint: key.public.ed25519()}, private_keys={})
    oracle = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=resolver)
    request = _signed(signer, body, url, method)
    oracle.max_clock_skew *= 10**6  # the clock of the tests
    results = oracle.verify(request, max_age=None, expect_tag="aquila", body=body or None)
    assert len(results) == 1
    verifier = WholeVerifier(
        {key.public.fingerprint: ("SI", key.public)},
        MemoryNonces(),
        [results[0].covered_components['"@authority"']],
        signer._clock,
    )
    head = verifier.verify_head(_received(request))
    covered = {f'"{name}"': value for name, value in head.covered.items()}
    assert covered.items() <= results[0].covered_components.items()


async def test_a_key_that_takes_its_time_holds_nobody_up(
    key: IdentityKey, verifier: CallVerifier, clock: Clock
) -> None:
    class KeyInToken:
        public = key.public
        threads: ClassVar[list[int]] = []

        def sign(self, message: bytes) -> bytes:
            self.threads.append(get_ident())
            return key.sign(message)

    for made in (CallSigner(KeyInToken(), "SI", clock), CallSigner(key, "SI", clock)):
        flow = made.async_auth_flow(httpx.Request("PUT", URL, content=BODY))
        assert verifier.verify(_received(await anext(flow)), BODY) == "SI"
        await flow.aclose()
    assert len(KeyInToken.threads) == 1
    assert get_ident() not in KeyInToken.threads


async def test_a_streamed_body_is_signed(signer: CallSigner, verifier: CallVerifier) -> None:
    seen: list[str] = []

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(20):
            yield bytes([number]) * 100_000

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(verifier.verify(_received(request), request.content))
        return httpx.Response(200)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), auth=signer) as client:
        await client.put(URL, content=pieces())
        await client.get(URL)
    assert seen == ["SI", "SI"]


def test_the_scheme_may_change_and_the_default_port_is_none(key: IdentityKey, signer: CallSigner, clock: Clock) -> None:
    """A proxy may end TLS; `host:443` and `host` are one authority in https (RFC 9421 section 2.2.3)."""
    verifier = WholeVerifier({key.public.fingerprint: ("SI", key.public)}, MemoryNonces(), ["matcher.test"], clock)
    message = _received(_signed(signer, url="https://matcher.test:443/x"))
    assert verifier.verify(message, BODY) == "SI"
    message = _received(_signed(signer, url="https://matcher.test/x"))
    assert verifier.verify(replace(message, url="http://matcher.test/x"), BODY) == "SI"


def test_a_replayed_call_is_refused(signer: CallSigner, verifier: CallVerifier) -> None:
    request = _signed(signer)
    verifier.verify(_received(request), BODY)
    with pytest.raises(ReplayError):
        verifier.verify(_received(request), BODY)


@pytest.mark.parametrize("drift", [-301, 301])
def test_a_call_outside_the_window_is_refused_with_our_time(
    signer: CallSigner, verifier: CallVerifier, clock: Clock, drift: int
) -> None:
    """Too old or too far ahead: the caller learns our time and the difference."""
    request = _signed(signer)
    clock.time -= drift
    with pytest.raises(ReplayError) as caught:
        verifier.verify(_received(request), BODY)
    told = {"party": "SI", "matcher_time": clock.time, "difference": drift, "max_age": 300}
    assert caught.value.fields == told


@pytest.mark.parametrize("drift", [-300, -6, 6, 300])
def test_a_clock_that_drifts_within_the_window_is_accepted(
    signer: CallSigner, verifier: CallVerifier, clock: Clock, drift: int
) -> None:
    request = _signed(signer)
    clock.time += drift
    assert verifier.verify(_received(request), BODY) == "SI"


def test_a_replay_is_refused_for_as_long_as_its_time_would_be_accepted(
    signer: CallSigner, verifier: CallVerifier, clock: Clock
) -> None:
    """A call from ahead of our clock lives longest: at each second it is refused for one reason or the other."""
    clock.time += 300
    request = _signed(signer)
    clock.time -= 300
    verifier.verify(_received(request), BODY)
    for _ in range(0, 1_500, 50):
        with pytest.raises(ReplayError):
            verifier.verify(_received(request), BODY)
        clock.time += 50


def test_an_unknown_key_is_refused(verifier: CallVerifier, clock: Clock) -> None:
    stranger = CallSigner(IdentityKey.generate(secrets.token_bytes), "SI", clock)
    with pytest.raises(SignatureError):
        verifier.verify(_received(_signed(stranger)), BODY)


def test_another_key_under_a_known_name_is_refused(signer: CallSigner, verifier: CallVerifier, clock: Clock) -> None:
    ours = _signed(signer)
    theirs = _signed(CallSigner(IdentityKey.generate(secrets.token_bytes), "SI", clock))
    with pytest.raises(SignatureError):
        verifier.verify(_with_header(ours, "signature", theirs.headers["signature"]), BODY)


@pytest.mark.parametrize("body", [b"other bytes", b"", BODY + b"x"])
def test_a_changed_body_is_refused_and_does_not_spend_the_nonce(
    signer: CallSigner, verifier: CallVerifier, body: bytes
) -> None:
    """Whoever changes a body on its way cannot use up its sender's call."""
    request = _signed(signer)
    with pytest.raises(SignatureError):
        verifier.verify(_received(request), body)
    assert verifier.verify(_received(request), BODY) == "SI"


def test_a_body_that_was_not_signed_is_refused(signer: CallSigner, verifier: CallVerifier) -> None:
    request = _signed(signer, b"", method="POST")
    with pytest.raises(SignatureError):
        verifier.verify(_received(request), BODY)
    digest = _signed(signer).headers["content-digest"]
    with pytest.raises(SignatureError):
        verifier.verify(_with_header(request, "content-digest", digest), BODY)


@pytest.mark.parametrize(
    "changed",
    [
        {"url": URL.replace("chunks/3", "chunks/4")},
        {"url": URL.replace("chunks/3", "chunks/%33")},
        {"url": URL.replace("chunks/3", "chunks/3/")},
        {"url": URL.replace("part=1", "part=2")},
        {"url": URL.replace("?part=1&x=%20", "")},
        {"url": URL.replace("%20", "+")},
        {"url": URL + "&y=1"},
        {"url": URL.replace("8700", "8701")},
        {"url": URL.replace("matcher", "other")},
        {"method": "DELETE"},
    ],
)
def test_another_call_than_was_signed(signer: CallSigner, verifier: CallVerifier, changed: dict[str, str]) -> None:
    with pytest.raises(SignatureError):
        verifier.verify(replace(_received(_signed(signer)), **changed), BODY)  # type: ignore[arg-type]  # one of its texts


def test_a_call_signed_for_another_service_is_refused(signer: CallSigner, verifier: CallVerifier) -> None:
    with pytest.raises(SignatureError, match="another service"):
        verifier.verify(_received(_signed(signer, url="http://elsewhere.test/x")), BODY)


COMPONENTS = ("@method", "@authority", "@path", "@query", "content-digest", "content-type")


FORM = '({names});created={created};keyid="{key_id}";alg="ed25519";nonce="{nonce}";tag="aquila"'


def _by_hand(
    key: IdentityKey, clock: Clock, components: tuple[str, ...] = COMPONENTS, label: str = "aquila", form: str = FORM
) -> SignedRequest:
    request = httpx.Request("PUT", URL, content=BODY, headers={"content-type": "text/plain"})
    values = {
        "@method": "PUT",
        "@authority": "matcher.test:8700",
        "@path": "/rounds/r1/chunks/3",
        "@query": "?part=1&x=%20",
        "content-type": "text/plain",
        "content-digest": content_digest(BODY),
    }
    request.headers["content-digest"] = values["content-digest"]
    names = " ".join(f'"{name}"' for name in components)
    parameters = form.format(names=names, created=clock(), key_id=key.public.fingerprint, nonce="n")
    signature = key.sign(signature_base({name: values[name] for name in components}, parameters))
    request.headers["signature-input"] = f"{label}={parameters}"
    request.headers["signature"] = f"{label}=:{base64.b64encode(signature).decode()}:"
    return _received(request)


def test_a_call_signed_by_hand_is_accepted(key: IdentityKey, clock: Clock, verifier: CallVerifier) -> None:
    """In the form of PROTOCOL.md 9.1.1. This shows that the following tests fail for their own reason."""
    assert verifier.verify(_by_hand(key, clock), BODY) == "SI"


@pytest.mark.parametrize("missing", COMPONENTS)
def test_a_missing_component_is_refused(key: IdentityKey, clock: Clock, verifier: CallVerifier, missing: str) -> None:
    message = _by_hand(key, clock, tuple(name for name in COMPONENTS if name != missing))
    with pytest.raises(SignatureError):
        verifier.verify(message, BODY)


@pytest.mark.parametrize(
    "form",
    [
        FORM.replace(';nonce="{nonce}"', ""),
        FORM.replace("{nonce}", ""),
        FORM.replace("{nonce}", "n" * 65),
        FORM.replace(';tag="aquila"', ""),
        FORM.replace('tag="aquila"', 'tag="other"'),
        FORM.replace(";created={created}", ""),
        FORM.replace('alg="ed25519"', 'alg="hmac-sha256"'),
        FORM + ";expires=2000000000",
        FORM.replace(';alg="ed25519"', ""),
        FORM.replace(";created", "; created"),
    ],
)
def test_another_form_is_refused(key: IdentityKey, clock: Clock, verifier: CallVerifier, form: str) -> None:
    """What RFC 9421 would allow as well: one form has one reading."""
    with pytest.raises(SignatureError):
        verifier.verify(_by_hand(key, clock, form=form), BODY)


def test_another_order_or_label_is_refused(key: IdentityKey, clock: Clock, verifier: CallVerifier) -> None:
    """The base follows the order that the header gives, so that the signature itself would hold."""
    for message in (_by_hand(key, clock, COMPONENTS[::-1]), _by_hand(key, clock, label="x")):
        with pytest.raises(SignatureError):
            verifier.verify(message, BODY)


def test_two_signatures_are_refused(signer: CallSigner, verifier: CallVerifier) -> None:
    request = _signed(signer)
    again = request.headers["signature-input"].replace("aquila=", "other=", 1)
    value = request.headers["signature"].replace("aquila=", "other=", 1)
    headers = [*request.headers.raw, (b"signature-input", again.encode()), (b"signature", value.encode())]
    with pytest.raises(SignatureError):
        verifier.verify(replace(_received(request), headers=headers), BODY)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("signature", ""),
        ("signature", "aquila=:AAAA:"),
        ("signature", "aquila=:" + base64.b64encode(bytes(64)).decode() + ":"),
        ("signature", "\u00ff\u00fe"),
        ("signature-input", ""),
        ("signature-input", "aquila=(" * 500),
        ("signature-input", 'aquila=("@method");keyid="x";created=1;tag="aquila"'),
        ("signature-input", 'aquila=("@nothing");keyid="x";created=1;tag="aquila"'),
        ("signature-input", "aquila=1"),
        ("content-digest", "sha-256=:AAAA:"),
        ("content-digest", "md5=:AAAA:"),
        ("content-digest", ""),
        ("content-type", "application/json"),
    ],
)
def test_hostile_headers_end_in_the_tree(signer: CallSigner, verifier: CallVerifier, name: str, value: str) -> None:
    with pytest.raises(SignatureError) as caught:
        verifier.verify(_with_header(_signed(signer), name, value), BODY)
    assert not value or value not in caught.value.message


def test_a_signer_shows_its_party_alone(signer: CallSigner) -> None:
    assert repr(signer) == "CallSigner(SI)"


def test_signing_again_replaces_the_signature(signer: CallSigner, verifier: CallVerifier) -> None:
    request = _signed(signer)
    verifier.verify(_received(request), BODY)
    signer.sign(request)
    assert verifier.verify(_received(request), BODY) == "SI"


def test_of_repeated_lines_none_counts() -> None:
    call = SignedRequest("GET", "http://matcher.test/", [(b"A", b"1"), (b"a", b"2"), (b"B", b"3")])
    assert (call.header("a"), call.header("b"), call.header("c")) == ("", "3", "")
