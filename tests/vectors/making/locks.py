"""Locks of a pair: both sides' bytes, sealed, and the keys that follow (PROTOCOL.md 3.3.8)."""

import hashlib
import hmac
from typing import Any

from aquila.crypto.keys import SealingKey
from aquila.protocol.encoding import canonical
from aquila.protocol.messages import Locks
from tests.support.samples import ROUND
from tests.vectors.making import definition, sealing
from tests.vectors.making.theme import DIFFERS, Theme, octets

PAIR = ("AL", "SI")
BINDING = octets("binding")
HALF, LOCK = "aquila/2 lock half", "aquila/2 lock"


ABOUT = """
Locks of the pair of AL and SI: from the secrets and signed Locks of both sides to the keys of each purpose.
"""
SOURCE = """
own: hashlib, hmac, AES-GCM and X25519 of the `cryptography` package, and ML-KEM-768 as FIPS 203 writes it
"""
OPERATIONS = """
half: secret of the locks, binding, party and counterpart to Aquila's half (another node may draw its halves)
seal: half, binding, party, counterpart, the counterpart's X-Wing key and 64 bytes of randomness (32 for ML-KEM, 32
    for X25519) to the info and the sealed half. Who draws its randomness gets another sealed half, which opens as
    well
open: sealed half, binding, party, counterpart, and the seed of the counterpart's X-Wing key to the half
locks: payload of the statement (UTF-8) to its digest
pair_key: binding and purpose to `s` of the two `sides`, of each of which the secret of its locks, the seed of its
    X-Wing key, its half, that sealed, and the digest of its Locks are given
"""


def make() -> Theme:
    theme = Theme("locks", ABOUT, SOURCE, OPERATIONS)
    halves = {own: _half(theme, own, other) for own, other in (PAIR, PAIR[::-1])}
    sealed = {own: _sealed(theme, own, other, halves[own]) for own, other in (PAIR, PAIR[::-1])}
    digests = {own: _statement(theme, own, other, sealed[own]) for own, other in (PAIR, PAIR[::-1])}
    theme.shared["sides"] = {
        party: {
            "secret": octets(f"lock of {party}"),
            "sealing": octets(f"sealing key of {party}"),
            "half": halves[party],
            "sealed": sealed[party],
            "locks": digests[party],
        }
        for party in PAIR
    }
    lo, hi = ({"party": party, "half": halves[party], "locks": digests[party]} for party in PAIR)
    for purpose in ("tokens", "shadow"):
        given = {"binding": BINDING, "purpose": purpose}
        theme.valid(f"key_for_{purpose}", "pair_key", "3.3.8", given, pair_key(BINDING, purpose, lo, hi))
    _wrong_keys(theme, {"binding": BINDING, "purpose": "tokens"}, lo, hi)
    _wrong_seals(theme, sealed["AL"], halves["AL"])
    _wrong_statements(theme, sealed["SI"])
    return theme


def info_of(label: str, own: str, other: str, binding: bytes = BINDING) -> bytes:
    return definition.framed(label, binding, own.encode(), other.encode())


def public_of(party: str) -> bytes:
    return SealingKey(octets(f"sealing key of {party}")).public


def pair_key(binding: bytes, purpose: str, lo: dict[str, Any], hi: dict[str, Any]) -> bytes:
    parts = [lo["locks"], hi["locks"], lo["party"].encode(), hi["party"].encode(), purpose.encode()]
    return definition.hkdf_sha512(binding, lo["half"] + hi["half"], definition.framed(LOCK, *parts))


def _half(theme: Theme, own: str, other: str) -> bytes:
    secret = octets(f"lock of {own}")
    half = hmac.digest(secret, info_of(HALF, own, other), "sha512")[:32]
    given = {"secret": secret, "binding": BINDING, "party": own, "counterpart": other}
    theme.valid(f"half_of_{own}", "half", "3.3.8", given, half)
    return half


def _sealed(theme: Theme, own: str, other: str, half: bytes) -> bytes:
    randomness, info = octets(f"encapsulation of {own}", 64), info_of(LOCK, own, other)
    made = sealing.seal(public_of(other), info, half, randomness)
    given = {"half": half, "binding": BINDING, "party": own, "counterpart": other, "sealing_key": public_of(other)}
    theme.valid(f"sealed_by_{own}", "seal", "4.6", given | {"randomness": randomness}, {"info": info, "sealed": made})
    theme.valid(f"opened_by_{other}", "open", "3.3.8", _opening(made, own, other), half)
    return made


def _opening(sealed: bytes, own: str, other: str, **changes: Any) -> dict[str, Any]:
    seed = octets(f"sealing key of {other}")
    return {"sealed": sealed, "binding": BINDING, "party": own, "counterpart": other, "sealing": seed} | changes


def statement(own: str, halves: list[tuple[str, bytes]]) -> dict[str, object]:
    return {
        "round_id": ROUND,
        "party": own,
        "sequence": 2,
        "log_head": {"size": 9, "root": "ab" * 32},
        "binding": BINDING.hex(),
        "halves": [{"counterpart": other, "sealed": sealed.hex()} for other, sealed in halves],
    }


def _statement(theme: Theme, own: str, other: str, sealed: bytes) -> bytes:
    payload = canonical(statement(own, [(other, sealed)]))
    digest = hashlib.sha256(definition.pre_authentication(Locks.payload_type, payload)).digest()
    theme.valid(f"locks_of_{own}", "locks", "3.3.8", {"payload": payload.decode()}, digest)
    return digest


def _wrong_keys(theme: Theme, given: dict[str, Any], lo: dict[str, Any], hi: dict[str, Any]) -> None:
    wrong: dict[str, dict[str, Any]] = {
        "key_with_lo_and_hi_swapped": {"lo": hi, "hi": lo},
        "key_of_the_other_purpose": {"purpose": "shadow"},
        "key_of_one_half_alone": {"hi": hi | {"half": b""}},
        "key_of_halves_swapped": {"lo": lo | {"half": hi["half"]}, "hi": hi | {"half": lo["half"]}},
        "key_under_another_binding": {"binding": octets("another binding")},
        "key_without_the_other_locks": {"hi": hi | {"locks": b""}},
    }
    for name, changes in wrong.items():
        gives = pair_key(**(given | {"lo": lo, "hi": hi} | changes))
        theme.invalid(name, "pair_key", "3.3.8", given, DIFFERS, gives=gives)


def _wrong_seals(theme: Theme, sealed: bytes, half: bytes) -> None:
    def refused(name: str, octets_: bytes, paragraph: str = "4.6", **changes: Any) -> None:
        theme.invalid(name, "open", paragraph, _opening(octets_, "AL", "SI", **changes), "seal")

    def flipped(place: int) -> bytes:
        return sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]

    refused("half_sealed_for_the_other_direction", sealed, "3.3.8", party="SI", counterpart="AL")
    refused("half_of_another_round", sealed, "3.3.8", binding=octets("another binding"))
    refused("half_for_another_counterpart", sealed, "3.3.8", counterpart="RS")
    refused("half_sealed_to_another_key", sealed, sealing=octets("sealing key of RS"))
    refused("half_with_a_changed_lattice_part", flipped(0))
    refused("half_with_a_changed_curve_part", flipped(1119))
    refused("half_with_a_changed_ciphertext", flipped(1120))
    refused("half_with_a_changed_tag", flipped(len(sealed) - 1))
    refused("half_cut_short", sealed[:-1])
    without_label = sealing.seal(public_of("SI"), BINDING + b"ALSI", half, octets("encapsulation without a label", 64))
    refused("half_whose_info_is_not_framed", without_label, "3.3.8")


def _wrong_statements(theme: Theme, sealed: bytes) -> None:
    cases = {
        "locks_with_a_half_of_31_bytes": [("AL", sealed[:-1])],
        "locks_with_a_half_of_33_bytes": [("AL", sealed + b"\x00")],
        "locks_with_a_party_twice": [("AL", sealed), ("AL", sealed)],
        "locks_not_in_the_order_of_the_parties": [("RS", sealed), ("AL", sealed)],
    }
    for name, halves in cases.items():
        payload = canonical(statement("SI", halves)).decode()
        theme.invalid(name, "locks", "3.3.8", {"payload": payload}, "malformed")
