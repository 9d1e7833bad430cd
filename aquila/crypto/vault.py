"""The per-round key, under which a node's share, seed and token secrets are stored.

It lies in one file outside database and backups; destroying that file destroys, in every copy, all that was sealed
under it. This module has no file in it: whoever keeps the key reads, writes and destroys the file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from aquila.crypto.hashing import prefixed
from aquila.crypto.keys import KEY_BYTES, SecretBytes
from aquila.errors import KeyMaterialError

NONCE_BYTES = 12
TAG_BYTES = 16

_LABEL = b"aquila/1 vault"


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
        return prefixed(_LABEL, self.round_id.encode(), label.encode(), width=4)
