"""Sealing of hit notes: to a receiver's X-Wing key, and under a key of what both sides computed (PROTOCOL.md 4.6).

The outer layer is HPKE (RFC 9180, base mode) with X-Wing, HKDF-SHA-256 and AES-256-GCM: one for a whole batch. It keeps
what is recorded today from whoever breaks elliptic curves later. The inner layer is AES-256-GCM-SIV (RFC 8452) under a
key that HKDF-SHA-512 (RFC 5869) makes of token secrets: one for each note. It keeps a note from whoever made a hit up,
and tells the receiver that the sender holds the same values. HPKE draws its randomness itself, from the system.
"""

from __future__ import annotations

import importlib
from functools import cache, lru_cache
from hashlib import sha512
from typing import TYPE_CHECKING, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PublicKey, Suite

from aquila.crypto.keys import KEY_BYTES, SEALING_PUBLIC_BYTES, SealingKey
from aquila.errors import MalformedError, SealError
from aquila.octets import parted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from hashlib import _Hash as HASH
    from types import ModuleType

NONCE_BYTES, TAG_BYTES = 12, 16
NOTE_KEYS_BYTES = 2 * KEY_BYTES
MARK_BYTES = 5
"""Bytes of a mark: of 255 marks on each side two that mean different tokens agree once in 17 million notes."""

_BLOCK_BYTES = 16
_HASHED_BYTES = 128  # the block of SHA-512
_INNER, _OUTER = (bytes(octet ^ pad for octet in range(256)) for pad in (0x36, 0x5C))
_BLOCKS = ECB()  # noqa: S305  # see `NoteKeys.marks`
_CORE_MODULE = "aquila.crypto.native.note_keys._note_keys"
_LATTICE_BYTES = SEALING_PUBLIC_BYTES - KEY_BYTES
_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def seal_to(public: bytes, context: bytes, plaintext: bytes) -> bytes:
    """Seal bytes to an X-Wing key, bound to a context.

    Returns:
        1120 bytes of encapsulation, the ciphertext, 16 bytes of tag.

    Raises:
        MalformedError: The key is none to which anything can be sealed.
    """
    try:
        key = MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(public[:_LATTICE_BYTES]),
            X25519PublicKey.from_public_bytes(public[_LATTICE_BYTES:]),
        )
        return _SUITE.encrypt(plaintext, key, context)
    except ValueError:  # of another length, or a point of small order
        raise MalformedError("sealing_key_not_x_wing", got=len(public)) from None


def open_sealed(key: SealingKey, context: bytes, sealed: bytes) -> bytes:
    """Open what `seal_to` returned.

    Raises:
        SealError: It was sealed to another key or in another context, or changed.
        KeyMaterialError: The key is closed.
    """
    try:
        return _SUITE.decrypt(sealed, key.xwing(), context)
    except InvalidTag:
        raise SealError("sealed_batch_not_opened") from None


def _keyed(key: bytes) -> tuple[HASH, HASH]:
    """Return the two hashes of HMAC-SHA-512 (RFC 2104) under a key of at most 128 bytes, after their first blocks.

    A note has three such HMACs, one under the same key as all others and two under one key: its blocks are hashed once.
    """
    padded = key.ljust(_HASHED_BYTES, b"\x00")
    return sha512(padded.translate(_INNER)), sha512(padded.translate(_OUTER))


_salted = lru_cache(maxsize=64)(_keyed)  # by a round's binding, which is public


def _hmac(keyed: tuple[HASH, HASH], message: bytes) -> bytes:
    inner, outer = keyed[0].copy(), keyed[1].copy()
    inner.update(message)
    outer.update(inner.digest())
    return outer.digest()


class NoteKeys(NamedTuple):
    """The keys of one note: it seals the note, and `mark` makes marks of tokens. It never shows itself."""

    seal: bytes
    mark: bytes

    def __repr__(self) -> str:
        return object.__repr__(self)

    @classmethod
    def of(cls, keys: bytes) -> NoteKeys:
        """Return the keys of one note of `MarkedKeys`."""
        return cls(keys[:KEY_BYTES], keys[KEY_BYTES:])

    @classmethod
    def derive(cls, secrets: bytes, salt: bytes, *contexts: bytes) -> Iterator[NoteKeys]:
        """Make the keys of some notes of the same token secrets, one for each context.

        HKDF-SHA-512 (RFC 5869) with 64 bytes for each context: one block of its second step.

        Args:
            secrets: Token secrets, one behind the other, in an order that both sides know.
            salt: The same on both sides, at most 128 bytes.
            contexts: What each note is bound to.
        """
        expanding = _keyed(_hmac(_salted(salt), secrets))
        for context in contexts:
            octets = _hmac(expanding, context + b"\x01")
            yield cls(octets[:KEY_BYTES], octets[KEY_BYTES:])

    def marks(self, tokens: bytes) -> bytes:
        """Return a mark of 5 bytes for each token of 16: equal for equal tokens, and random to who lacks the key."""
        # One AES call for all tokens, which are blocks: a permutation under a secret key, and nothing is enciphered.
        blocks = Cipher(AES256(self.mark), _BLOCKS).encryptor().update(tokens)
        places = range(0, len(blocks), _BLOCK_BYTES)
        return b"".join([blocks[place : place + MARK_BYTES] for place in places])

    def seal_note(self, plaintext: bytes, nonce: bytes) -> bytes:
        """Return nonce, ciphertext and tag. Should a nonce repeat, it reveals only whether two notes are equal."""
        return nonce + AESGCMSIV(self.seal).encrypt(nonce, plaintext, None)

    def open_note(self, sealed: bytes) -> bytes:
        """Open what `seal_note` returned.

        Raises:
            SealError: It was sealed with other token secrets or in another context, or changed.
        """
        try:
            return AESGCMSIV(self.seal).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None)
        except (InvalidTag, ValueError):
            raise SealError("sealed_note_not_opened") from None


class NoteTerms(NamedTuple):
    """The terms of the keys of some notes, on one side or both. Secret: it never shows itself.

    Attributes:
        secrets: Of each note the token secrets, one behind the other, in an order that both sides know.
        tokens: Of each note the tokens that get marks, 16 bytes each.
        contexts: For each side the context of each note, to which its keys are bound; at most two sides.
    """

    secrets: list[bytes]
    tokens: list[bytes]
    contexts: tuple[list[bytes], ...]

    def __repr__(self) -> str:
        return object.__repr__(self)


class MarkedKeys(NamedTuple):
    """The keys of some notes, and the marks of their tokens, one behind the other. Secret: it never shows itself.

    Attributes:
        keys: `NOTE_KEYS_BYTES` for each note: the one that seals, then the one that makes marks.
        marks: Of each note 5 bytes for each of its tokens.
    """

    keys: bytes
    marks: bytes

    def __repr__(self) -> str:
        return object.__repr__(self)


@cache
def note_core(name: str = _CORE_MODULE) -> ModuleType | None:
    """Import the C module that derives the keys of many notes, if it was built and this processor can run it."""
    try:
        core = importlib.import_module(name)
    except ImportError:
        return None
    return core if core.is_usable() else None


def derive_marked(salt: bytes, terms: NoteTerms, core: ModuleType | None = None) -> list[MarkedKeys]:
    """Return for each side the keys of its notes, with the marks that these make of the tokens.

    Args:
        salt: As in `NoteKeys.derive`.
        terms: Of the notes.
        core: The C module (`note_core`), which takes a fifth of the time; without it Python does the same.
    """
    if core is not None:
        return [MarkedKeys(*found) for found in core.derive(salt, *terms)]
    made: list[tuple[list[bytes], list[bytes]]] = [([], []) for _ in terms.contexts]
    for secrets, tokens, *contexts in zip(terms.secrets, terms.tokens, *terms.contexts, strict=True):
        for (keys, marks), own in zip(made, NoteKeys.derive(secrets, salt, *contexts), strict=True):
            keys.append(own.seal + own.mark)
            marks.append(own.marks(tokens))
    return [MarkedKeys(b"".join(keys), b"".join(marks)) for keys, marks in made]


def seal_notes(keys: bytes, nonces: bytes, plaintexts: list[bytes], core: ModuleType | None = None) -> list[bytes]:
    """Seal some notes as `NoteKeys.seal_note` does each.

    Args:
        keys: `NOTE_KEYS_BYTES` for each, as in `MarkedKeys`.
        nonces: 12 bytes for each.
        plaintexts: Each note.
        core: As in `derive_marked`.
    """
    if core is not None:
        sealed: list[bytes] = core.seal(keys, nonces, plaintexts)
        return sealed
    each = zip(parted(keys, NOTE_KEYS_BYTES), parted(nonces, NONCE_BYTES), plaintexts, strict=True)
    return [NoteKeys.of(own).seal_note(content, nonce) for own, nonce, content in each]


def open_notes(keys: bytes, sealed: list[bytes], core: ModuleType | None = None) -> list[bytes | None]:
    """Open some notes as `NoteKeys.open_note` does each; None where one does not open.

    Args:
        keys: `NOTE_KEYS_BYTES` for each, as in `MarkedKeys`.
        sealed: Each sealed note.
        core: As in `derive_marked`.
    """
    if core is not None:
        opened: list[bytes | None] = core.open(keys, sealed)
        return opened
    found: list[bytes | None] = []
    for own, content in zip(parted(keys, NOTE_KEYS_BYTES), sealed, strict=True):
        try:
            found.append(NoteKeys.of(own).open_note(content))
        except SealError:
            found.append(None)
    return found
