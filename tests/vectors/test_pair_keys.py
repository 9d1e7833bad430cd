"""Keys of a pair: from the secrets of both sides and their signed Locks (PROTOCOL.md 3.3.8)."""

import hmac
import json
from pathlib import Path

import pytest

from aquila.crypto.envelope import digest_of_payload
from aquila.crypto.group import Group
from aquila.crypto.keys import IdentityKey, SealingKey, SecretBytes
from aquila.protocol.encoding import canonical, framed
from aquila.protocol.messages import Locks, Manifest
from aquila.protocol.party import RoundSecrets
from aquila.protocol.registry import Registry
from aquila.protocol.rounds.locks import open_half, pair_key
from aquila.protocol.rounds.round_state import RoundState
from tests.support.samples import read

VECTOR = json.loads((Path(__file__).parent / "pair_keys.json").read_text(encoding="utf-8"))
PARTIES = VECTOR["parties"]


@pytest.fixture
def record(group: Group) -> RoundState:
    """A round of the two parties, with their Locks."""
    manifest = read(Manifest)
    assert isinstance(manifest, Manifest)
    registry = Registry(IdentityKey(bytes(32)).public, {})
    found = RoundState(registry, group, manifest, "0" * 64, sees_everything=True)
    found.binding, found.participants = VECTOR["binding"], ("AL", "SI")
    for party, given in PARTIES.items():
        payload = canonical(given["locks"])
        found.locks[party] = Locks.from_payload(payload)
        found.locks_digests[party] = digest_of_payload(Locks.payload_type, payload)
    return found


def test_digests_and_halves(record: RoundState) -> None:
    for own, other in (("AL", "SI"), ("SI", "AL")):
        assert record.locks_digests[own] == PARTIES[own]["digest"]
        opened = open_half(record, other, SealingKey(bytes.fromhex(PARTIES[other]["sealing"])), own)
        assert opened.hex() == PARTIES[own]["half"]


@pytest.mark.parametrize("purpose", VECTOR["keys"])
@pytest.mark.parametrize(("own", "other"), [("AL", "SI"), ("SI", "AL")])
def test_keys(record: RoundState, own: str, other: str, purpose: str) -> None:
    """Both sides compute the vector's key, and so does HKDF as RFC 5869 writes it."""
    lock, sealing = (bytes.fromhex(PARTIES[own][name]) for name in ("lock", "sealing"))
    with pair_key(record, own, RoundSecrets({}, SecretBytes(lock), SealingKey(sealing)), other, purpose) as key:
        assert key.to_bytes().hex() == VECTOR["keys"][purpose]
    halves, digests = (
        b"".join(bytes.fromhex(PARTIES[party][name]) for party in ("AL", "SI")) for name in ("half", "digest")
    )
    extracted = hmac.digest(bytes.fromhex(VECTOR["binding"]), halves, "sha512")
    info = framed("aquila/2 lock", digests[:32], digests[32:], b"AL", b"SI", purpose.encode())
    assert hmac.digest(extracted, info + b"\x01", "sha512").hex() == VECTOR["keys"][purpose]
