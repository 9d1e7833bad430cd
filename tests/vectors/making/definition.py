"""What PROTOCOL.md defines, written once more with `hashlib` and `hmac` alone: vectors are made with these.

Only the arithmetic of ristretto255 and Ed25519 are those of the product, which other vectors hold (RFC 9496, RFC 8032).
"""

import hashlib
import hmac
from collections.abc import Sequence

ORDER = 2**252 + 27742317777372353535851937790883648493
OPRF = b"OPRFV1-\x01-ristretto255-SHA512"
GENERATOR = bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76")


def framed(label: str, *parts: bytes) -> bytes:
    """2.3."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in (label.encode("ascii"), *parts))


def digest(label: str, *parts: bytes) -> bytes:
    """2.3."""
    return hashlib.sha256(framed(label, *parts)).digest()


def pre_authentication(payload_type: str, payload: bytes) -> bytes:
    """What DSSE version 1 signs."""
    kind = payload_type.encode("ascii")
    return b" ".join([b"DSSEv1", str(len(kind)).encode(), kind, str(len(payload)).encode(), payload])


def hkdf_sha512(salt: bytes, ikm: bytes, info: bytes) -> bytes:
    """The first 64 bytes of HKDF-SHA-512 (RFC 5869)."""
    return hmac.digest(hmac.digest(salt, ikm, "sha512"), info + b"\x01", "sha512")


def scalar(number: int) -> bytes:
    return (number % ORDER).to_bytes(32, "little")


def reduced(octets: bytes) -> bytes:
    return scalar(int.from_bytes(octets, "little"))


def expand_message(message: bytes, dst: bytes) -> bytes:
    """64 bytes of expand_message_xmd with SHA-512 (RFC 9380, 5.3.1)."""
    suffix = dst + bytes([len(dst)])
    first = hashlib.sha512(bytes(128) + message + b"\x00\x40\x00" + suffix).digest()
    return hashlib.sha512(first + b"\x01" + suffix).digest()


def hash_to_scalar(message: bytes) -> bytes:
    """RFC 9497, 4.1."""
    return reduced(expand_message(message, b"HashToScalar-" + OPRF))


def joined(parts: Sequence[bytes], width: int) -> bytes:
    """Each part behind its length."""
    return b"".join(len(part).to_bytes(width, "big") + part for part in parts)


def response(nonce: bytes, challenge: bytes, secret: bytes) -> bytes:
    numbers = [int.from_bytes(one, "little") for one in (nonce, challenge, secret)]
    return scalar(numbers[0] - numbers[1] * numbers[2])


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962, 2.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The head of a tree over some leaf hashes (RFC 6962, 2.1)."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256().digest()
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(root(leaves[:middle]), root(leaves[middle:]))


def inclusion(place: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 6962, 2.1.1."""
    if len(leaves) == 1:
        return []
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    if place < middle:
        return [*inclusion(place, leaves[:middle]), root(leaves[middle:])]
    return [*inclusion(place - middle, leaves[middle:]), root(leaves[:middle])]


def consistency(size: int, leaves: Sequence[bytes], *, whole: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 6962, 2.1.2."""
    if size == len(leaves):
        return [] if whole else [root(leaves)]
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    if size <= middle:
        return [*consistency(size, leaves[:middle], whole=whole), root(leaves[middle:])]
    return [*consistency(size - middle, leaves[middle:], whole=False), root(leaves[:middle])]
