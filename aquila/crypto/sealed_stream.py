"""A stream sealed to a recipient: written and read in pieces, in bounded memory.

A random file key is sealed to the recipient's X-Wing key (`aquila.crypto.sealing`). Under it the content is encrypted
in chunks of 64 KiB with AES-256-GCM, by the STREAM construction (V. T. Hoang, R. Reyhanitabar, P. Rogaway, D. Vizár,
"Online authenticated-encryption and its nonce-reuse misuse-resistance", CRYPTO 2015), as age and Tink use it: the
nonce is the chunk's number in 11 bytes and one byte that is 1 in the last chunk. So chunks that are changed, moved,
repeated or missing at the end do not open. All chunks are bound to the header.

    magic (23 bytes) | SHA-256 of the recipient's public key (32) | sealed file key (1168) | chunks

Anybody can seal to a public key: who wrote the content is for the content to prove.
"""

from __future__ import annotations

import hashlib
import io
import secrets
from typing import TYPE_CHECKING, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aquila.crypto.keys import KEY_BYTES
from aquila.crypto.sealing import TAG_BYTES, open_sealed, seal_to
from aquila.errors import SealError

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import ReadableBuffer, WriteableBuffer

    from aquila.crypto.keys import SealingKey

MAGIC = b"aquila sealed stream 1\n"
CHUNK_BYTES = 1 << 16
"""Bytes of content in each chunk but the last, which has from 0 to as many."""

_NAME_BYTES = 32
_SEALED_KEY_BYTES = 1120 + KEY_BYTES + TAG_BYTES
_LABEL = b"aquila/1 sealed stream "


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
            MalformedError: The key is none to which anything can be sealed.
        """
        super().__init__()
        file_key = random(KEY_BYTES)
        header = MAGIC + hashlib.sha256(public).digest() + seal_to(public, _LABEL + context, file_key)
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
        self._into.write(self._cipher.encrypt(_nonce(self._number, last=last), content, self._header))
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
        self._cipher = AESGCM(open_sealed(key, _LABEL + context, sealed))
        self._source, self._header = source, hashlib.sha256(header).digest()
        self._number, self._left, self._ended = 0, memoryview(b""), False
        self._ahead = source.read(CHUNK_BYTES + TAG_BYTES)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, into: WriteableBuffer) -> int:
        """Give the next bytes, 0 at the end.

        Raises:
            SealError: A chunk was changed, moved, or is missing.
        """
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
            opened = self._cipher.decrypt(_nonce(self._number, last=self._ended), chunk, self._header)
        except (InvalidTag, ValueError):
            raise SealError("sealed_stream_changed", number=self._number) from None
        self._left, self._number = memoryview(opened), self._number + 1


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
