"""Encodings: framing, digests, envelopes, keys and signatures (PROTOCOL.md 2)."""

import base64
import hashlib
import json
from typing import Any

from aquila.crypto.keys import IdentityKey
from aquila.protocol.encoding import canonical
from tests.vectors.making import definition
from tests.vectors.making.theme import DIFFERS, Theme, octets

KIND = "application/vnd.aquila.refusal+json"
SEED, OTHER = octets("identity of SI"), octets("identity of RS")


ABOUT = """
Framing, digests, envelopes and identity keys. `registry` names the keys that may sign, by their seeds.
"""
SOURCE = """
own: hashlib; Ed25519 of the `cryptography` package
"""
OPERATIONS = """
framed: label and parts, in hexadecimal, to the framed bytes
digest: label and parts to SHA-256 of the framed bytes
sign: seed of the identity key (RFC 8032), payload type and payload (UTF-8) to the fingerprint, the bytes that are
    signed (DSSE), the digest of the message, and the envelope (UTF-8)
open: envelope (UTF-8), the payload types that may come, and seeds of the pinned keys to the payload
verify: public key, message and signature: whether the signature counts
"""


def make() -> Theme:
    theme = Theme("framing", ABOUT, SOURCE, OPERATIONS)
    _frames(theme)
    _envelopes(theme)
    _signatures(theme)
    return theme


def _frames(theme: Theme) -> None:
    cases = {"no_part": [], "empty_part": [b""], "two_parts": [b"ab", b"c"], "same_bytes_cut_otherwise": [b"a", b"bc"]}
    for name, parts in cases.items():
        given = {"label": "aquila/2 example", "parts": parts}
        theme.valid(f"framed_{name}", "framed", "2.3", given, definition.framed("aquila/2 example", *parts))
        theme.valid(f"digest_{name}", "digest", "2.3", given, definition.digest("aquila/2 example", *parts))
    given = {"label": "aquila/2 example", "parts": [b"ab", b"c"]}
    wrong = {
        "frame_little_endian": b"".join(
            len(part).to_bytes(4, "little") + part for part in (b"aquila/2 example", b"ab", b"c")
        ),
        "frame_label_without_length": b"aquila/2 example" + definition.framed("ab", b"c"),
        "frame_two_byte_lengths": definition.joined([b"aquila/2 example", b"ab", b"c"], 2),
        "frame_parts_joined": definition.framed("aquila/2 example", b"abc"),
    }
    for name, gives in wrong.items():
        theme.invalid(name, "framed", "2.3", given, DIFFERS, gives=gives)
    erased = {"label": "aquila/2 erased record", "parts": [b"record-17"]}
    gives = definition.digest("aquila/2 erased record", b"record-17")
    theme.valid("digest_of_an_erased_record", "digest", "8.3", erased, gives, "the record id is record-17")
    hexadecimal = {"label": "aquila/2 binding", "parts": [bytes(32)]}
    as_text = definition.digest("aquila/2 binding", bytes(32).hex().encode())
    theme.invalid("digest_of_hexadecimal_text", "digest", "2.3", hexadecimal, DIFFERS, gives=as_text)


def refusal(**changes: Any) -> dict[str, object]:
    head = {"round_id": "0123456789abcdef" * 2, "party": "SI", "sequence": 1}
    return head | {"reason": "Ž, ћ and ë are one letter each."} | changes


def envelope(payload: bytes, seed: bytes = SEED, kind: str = KIND) -> dict[str, Any]:
    key = IdentityKey(seed)
    signature = key.sign(definition.pre_authentication(kind, payload))
    signed = {"keyid": key.public.fingerprint, "sig": base64.b64encode(signature).decode()}
    return {"payload": base64.b64encode(payload).decode(), "payloadType": kind, "signatures": [signed]}


def _envelopes(theme: Theme) -> None:
    payload = canonical(refusal())
    right, key = envelope(payload), IdentityKey(SEED)
    text = canonical(right).decode()
    signed = definition.pre_authentication(KIND, payload)
    fingerprint = hashlib.sha256(bytes.fromhex(key.public.hex)).hexdigest()
    theme.valid(
        "message",
        "sign",
        "2.1",
        {"seed": SEED, "payload_type": KIND, "payload": payload.decode()},
        {"fingerprint": fingerprint, "signed": signed, "digest": hashlib.sha256(signed).hexdigest(), "envelope": text},
    )
    theme.invalid(
        "digest_of_the_payload_alone",
        "sign",
        "2.2",
        {"seed": SEED, "payload_type": KIND, "payload": payload.decode()},
        DIFFERS,
        gives={
            "fingerprint": fingerprint,
            "signed": signed,
            "digest": hashlib.sha256(payload).hexdigest(),
            "envelope": text,
        },
    )

    def opened(changed: str | dict[str, Any], **more: Any) -> dict[str, Any]:
        shown = changed if isinstance(changed, str) else canonical(changed).decode()
        return {"envelope": shown, "payload_types": [KIND], "registry": [SEED, OTHER], **more}

    theme.valid("envelope", "open", "2.1", opened(text), payload.decode())
    signature = right["signatures"][0]
    by_another = envelope(payload, OTHER)["signatures"][0]["sig"]
    stray = right["payload"][:-2] + chr(ord(right["payload"][-2]) + 1) + "="
    assert right["payload"].endswith("=")
    assert not right["payload"].endswith("==")
    malformed = {
        "envelope_with_blanks": json.dumps(right, sort_keys=True),
        "envelope_members_in_another_order": canonical(right).decode().replace(
            '"payloadType":"' + KIND + '",', ""
        ).replace('{"payload"', '{"payloadType":"' + KIND + '","payload"'),
        "envelope_with_another_member": right | {"version": 1},
        "envelope_without_signature": right | {"signatures": []},
        "envelope_with_two_signatures": right | {"signatures": [signature, signature]},
        "envelope_member_twice": text[:-1] + ',"payloadType":"' + KIND + '"}',
        "envelope_null": "null",
        "envelope_payload_without_padding": right | {"payload": right["payload"].rstrip("=")},
        "envelope_payload_with_stray_bits": right | {"payload": stray},
        "envelope_key_id_in_capitals": right | {"signatures": [signature | {"keyid": signature["keyid"].upper()}]},
        "envelope_signature_of_63_bytes": right
        | {"signatures": [signature | {"sig": base64.b64encode(base64.b64decode(signature["sig"])[:63]).decode()}]},
    }  # fmt: skip
    for name, changed in malformed.items():
        theme.invalid(name, "open", "2.1", opened(changed), "malformed")
    other_type = opened(text) | {"payload_types": ["application/vnd.aquila.closing+json"]}
    theme.invalid("envelope_of_another_payload_type", "open", "2.1", other_type, "malformed")
    relabelled = right | {"payloadType": "application/vnd.aquila.closing+json"}
    more = {"payload_types": [relabelled["payloadType"]]}
    theme.invalid("envelope_type_not_as_signed", "open", "2.1", opened(relabelled) | more, "signature")
    changed_payload = base64.b64encode(canonical(refusal(sequence=2))).decode()
    theme.invalid(
        "envelope_payload_not_as_signed", "open", "2.1", opened(right | {"payload": changed_payload}), "signature"
    )
    theme.invalid(
        "envelope_signed_by_another_key",
        "open",
        "2.4",
        opened(right | {"signatures": [signature | {"sig": by_another}]}),
        "signature",
    )
    theme.invalid("envelope_of_an_unknown_key", "open", "2.4", opened(text) | {"registry": [OTHER]}, "signature")


def _signatures(theme: Theme) -> None:
    key, message = IdentityKey(SEED), b"a message"
    public, signature = bytes.fromhex(key.public.hex), key.sign(message)
    theme.valid("signature", "verify", "2.4", {"public_key": public, "message": message, "signature": signature})
    response = int.from_bytes(signature[32:], "little")
    small = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
    cases = {
        "signature_of_another_message": (public, b"b message", signature, "signature"),
        "signature_under_another_key": (bytes.fromhex(IdentityKey(OTHER).public.hex), message, signature, "signature"),
        "signature_with_s_plus_the_order": (
            public,
            message,
            signature[:32] + (response + definition.ORDER).to_bytes(32, "little"),
            "signature",
        ),
        "signature_with_r_of_the_other_sign": (
            public,
            message,
            signature[:31] + bytes([signature[31] ^ 0x80]) + signature[32:],
            "signature",
        ),
        "key_of_small_order": (small, message, signature, "malformed"),
        "key_the_identity": (b"\x01" + bytes(31), message, signature, "malformed"),
        "key_with_a_coordinate_that_is_not_reduced": (
            (2**255 - 19 + 3).to_bytes(32, "little"),
            message,
            signature,
            "malformed",
        ),
        "key_of_31_bytes": (public[:31], message, signature, "malformed"),
    }
    for name, (of, signed, said, kind) in cases.items():
        given = {"public_key": of, "message": signed, "signature": said}
        theme.invalid(name, "verify", "2.4", given, kind)
