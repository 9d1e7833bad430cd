"""Sealed bytes: hit notes (PROTOCOL.md 4.6), streams to a recipient, and a node's secrets under the key of a round.

The outer layer of notes is HPKE (RFC 9180, base mode) with X-Wing, HKDF-SHA-256 and AES-256-GCM: one for a whole batch.
It keeps what is recorded today from whoever breaks elliptic curves later. The inner layer is AES-256-GCM-SIV (RFC 8452)
under a key that HKDF-SHA-512 (RFC 5869) makes of token secrets: one for each note. It keeps a note from whoever made a
hit up, and tells the receiver that the sender holds the same values. HPKE draws its randomness itself, from the system.

A stream is written and read in pieces, in bounded memory. A random file key is sealed to the recipient's X-Wing key.
Under it the content is encrypted in chunks of 64 KiB with AES-256-GCM, by the STREAM construction (V. T. Hoang, R.
Reyhanitabar, P. Rogaway, D. Vizár, "Online authenticated-encryption and its nonce-reuse misuse-resistance", CRYPTO
2015), as age and Tink use it: the nonce is the chunk's number in 11 bytes and one byte that is 1 in the last chunk. So
chunks that are changed, moved, repeated or missing at the end do not open. All chunks are bound to the header. Anybody
can seal to a public key: who wrote the content is for the content to prove.

    magic (23 bytes) | SHA-256 of the recipient's public key (32) | sealed file key (1168) | chunks

The key of a round, under which a node's share, seed and token secrets are stored, lies in one file outside database and
backups; destroying that file destroys, in every copy, all that was sealed under it. No file is touched here: whoever
keeps the key reads, writes and destroys the file.
"""

from __future__ import annotations

import hashlib
import io
import secrets
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha512
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PublicKey, Suite

from aquila.crypto.hashing import prefixed
from aquila.crypto.keys import KEY_BYTES, SEALING_PUBLIC_BYTES, SealingKey, SecretBytes
from aquila.errors import KeyMaterialError, MalformedError, SealError
from aquila.octets import parted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from hashlib import _Hash as HASH

    from _typeshed import ReadableBuffer, WriteableBuffer

NONCE_BYTES, TAG_BYTES = 12, 16
NOTE_KEYS_BYTES = 2 * KEY_BYTES
MARK_BYTES = 5
"""Bytes of a mark: of 255 marks on each side two that mean different tokens agree once in 17 million notes."""

_BLOCK_BYTES = 16
_HASHED_BYTES = 128  # the block of SHA-512
_INNER, _OUTER = (bytes(octet ^ pad for octet in range(256)) for pad in (0x36, 0x5C))
_BLOCKS = ECB()  # noqa: S305  # see `NoteKeys.marks`
_LATTICE_BYTES = SEALING_PUBLIC_BYTES - KEY_BYTES
_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def seal_to(public: bytes, context: bytes, plaintext: bytes) -> bytes:
    """Seal bytes to an X-Wing key, bound to a context.

    Returns:
        1120 bytes of encapsulation, the ciphertext, 16 bytes of tag.

    Raises:
        MalformedError: Nothing can be sealed to this key: it is not a valid X-Wing key.
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
    """The terms of the keys of some notes, on one side or both. Secret: it never shows itself."""

    secrets: list[bytes]
    """Of each note the token secrets, one behind the other, in an order that both sides know."""
    tokens: list[bytes]
    """Of each note the tokens that get marks, 16 bytes each."""
    contexts: tuple[list[bytes], ...]
    """For each side the context of each note, to which its keys are bound; at most two sides."""

    def __repr__(self) -> str:
        return object.__repr__(self)


class MarkedKeys(NamedTuple):
    """The keys of some notes, and the marks of their tokens, one behind the other. Secret: it never shows itself."""

    keys: bytes
    """`NOTE_KEYS_BYTES` for each note: the one that seals, then the one that makes marks."""
    marks: bytes
    """Of each note 5 bytes for each of its tokens."""

    def __repr__(self) -> str:
        return object.__repr__(self)


def derive_marked(salt: bytes, terms: NoteTerms) -> list[MarkedKeys]:
    """Return for each side the keys of its notes, with the marks that these make of the tokens.

    Args:
        salt: As in `NoteKeys.derive`.
        terms: Of the notes.
    """
    made: list[tuple[list[bytes], list[bytes]]] = [([], []) for _ in terms.contexts]
    for of_tokens, tokens, *contexts in zip(terms.secrets, terms.tokens, *terms.contexts, strict=True):
        for (keys, marks), own in zip(made, NoteKeys.derive(of_tokens, salt, *contexts), strict=True):
            keys.append(own.seal + own.mark)
            marks.append(own.marks(tokens))
    return [MarkedKeys(b"".join(keys), b"".join(marks)) for keys, marks in made]


def seal_notes(keys: bytes, nonces: bytes, plaintexts: list[bytes]) -> list[bytes]:
    """Seal some notes as `NoteKeys.seal_note` does each.

    Args:
        keys: `NOTE_KEYS_BYTES` for each, as in `MarkedKeys`.
        nonces: 12 bytes for each.
        plaintexts: Each note.
    """
    each = zip(parted(keys, NOTE_KEYS_BYTES), parted(nonces, NONCE_BYTES), plaintexts, strict=True)
    return [NoteKeys.of(own).seal_note(content, nonce) for own, nonce, content in each]


def open_notes(keys: bytes, sealed: list[bytes]) -> list[bytes | None]:
    """Open some notes as `NoteKeys.open_note` does each; None where one does not open.

    Args:
        keys: `NOTE_KEYS_BYTES` for each, as in `MarkedKeys`.
        sealed: Each sealed note.
    """
    found: list[bytes | None] = []
    for own, content in zip(parted(keys, NOTE_KEYS_BYTES), sealed, strict=True):
        try:
            found.append(NoteKeys.of(own).open_note(content))
        except SealError:
            found.append(None)
    return found


MAGIC = b"aquila sealed stream 1\n"
CHUNK_BYTES = 1 << 16
"""Bytes of content in each chunk but the last, which has from 0 to as many."""

_NAME_BYTES = 32
_SEALED_KEY_BYTES = 1120 + KEY_BYTES + TAG_BYTES
_STREAM_LABEL = b"aquila/2 sealed stream "


def recipient_name(public: bytes) -> str:
    """Return the name of a recipient's public key: SHA-256 of it, as 64 hexadecimal digits."""
    return hashlib.sha256(public).hexdigest()


class SealingWriter(io.RawIOBase):
    """Encrypts what is written to it; `close` writes the last chunk, without which the stream does not open."""

    def __init__(
        self, into: BinaryIO, public: bytes, context: bytes, random: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        """Write the header.

        Args:
            into: Where the sealed stream goes; not closed.
            public: The recipient's X-Wing key.
            context: What the content is; it opens in the same context alone.
            random: Gives random bytes.

        Raises:
            MalformedError: Nothing can be sealed to this key: it is not a valid X-Wing key.
        """
        super().__init__()
        file_key = random(KEY_BYTES)
        header = MAGIC + hashlib.sha256(public).digest() + seal_to(public, _STREAM_LABEL + context, file_key)
        self._into, self._header = into, hashlib.sha256(header).digest()
        self._cipher, self._number, self._held = AESGCM(file_key), 0, bytearray()
        into.write(header)

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, content: ReadableBuffer) -> int:
        """Take content; whole chunks are written at once, as long as something follows them."""
        octets = bytes(content)
        self._held += octets
        while len(self._held) > CHUNK_BYTES:
            self._put(bytes(self._held[:CHUNK_BYTES]), last=False)
            del self._held[:CHUNK_BYTES]
        return len(octets)

    def close(self) -> None:
        """Write the last chunk. Closing again does nothing."""
        if not self.closed:
            self._put(bytes(self._held), last=True)
        super().close()

    def abandon(self) -> None:
        """Close without the last chunk: what was written does not open."""
        super().close()

    def _put(self, content: bytes, *, last: bool) -> None:
        self._into.write(self._cipher.encrypt(_chunk_nonce(self._number, last=last), content, self._header))
        self._number += 1


class OpeningReader(io.RawIOBase):
    """Decrypts a sealed stream as it is read. Each byte that it gives was verified; its end too, once it is reached."""

    def __init__(self, source: BinaryIO, key: SealingKey, context: bytes) -> None:
        """Read the header and open the file key.

        Args:
            source: The sealed stream; not closed.
            key: The recipient's private key.
            context: As it was sealed.

        Raises:
            SealError: This is no sealed stream, it is for another key or of another context, or it was changed.
        """
        super().__init__()
        header = source.read(len(MAGIC) + _NAME_BYTES + _SEALED_KEY_BYTES)
        if not header.startswith(MAGIC) or len(header) != len(MAGIC) + _NAME_BYTES + _SEALED_KEY_BYTES:
            raise SealError("sealed_stream_missing")
        name, sealed = header[len(MAGIC) :][:_NAME_BYTES], header[len(MAGIC) + _NAME_BYTES :]
        own = hashlib.sha256(key.public).digest()
        if name != own:
            raise SealError("sealed_stream_for_another_key", expected=name.hex(), got=own.hex())
        self._cipher = AESGCM(open_sealed(key, _STREAM_LABEL + context, sealed))
        self._source, self._header = source, hashlib.sha256(header).digest()
        self._number, self._left, self._ended = 0, memoryview(b""), False
        self._ahead = source.read(CHUNK_BYTES + TAG_BYTES)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, into: WriteableBuffer) -> int:
        """Give the next bytes, 0 at the end; raises SealError if a chunk was changed, moved, or is missing."""
        while not self._left and not self._ended:
            self._next()
        given = min(memoryview(into).nbytes, len(self._left))
        memoryview(into)[:given] = self._left[:given]
        self._left = self._left[given:]
        return given

    def _next(self) -> None:
        chunk, self._ahead = self._ahead, self._source.read(CHUNK_BYTES + TAG_BYTES)
        self._ended = not self._ahead
        try:
            opened = self._cipher.decrypt(_chunk_nonce(self._number, last=self._ended), chunk, self._header)
        except (InvalidTag, ValueError):
            raise SealError("sealed_stream_changed", number=self._number) from None
        self._left, self._number = memoryview(opened), self._number + 1


def _chunk_nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


_VAULT_LABEL = b"aquila/2 vault"


class RoundKey(SecretBytes):
    """The key of one round at one node: 32 bytes, and the id of the round it belongs to.

    The cipher is AES-256-GCM-SIV (RFC 8452): a nonce that repeats, after a restored machine or with a poor
    generator, then shows only whether two sealed values are equal, where plain GCM or ChaCha20-Poly1305 would give
    both away.
    """

    __slots__ = ("round_id",)

    def __init__(self, octets: bytes, round_id: str) -> None:
        if len(octets) != KEY_BYTES:
            raise KeyMaterialError("round_key_not_32_bytes", round=round_id, got=len(octets))
        super().__init__(octets)
        self.round_id = round_id

    @classmethod
    def generate(cls, round_id: str, random: Callable[[int], bytes]) -> Self:
        """Make a key from 32 random bytes."""
        return cls(random(KEY_BYTES), round_id)

    def seal(self, label: str, plaintext: bytes, random: Callable[[int], bytes]) -> bytes:
        """Encrypt a secret for storage in this round under a label that names it.

        Returns:
            12 bytes of nonce, the ciphertext, 16 bytes of tag.

        Raises:
            KeyMaterialError: the key is closed.
        """
        nonce = random(NONCE_BYTES)
        with self.reveal() as key:
            return nonce + AESGCMSIV(key).encrypt(nonce, plaintext, self._bound(label))

    def open(self, label: str, sealed: bytes) -> bytes:
        """Decrypt what `seal` returned for the same round and label.

        Raises:
            KeyMaterialError: the key is closed or another one, or bytes, round or label differ.
        """
        with self.reveal() as key:
            try:
                return AESGCMSIV(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._bound(label))
            except (InvalidTag, ValueError):
                raise KeyMaterialError("stored_secret_not_opened", round=self.round_id, label=label) from None

    def _bound(self, label: str) -> bytes:
        """Return the associated data: a secret cannot be moved to another round or pass for another one."""
        return prefixed(_VAULT_LABEL, self.round_id.encode(), label.encode(), width=4)
