"""Keys that do not show themselves.

Every secret lies in one bytearray that `close` overwrites. What is made from it for a moment (a copy while it is
revealed, the key objects of `cryptography`) is overwritten or freed at once; Python may still have copied bytes on
the way, which is why the per-round key (`aquila.crypto.sealing`) exists: destroying it makes stored copies worthless.
No key is ever pickled, copied, printed or compared in variable time; what a worker needs of a round's secrets travels
as `aquila.protocol.submissions.tasks.CarriedSecret`, which says so.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import NoReturn, Protocol, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from aquila.errors import KeyMaterialError, MalformedError, SignatureError

KEY_BYTES = 32
"""Bytes of an Ed25519 or round key and of the seed of an X-Wing key."""

SEALING_PUBLIC_BYTES = 1216
"""Bytes of an X-Wing public key: 1184 of ML-KEM-768, then 32 of X25519."""

# The encodings of the eight points of small order, sign bit cleared, canonical or not. Under such a key there are
# signatures that fit many messages, so that what it signed would prove nothing.
_SMALL_ORDER = frozenset(
    bytes.fromhex(text)
    for text in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    )
)

_FIELD = 2**255 - 19  # a coordinate is smaller
_GROUPED_CHARACTERS, _GROUP = 20, 4


class SecretBytes:
    """Bytes that are overwritten when closed and that give nothing away until then.

    It is a context manager that closes itself. Equality takes constant time and knows only other secrets.
    """

    __slots__ = ("_lock", "_octets")

    def __init__(self, octets: bytes | bytearray) -> None:
        self._lock = Lock()  # no thread may copy a secret while another one overwrites it
        self._octets: bytearray | None = bytearray(octets)

    @contextmanager
    def reveal(self) -> Iterator[bytearray]:
        """Lend a copy that is overwritten when the block ends; closing meanwhile does not touch it.

        Raises:
            KeyMaterialError: the secret is closed.
        """
        with self._lock:
            if self._octets is None:
                raise KeyMaterialError("key_already_closed", kind=type(self).__name__)
            copy = bytearray(self._octets)
        try:
            yield copy
        finally:
            copy[:] = bytes(len(copy))

    def to_bytes(self) -> bytes:
        """Return the secret, only to be sealed under a round key (`aquila.crypto.sealing`).

        Raises:
            KeyMaterialError: the secret is closed.
        """
        with self.reveal() as octets:
            return bytes(octets)

    def close(self) -> None:
        """Overwrite the secret. Closing again does nothing."""
        with self._lock:
            if self._octets is not None:
                self._octets[:] = bytes(len(self._octets))
                self._octets = None

    @property
    def closed(self) -> bool:
        """Return whether the secret is gone."""
        return self._octets is None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'closed' if self.closed else 'open'}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SecretBytes):
            return NotImplemented
        with self.reveal() as left, other.reveal() as right:
            return hmac.compare_digest(left, right)

    __hash__ = None  # type: ignore[assignment]  # a hash would be a fingerprint of the secret

    def __reduce_ex__(self, _: object) -> NoReturn:
        """Refuse pickling and copying, both of which come here."""
        raise KeyMaterialError("key_not_copyable", kind=type(self).__name__)


def short_digits(digest: str) -> str:
    """Return a digest's first 20 digits (80 bits) in groups of four, to be compared on the telephone."""
    return " ".join(digest[place : place + _GROUP] for place in range(0, _GROUPED_CHARACTERS, _GROUP))


class VerifyKey:
    """A party's public Ed25519 key. Equal if the 32 bytes are equal.

    Raises:
        MalformedError: these are not 32 bytes, not the one encoding of a point, or the point has small order.
    """

    __slots__ = ("_octets",)

    def __init__(self, octets: bytes) -> None:
        if len(octets) != KEY_BYTES:
            raise MalformedError("ed25519_key_not_32_bytes", got=len(octets))
        coordinate = octets[:-1] + bytes([octets[-1] & 0x7F])
        if coordinate in _SMALL_ORDER:
            raise MalformedError("ed25519_key_small_order")
        if int.from_bytes(coordinate, "little") >= _FIELD:
            raise MalformedError("ed25519_key_not_canonical")
        self._octets = bytes(octets)

    @classmethod
    def from_hex(cls, text: str) -> Self:
        """Read 64 lower-case hexadecimal digits.

        Raises:
            MalformedError: the text is anything else, or the point has small order.
        """
        return cls(_from_hex(text))

    @property
    def hex(self) -> str:
        """The key as 64 hexadecimal digits."""
        return self._octets.hex()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the 32 bytes as 64 hexadecimal digits; names the key in every message."""
        return hashlib.sha256(self._octets).hexdigest()

    @property
    def short_fingerprint(self) -> str:
        """The fingerprint's first digits, as `short_digits` gives them."""
        return short_digits(self.fingerprint)

    def verify(self, signature: bytes, message: bytes) -> None:
        """Check an Ed25519 signature by the equation of PROTOCOL.md 2.4 (RFC 8032, without the cofactor).

        Raises:
            SignatureError: this key did not sign the message so.
        """
        try:
            self.ed25519().verify(signature, message)
        except InvalidSignature:
            raise SignatureError("signature_not_verified", key=self.fingerprint) from None

    def ed25519(self) -> Ed25519PublicKey:
        """Return the key for libraries that verify by themselves."""
        return Ed25519PublicKey.from_public_bytes(self._octets)

    def __eq__(self, other: object) -> bool:
        return self._octets == other._octets if isinstance(other, VerifyKey) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._octets)

    def __repr__(self) -> str:
        return f"<VerifyKey {self.short_fingerprint}>"


class SigningKey(Protocol):
    """A long-term Ed25519 key that signs for its holder, wherever it is: in memory, or in a PKCS#11 token."""

    @property
    def public(self) -> VerifyKey:
        """The public half."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature (RFC 8032); raises AquilaError if the key cannot be used now."""
        ...


class _SecretKey(SecretBytes):
    """A key of 32 secret bytes; raises KeyMaterialError if these are not 32 bytes."""

    __slots__ = ()

    def __init__(self, octets: bytes) -> None:
        if len(octets) != KEY_BYTES:
            raise KeyMaterialError("secret_key_not_32_bytes", got=len(octets))
        super().__init__(octets)

    @classmethod
    def generate(cls, random: Callable[[int], bytes]) -> Self:
        """Make a key from 32 random bytes."""
        return cls(random(KEY_BYTES))


class IdentityKey(_SecretKey):
    """A party's long-term Ed25519 key in memory, which signs all statements of the party."""

    __slots__ = ("public",)

    def __init__(self, octets: bytes) -> None:
        super().__init__(octets)
        self.public = VerifyKey(Ed25519PrivateKey.from_private_bytes(octets).public_key().public_bytes_raw())

    @classmethod
    def from_pem(cls, pem: bytes) -> Self:
        """Read an unencrypted PKCS #8 key; raises KeyMaterialError if the text is no such key, or not Ed25519."""
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            # The cause is dropped: it may quote the text.
            raise KeyMaterialError("identity_key_unreadable") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise KeyMaterialError("identity_key_not_ed25519")
        return cls(key.private_bytes_raw())

    def to_pem(self) -> bytes:
        """Return the key as unencrypted PKCS #8; the caller protects the file.

        Raises:
            KeyMaterialError: the key is closed.
        """
        return self.ed25519().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature (RFC 8032), which is the same for the same message.

        Raises:
            KeyMaterialError: the key is closed.
        """
        return self.ed25519().sign(message)

    def ed25519(self) -> Ed25519PrivateKey:
        """Return the key for libraries that sign by themselves; it is not overwritten when this one is closed.

        Raises:
            KeyMaterialError: the key is closed.
        """
        with self.reveal() as octets:
            return Ed25519PrivateKey.from_private_bytes(octets)


class SealingKey(_SecretKey):
    """A party's X-Wing key (ML-KEM-768 with X25519) for one round, to which hit notes are sealed.

    The secret is X-Wing's 32-byte seed (draft-connolly-cfrg-xwing-kem section 5.2); `cryptography` takes the two
    keys that SHAKE-256 makes of it.
    """

    __slots__ = ("public",)

    def __init__(self, octets: bytes) -> None:
        super().__init__(octets)
        lattice, curve = _xwing_parts(octets)
        self.public = lattice.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()

    def xwing(self) -> MLKEM768X25519PrivateKey:
        """Return the key for `cryptography`'s HPKE; it is not overwritten when this one is closed.

        Raises:
            KeyMaterialError: the key is closed.
        """
        with self.reveal() as seed:
            return MLKEM768X25519PrivateKey(*_xwing_parts(seed))


def _xwing_parts(seed: bytes | bytearray) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    """Return the two keys that X-Wing expands from its seed: 64 bytes for ML-KEM, 32 for X25519."""
    expanded = hashlib.shake_256(seed).digest(96)
    return MLKEM768PrivateKey.from_seed_bytes(expanded[:64]), X25519PrivateKey.from_private_bytes(expanded[64:])


def _from_hex(text: str) -> bytes:
    """Read lower-case hexadecimal; `bytes.fromhex` alone would let blanks and capitals through."""
    try:
        octets = bytes.fromhex(text)
    except ValueError:
        octets = b""
    if octets.hex() != text or not octets:
        raise MalformedError("public_key_not_64_digits")
    return octets
