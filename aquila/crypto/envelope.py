"""Signed statements: DSSE v1 envelopes (https://github.com/secure-systems-lab/dsse) with one Ed25519 signature.

DSSE lets an envelope be written in many ways. Here only one is accepted, its RFC 8785 encoding with the standard
base64 alphabet, so that equal statements are equal bytes and no byte of an envelope can change unnoticed.
"""

import base64
import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from aquila.crypto.keys import SigningKey, VerifyKey
from aquila.errors import MalformedError, SignatureError

LARGEST_ENVELOPE = 1 << 20
"""Bytes that an envelope may have unless the caller says otherwise."""

_SIGNATURE_BYTES = 64
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_BEFORE_PAYLOAD = b'{"payload":"'


@dataclass(frozen=True, slots=True)
class OpenedEnvelope:
    """The payload of a verified envelope and its signer; `digest` is SHA-256 of the signed bytes, as hexadecimal."""

    payload_type: str
    payload: bytes = field(repr=False)
    signer: VerifyKey
    digest: str


def sign_envelope(payload_type: str, payload: bytes, key: SigningKey) -> bytes:
    """Return the envelope of a payload as canonical JSON; raises KeyMaterialError if the key is closed."""
    signature = key.sign(_signed_bytes(payload_type, payload))
    return _encode(payload_type, payload, key.public.fingerprint, signature)


def open_envelope(
    envelope: bytes, expected_types: Collection[str], keys: Mapping[str, VerifyKey], *, limit: int = LARGEST_ENVELOPE
) -> OpenedEnvelope:
    """Verify an envelope and return its payload.

    Args:
        envelope: The bytes as they came.
        expected_types: The payload types that may come here.
        keys: The keys that may sign here, by fingerprint.
        limit: The most bytes that are looked at.

    Raises:
        MalformedError: too long, no canonical envelope, several signatures or none, or a type that may not come here.
        SignatureError: signed by a key that may not sign here, or not by the key it names.
    """
    # 1. The size is bounded before anything is parsed.
    if len(envelope) > limit:
        raise MalformedError("envelope_too_long", got=len(envelope), limit=limit)
    # 2. Parsed and written again, it must be the same bytes: no duplicate members, blanks, or second spelling.
    payload_type, payload, keyid, signature = _decode(envelope)
    if payload_type not in expected_types:
        raise MalformedError("envelope_not_canonical_or_unexpected")
    # 3. The key is one that the caller pins; the envelope only names it.
    signer = keys.get(keyid)
    if signer is None:
        raise SignatureError("envelope_key_unknown", key=keyid)
    # 4. The signature covers type and payload.
    signed = _signed_bytes(payload_type, payload)
    signer.verify(signature, signed)
    return OpenedEnvelope(payload_type, payload, signer, hashlib.sha256(signed).hexdigest())


def payload_of(envelope: bytes, expected_type: str) -> bytes:
    """Return the payload of an own store's envelope, which was verified before it was stored, without a key.

    Raises:
        MalformedError: It is no envelope of this type.
    """
    payload_type, payload, _, _ = _decode(envelope)
    if payload_type != expected_type:
        raise MalformedError("envelope_type_unexpected")
    return payload


def digest_of_payload(payload_type: str, payload: bytes) -> str:
    """Return the digest of a payload as every envelope of it has it; it does not depend on the signer."""
    return hashlib.sha256(_signed_bytes(payload_type, payload)).hexdigest()


def _signed_bytes(payload_type: str, payload: bytes) -> bytes:
    """Return PAE(type, payload) of DSSE v1."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _encode(payload_type: str, payload: bytes, keyid: str, signature: bytes) -> bytes:
    # The encoding of RFC 8785: names in their order, no blanks. Nothing in base64 or hexadecimal has to be escaped, and
    # a payload may be long.
    content = json.dumps(payload_type, ensure_ascii=False).encode(), keyid.encode()
    between = b'","payloadType":%b,"signatures":[{"keyid":"%b","sig":"%b"}]}' % (*content, base64.b64encode(signature))
    return b"".join((_BEFORE_PAYLOAD, base64.b64encode(payload), between))


def _decode(envelope: bytes) -> tuple[str, bytes, str, bytes]:
    """Return type, payload, key id and signature of an envelope in its canonical encoding.

    A payload may be long: it is cut out before the rest is parsed and written again, and decoded once.
    """
    start = len(_BEFORE_PAYLOAD)
    end = envelope.find(b'"', start)
    rest = envelope[:start] + envelope[end:]
    try:
        match json.loads(rest.decode("utf-8")) if end >= 0 else None:
            case {
                "payloadType": str(payload_type),
                "payload": "",
                "signatures": [{"keyid": str(keyid), "sig": str(sig)}],
            } if _FINGERPRINT.fullmatch(keyid):
                payload, signature = _decode_base64(envelope[start:end]), _decode_base64(sig.encode())
                if len(signature) == _SIGNATURE_BYTES and _encode(payload_type, b"", keyid, signature) == rest:
                    return payload_type, payload, keyid, signature
    except (ValueError, RecursionError):
        pass  # not UTF-8, not JSON, nested too deeply, or not base64: all are the same to the reader
    raise MalformedError("envelope_malformed") from None


def _decode_base64(text: bytes) -> bytes:
    """Decode base64 in its one canonical spelling."""
    octets = base64.b64decode(text, validate=True)
    tail = len(octets) % 3  # without one there is no padding, and every bit counts
    if tail and base64.b64encode(octets[-tail:]) != text[-4:]:
        raise ValueError("stray bits")
    return octets
