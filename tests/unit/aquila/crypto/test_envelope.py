"""Signed envelopes: one spelling, one signature."""

import base64
import hashlib
import json
from typing import Any

import pytest
import rfc8785

from aquila.crypto.envelope import LARGEST_ENVELOPE, open_envelope, payload_of, sign_envelope
from aquila.crypto.keys import IdentityKey
from aquila.errors import KeyMaterialError, MalformedError, SignatureError

KEY, STRANGER = IdentityKey(bytes(range(32))), IdentityKey(bytes(range(1, 33)))
KEYS = {KEY.public.fingerprint: KEY.public}
KIND = "application/vnd.aquila.consent+json"
PAYLOAD = b'{"round":"R-1"}'
ENVELOPE = sign_envelope(KIND, PAYLOAD, KEY)


def changed(**members: Any) -> bytes:
    return rfc8785.dumps({**json.loads(ENVELOPE), **members})


def signature(**members: Any) -> dict[str, Any]:
    return {**json.loads(ENVELOPE)["signatures"][0], **members}


def test_round_trip() -> None:
    opened = open_envelope(ENVELOPE, {KIND}, KEYS)
    assert (opened.payload_type, opened.payload, opened.signer) == (KIND, PAYLOAD, KEY.public)
    signed = b"DSSEv1 %d %b %d %b" % (len(KIND), KIND.encode(), len(PAYLOAD), PAYLOAD)
    assert opened.digest == hashlib.sha256(signed).hexdigest()


def test_signed_bytes_of_the_specification() -> None:
    """The signature covers DSSE's example encoding of type and payload."""
    envelope = sign_envelope("http://example.com/HelloWorld", b"hello world", KEY)
    sig = base64.b64decode(json.loads(envelope)["signatures"][0]["sig"])
    KEY.public.verify(sig, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world")


def test_the_payload_of_a_stored_envelope() -> None:
    """What was verified when it was stored is read without a key; another type is refused."""
    assert payload_of(ENVELOPE, KIND) == PAYLOAD
    with pytest.raises(MalformedError, match="not expected here"):
        payload_of(ENVELOPE, "application/vnd.aquila.submission+json")


def test_signing_again_gives_the_same_bytes() -> None:
    assert sign_envelope(KIND, PAYLOAD, KEY) == ENVELOPE


def test_empty_payload() -> None:
    for payload in (b"", b"\x00\xff"):
        assert open_envelope(sign_envelope(KIND, payload, KEY), {KIND}, KEYS).payload == payload


def test_payload_is_not_printed() -> None:
    assert "R-1" not in repr(open_envelope(ENVELOPE, {KIND}, KEYS))


def test_every_changed_byte_is_refused() -> None:
    for place in range(len(ENVELOPE)):
        for mutated in (
            ENVELOPE[:place] + bytes([ENVELOPE[place] ^ 1]) + ENVELOPE[place + 1 :],
            ENVELOPE[:place] + bytes([ENVELOPE[place] ^ 0x20]) + ENVELOPE[place + 1 :],
            ENVELOPE[:place] + ENVELOPE[place + 1 :],
            ENVELOPE[:place] + b" " + ENVELOPE[place:],
        ):
            with pytest.raises((MalformedError, SignatureError)):
                open_envelope(mutated, {KIND}, KEYS)


def test_unknown_key() -> None:
    with pytest.raises(SignatureError) as caught:
        open_envelope(sign_envelope(KIND, PAYLOAD, STRANGER), {KIND}, KEYS)
    assert caught.value.fields == {"key": STRANGER.public.fingerprint}


def test_signature_under_another_name() -> None:
    theirs = json.loads(sign_envelope(KIND, PAYLOAD, STRANGER))["signatures"][0]["sig"]
    with pytest.raises(SignatureError):
        open_envelope(changed(signatures=[signature(sig=theirs)]), {KIND}, KEYS)


def test_type_that_is_not_expected() -> None:
    with pytest.raises(MalformedError):
        open_envelope(ENVELOPE, {"application/vnd.aquila.submission+json"}, KEYS)


def test_type_is_signed() -> None:
    with pytest.raises(SignatureError):
        open_envelope(changed(payloadType="other"), {"other"}, KEYS)


def test_size_limit() -> None:
    assert open_envelope(ENVELOPE, {KIND}, KEYS, limit=len(ENVELOPE)).payload == PAYLOAD
    with pytest.raises(MalformedError) as caught:
        open_envelope(ENVELOPE, {KIND}, KEYS, limit=len(ENVELOPE) - 1)
    assert caught.value.fields == {"got": len(ENVELOPE), "limit": len(ENVELOPE) - 1}


UNPADDED = base64.b64encode(PAYLOAD + b"x").decode().rstrip("=")
NO_ENVELOPES = {
    "empty": b"",
    "no-json": b"{",
    "no-utf-8": b"\xff",
    "byte-order-mark": b"\xef\xbb\xbf" + ENVELOPE,
    "no-object": b"[]",
    "nested-too-deeply": b"[" * (LARGEST_ENVELOPE // 2),
    "number-too-long": b"9" * 10_000,
    "no-signature": changed(signatures=[]),
    "two-signatures": changed(signatures=[signature(), signature()]),
    "signatures-no-list": changed(signatures=signature()),
    "further-member": changed(further="1"),
    "further-member-of-signature": changed(signatures=[signature(further="1")]),
    "missing-type": rfc8785.dumps({"payload": "", "signatures": [signature()]}),
    "payload-no-text": changed(payload=1),
    "payload-no-base64": changed(payload="!!!!"),
    "payload-with-blank": changed(payload="YWJj YWJj"),
    "payload-without-padding": changed(payload=UNPADDED),
    "payload-with-stray-bits": changed(payload="YR=="),
    "payload-url-alphabet": changed(payload="-_-_"),
    "payload-not-ascii": changed(payload="ÄÄÄÄ"),
    "key-id-no-fingerprint": changed(signatures=[signature(keyid="me")]),
    "key-id-upper-case": changed(signatures=[signature(keyid=KEY.public.fingerprint.upper())]),
    "signature-too-short": changed(signatures=[signature(sig="YWJj")]),
    "signature-no-base64": changed(signatures=[signature(sig="*")]),
    "not-sorted": json.dumps(dict(reversed(json.loads(ENVELOPE).items())), separators=(",", ":")).encode(),
    "with-blanks": json.dumps(json.loads(ENVELOPE)).encode(),
    "duplicate-member": ENVELOPE.replace(b'{"payload"', b'{"payload":"","payload"', 1),
    "escaped-letter": ENVELOPE.replace(b"consent", b"\\u0063onsent"),
    "lone-surrogate": ENVELOPE.replace(b"consent", b"\\ud800"),
    "trailing-newline": ENVELOPE + b"\n",
}


@pytest.mark.parametrize("envelope", NO_ENVELOPES.values(), ids=NO_ENVELOPES.keys())
def test_no_envelope(envelope: bytes) -> None:
    with pytest.raises(MalformedError):
        open_envelope(envelope, {KIND}, KEYS)


def test_closed_key_signs_nothing() -> None:
    key = IdentityKey(bytes(range(32)))
    key.close()
    with pytest.raises(KeyMaterialError):
        sign_envelope(KIND, PAYLOAD, key)
