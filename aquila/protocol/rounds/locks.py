"""The lock of a pair: bytes that two parties of a round share and nobody else, from both sides (PROTOCOL.md 3.3.8)."""

import hmac
from typing import Protocol

from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from aquila.crypto.keys import KEY_BYTES, SealingKey, SecretBytes
from aquila.crypto.sealing import open_sealed, seal_to
from aquila.errors import OrderError, SealError
from aquila.protocol.encoding import framed
from aquila.protocol.messages import SealedLock
from aquila.protocol.rounds.round_state import RoundState

PAIR_KEY_BYTES = 64

_LABEL = "aquila/2 lock"


class LockSecrets(Protocol):
    """What a party's keys of its pairs follow from, with the Locks of both sides."""

    @property
    def lock(self) -> SecretBytes:
        """From which its own halves follow."""
        ...

    @property
    def sealing(self) -> SealingKey:
        """To which the other halves are sealed."""
        ...


def seal_halves(round_: RoundState, own: str, lock: SecretBytes) -> tuple[SealedLock, ...]:
    """Seal a party's half of the lock with each of its counterparts to that counterpart.

    Raises:
        OrderError: The round is not open yet.
        KeyMaterialError: The secret is closed.
    """
    return tuple(
        SealedLock(
            counterpart=counterpart,
            sealed=seal_to(
                bytes.fromhex(round_.consents[counterpart].sealing_key),
                _context(_LABEL, round_, own, counterpart),
                _own_half(round_, own, lock, counterpart),
            ).hex(),
        )
        for counterpart in sorted(round_.counterparts_of(own))
    )


def open_half(round_: RoundState, own: str, sealing: SealingKey, counterpart: str) -> bytes:
    """Open a counterpart's half of the lock with a party, 32 bytes; its Locks are in the record.

    Raises:
        SealError: It was sealed to another key, for another pair or round, or changed.
        KeyMaterialError: The key is closed.
    """
    sealed = round_.locks[counterpart].sealed_for(own)
    try:
        return open_sealed(sealing, _context(_LABEL, round_, counterpart, own), bytes.fromhex(sealed))
    except SealError:
        raise SealError("lock_not_opened", round=round_.round_id, counterpart=counterpart) from None


def pair_key(round_: RoundState, own: str, secrets: LockSecrets, counterpart: str, purpose: str) -> SecretBytes:
    """Return the key of a pair for a purpose, 64 bytes, the same on both sides.

    Args:
        round_: The record, with the Locks of both.
        own: Whose secrets these are.
        secrets: Its secrets of the round.
        counterpart: The other one.
        purpose: One word; keys of different purposes say nothing of each other.

    Raises:
        OrderError: One of the two has not signed its Locks, as far as this record knows.
        SealError: As `open_half`.
        KeyMaterialError: The secrets are closed.
    """
    if missing := sorted({own, counterpart} - set(round_.locks)):
        raise OrderError("pair_without_locks", round=round_.round_id, listed=", ".join(missing))
    halves = {
        own: _own_half(round_, own, secrets.lock, counterpart),
        counterpart: open_half(round_, own, secrets.sealing, counterpart),
    }
    low, high = sorted(halves)
    digests = (bytes.fromhex(round_.locks_digests[party]) for party in (low, high))
    info = framed(_LABEL, *digests, low.encode(), high.encode(), purpose.encode())
    hkdf = HKDF(SHA512(), PAIR_KEY_BYTES, salt=round_.binding_bytes, info=info)
    return SecretBytes(hkdf.derive(halves[low] + halves[high]))


def _own_half(round_: RoundState, own: str, lock: SecretBytes, counterpart: str) -> bytes:
    """Return a party's half of its lock with a counterpart, the same each time, so that nothing else is stored."""
    with lock.reveal() as octets:
        return hmac.digest(octets, _context("aquila/2 lock half", round_, own, counterpart), "sha512")[:KEY_BYTES]


def _context(label: str, round_: RoundState, sender: str, receiver: str) -> bytes:
    return framed(label, round_.binding_bytes, sender.encode(), receiver.encode())
