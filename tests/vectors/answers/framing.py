"""Encodings, envelopes and keys."""

import base64
import json

from aquila.crypto.envelope import digest_of_payload, open_envelope, sign_envelope
from aquila.crypto.keys import IdentityKey, VerifyKey
from aquila.protocol.encoding import digest, framed
from tests.vectors.answers.given import Given, Operation, raw
from tests.vectors.making.definition import pre_authentication


def sign(given: Given) -> Given:
    key, kind, payload = IdentityKey(raw(given["seed"])), given["payload_type"], given["payload"].encode()
    envelope, signed = sign_envelope(kind, payload, key), pre_authentication(kind, payload)
    key.public.verify(base64.b64decode(json.loads(envelope)["signatures"][0]["sig"]), signed)
    return {
        "fingerprint": key.public.fingerprint,
        "signed": signed.hex(),
        "digest": digest_of_payload(kind, payload),
        "envelope": envelope.decode(),
    }


def opened(given: Given) -> str:
    keys = [IdentityKey(raw(seed)).public for seed in given["registry"]]
    registry = {key.fingerprint: key for key in keys}
    return open_envelope(given["envelope"].encode(), given["payload_types"], registry).payload.decode()


def verify(given: Given) -> None:
    VerifyKey(raw(given["public_key"])).verify(raw(given["signature"]), raw(given["message"]))


OPERATIONS: dict[str, Operation] = {
    "framed": lambda given: framed(given["label"], *map(raw, given["parts"])).hex(),
    "digest": lambda given: digest(given["label"], *map(raw, given["parts"])).hex(),
    "sign": sign,
    "open": opened,
    "verify": verify,
}
