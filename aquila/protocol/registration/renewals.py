"""Renewal of an identity key: the new key, signed for by the key that it replaces and by itself (PROTOCOL.md 11.9).

The holder makes one file. Where the old key is lost or stolen, its signature is missing, and the old key counts as
revoked: that is shown to everybody who accepts it. Neither signature makes a key count. A thief has the old key, too,
so people compare words by telephone here as for a party that joins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import StringConstraints

from aquila.crypto.envelope import open_envelope, sign_envelope
from aquila.crypto.keys import SigningKey, VerifyKey
from aquila.errors import AquilaError, InputError, PolicyError, SignatureError
from aquila.protocol.messages.base import Message
from aquila.protocol.registration.invitations import (
    LARGEST_FILE,
    KeyHex,
    SelfSigned,
    SelfSignedMessage,
    open_self_signed,
    sign_file,
)

MOST_RENEWALS = 64
"""How often a holder can renew its key: once in half a year for thirty years."""

Holder = Annotated[str, StringConstraints(pattern=r"^([A-Z]{2}|matcher)$")]
Envelope = Annotated[str, StringConstraints(max_length=4_096)]


class KeyHandover(Message):
    """The word of a key that another one takes its place; the replaced key signs it.

    Attributes:
        party: Whose keys they are: a party's code, or `matcher`.
        former_key: The replaced key.
        identity_key: The new one.
    """

    payload_type: ClassVar[str] = "application/vnd.aquila.keyhandover+json"

    party: Holder
    former_key: KeyHex
    identity_key: KeyHex


class KeyRenewal(SelfSignedMessage):
    """A holder has a new key, which signs this.

    Attributes:
        party: Whose keys they are: a party's code, or `matcher`.
        former_key: The replaced key.
        identity_key: The new one.
        handover: The handover in the replaced key's envelope, or None where that key is lost or stolen.
    """

    payload_type: ClassVar[str] = "application/vnd.aquila.keyrenewal+json"

    party: Holder
    former_key: KeyHex
    identity_key: KeyHex
    handover: Envelope | None

    @property
    def key(self) -> str:
        """The key that signs it."""
        return self.identity_key


@dataclass(frozen=True, slots=True)
class Renewal:
    """A verified renewal.

    Attributes:
        party: Whose keys they are.
        former: The replaced key.
        key: The new one.
        by_both: Whether the replaced key signed, too; else it is revoked.
        digest: Digest of what the new key signed.
        envelope: As it was signed.
    """

    party: str
    former: VerifyKey
    key: VerifyKey
    by_both: bool
    digest: str
    envelope: bytes


def sign_renewal(party: str, new: SigningKey, former: SigningKey | VerifyKey) -> bytes:
    """Return the content of the file of a renewal.

    Args:
        party: Whose keys they are.
        new: The new key.
        former: The key that it replaces; its public half alone where it is lost or stolen.
    """
    public = former if isinstance(former, VerifyKey) else former.public
    keys = {"party": party, "former_key": public.hex, "identity_key": new.public.hex}
    handover = None
    if not isinstance(former, VerifyKey):
        message = KeyHandover.model_validate(keys)
        handover = sign_envelope(message.payload_type, message.payload(), former).decode()
    return sign_file(KeyRenewal.model_validate({**keys, "handover": handover}), new)


def open_renewal(content: bytes) -> Renewal:
    """Read the file of a renewal, whose new key is that of the file's maker.

    Raises:
        InputError: It is another file, or was changed.
        SignatureError: The replaced key did not sign the handover that it holds.
    """
    opened: SelfSigned[KeyRenewal] = open_self_signed(content, KeyRenewal)
    message = opened.message
    former = _former_of(message)
    return Renewal(message.party, former, opened.key, message.handover is not None, opened.digest, opened.envelope)


def open_renewals(party: str, key: VerifyKey, envelopes: Sequence[str]) -> tuple[Renewal, ...]:
    """Read all renewals of a holder, which lead to its present key, the oldest first.

    Raises:
        SignatureError: One is broken, of another holder, or does not follow from the one before.
    """
    try:
        found = tuple(open_renewal(envelope.encode()) for envelope in envelopes)
    except InputError:
        raise SignatureError("key_renewal_broken", party=party) from None
    leads_to = (*(one.former for one in found), key)[1:]
    if any(one.party != party or one.key != after for one, after in zip(found, leads_to, strict=True)):
        raise SignatureError("key_renewal_broken", party=party)
    return found


def check_renewal(renewal: Renewal, pinned: VerifyKey, *, revoked: bool) -> None:
    """Refuse a renewal that does not replace the pinned key, or not in the way that the secretariat expects.

    Raises:
        PolicyError: It replaces another key; or the replaced key did not sign and is not known to be lost; or it did,
            though it is.
    """
    if renewal.former != pinned:
        raise PolicyError("key_renewal_of_another_key", party=renewal.party)
    if not renewal.by_both and not revoked:
        raise PolicyError("key_renewal_without_former_key", party=renewal.party)
    if renewal.by_both and revoked:
        raise PolicyError("key_renewal_signed_by_revoked_key", party=renewal.party)


def _former_of(message: KeyRenewal) -> VerifyKey:
    """Return the replaced key, which signed the handover if there is one; raises as `open_renewal` does."""
    try:
        former = VerifyKey.from_hex(message.former_key)
    except AquilaError:
        raise InputError("key_renewal_key_malformed", party=message.party) from None
    if message.handover is None:
        return former
    try:
        opened = open_envelope(
            message.handover.encode(), {KeyHandover.payload_type}, {former.fingerprint: former}, limit=LARGEST_FILE
        )
        said = KeyHandover.from_payload(opened.payload)
    except AquilaError:
        raise SignatureError("key_handover_not_by_former_key", party=message.party) from None
    if said.model_dump() != message.model_dump(exclude={"handover"}):
        raise SignatureError("key_handover_not_by_former_key", party=message.party)
    return former
