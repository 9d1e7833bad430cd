"""Locks of a pair."""

from types import SimpleNamespace
from typing import Any

from aquila.crypto.envelope import digest_of_payload
from aquila.crypto.keys import SealingKey, SecretBytes
from aquila.crypto.sealing import open_sealed
from aquila.protocol.encoding import framed
from aquila.protocol.messages import Locks
from aquila.protocol.party import RoundSecrets
from aquila.protocol.rounds.locks import open_half, pair_key, seal_halves
from tests.vectors.answers.given import Given, Operation, raw


def record_of(given: Given, **more: Any) -> Any:
    """Return as much of a record of the round as locks need."""
    return SimpleNamespace(round_id="0" * 32, binding_bytes=raw(given["binding"]), **more)


def half(given: Given) -> str:
    """Open what the product sealed to a key of this test."""
    key, own, other = SealingKey(bytes(32)), given["party"], given["counterpart"]
    consents = {other: SimpleNamespace(sealing_key=key.public.hex())}
    record = record_of(given, consents=consents, counterparts_of=lambda _: [other])
    (made,) = seal_halves(record, own, SecretBytes(raw(given["secret"])))
    info = framed("aquila/2 lock", record.binding_bytes, own.encode(), other.encode())
    return open_sealed(key, info, raw(made.sealed)).hex()


def opened(given: Given) -> str:
    sealed = SimpleNamespace(sealed_for=lambda _: given["sealed"])
    record = record_of(given, locks={given["party"]: sealed})
    return open_half(record, given["counterpart"], SealingKey(raw(given["sealing"])), given["party"]).hex()


def sealed(given: Given) -> Given:
    """What the vector sealed is opened by the product with the counterpart's key, which is that of the vector."""
    info = framed("aquila/2 lock", raw(given["binding"]), given["party"].encode(), given["counterpart"].encode())
    key = SealingKey(raw(given["sides"][given["counterpart"]]["sealing"]))
    assert key.public.hex() == given["sealing_key"]
    made = given["sides"][given["party"]]["sealed"]
    assert open_sealed(key, info, raw(made)).hex() == given["half"]
    return {"info": info.hex(), "sealed": made}


def statement(given: Given) -> str:
    payload = given["payload"].encode()
    Locks.from_payload(payload)
    return digest_of_payload(Locks.payload_type, payload)


def key(given: Given) -> str:
    """Return the key that both sides compute, each from its own secrets and the other's Locks."""
    sides: dict[str, Any] = given["sides"]
    locks = {
        party: SimpleNamespace(sealed_for=lambda _, one=side: one["sealed"]) for party, side in sides.items()
    }  # fmt: skip
    digests = {party: side["locks"] for party, side in sides.items()}
    record, found = record_of(given, locks=locks, locks_digests=digests), set()
    for own, other in (("AL", "SI"), ("SI", "AL")):
        lock, sealing = (raw(sides[own][name]) for name in ("secret", "sealing"))
        secrets = RoundSecrets({}, SecretBytes(lock), SealingKey(sealing))
        found.add(pair_key(record, own, secrets, other, given["purpose"]).to_bytes().hex())
    (one,) = found
    return one


OPERATIONS: dict[str, Operation] = {"half": half, "seal": sealed, "open": opened, "locks": statement, "pair_key": key}
