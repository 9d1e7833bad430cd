"""Files under the key that they hold themselves: invitations, requests to join, renewals (PROTOCOL.md 11.3 to 11.9).

Such a file shows that it is whole and that its maker has the key, and nothing of who made it. That is compared by
telephone: the words of a request stand for the party's key and for the invitation as the party received it, with the
matcher's key, address and CA.

A renewal holds the new identity key, signed for by the key that it replaces and by itself. Where the old key is lost or
stolen, its signature is missing, and the old key counts as revoked: that is shown to everybody who accepts it. Neither
signature makes a key count. A thief has the old key, too, so people compare words here as for a party that joins.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Generic, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, StringConstraints

from aquila.crypto.envelope import open_envelope, payload_of, sign_envelope
from aquila.crypto.keys import SigningKey, VerifyKey
from aquila.errors import AquilaError, InputError, PolicyError, SignatureError
from aquila.protocol.messages.base import GivenText, Identifier, Message, PartyCode, Seconds
from aquila.sentences import Sentence

LARGEST_FILE = 64 << 10
"""Bytes of an invitation or a request: more than one with a long chain of certificates has."""

_KINDS = {
    "application/vnd.aquila.invitation+json": Sentence.of("file_kind_invitation"),
    "application/vnd.aquila.joinrequest+json": Sentence.of("file_kind_join_request"),
    "application/vnd.aquila.keyrenewal+json": Sentence.of("file_kind_key_renewal"),
    "application/vnd.aquila.registry+json": Sentence.of("file_kind_registry_statement"),
}


def _is_origin(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query or parts.username:
        raise ValueError("no address of a service")
    return url


KeyHex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Address = Annotated[str, StringConstraints(max_length=300, pattern=r"^[!-~]+$"), AfterValidator(_is_origin)]
"""`https://host` or `https://host:port`; http only for loopback, which the receiver's settings see to."""
Certificates = Annotated[
    str, StringConstraints(max_length=32_768, pattern=r"^-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n -]+$")
]
"""One or several certificates in PEM."""


class SelfSignedMessage(Message, ABC):
    """A message under the key that it holds itself."""

    @property
    @abstractmethod
    def key(self) -> str:
        """The key that signs it."""


class Invitation(SelfSignedMessage):
    """The secretariat invites a party."""

    payload_type: ClassVar[str] = "application/vnd.aquila.invitation+json"

    invitation_id: Identifier
    """Random."""
    party: PartyCode
    """Whom."""
    name: GivenText
    """As the others will know it."""
    matcher_key: KeyHex
    """The matcher's identity key, which signs the invitation."""
    url: Address
    """Where the matcher is."""
    ca: Certificates | None
    """The CA of its certificate, or None where the system's CAs know it."""
    expires_at: Seconds
    """Until when a request counts, in seconds since 1970."""

    @property
    def key(self) -> str:
        return self.matcher_key


class JoinRequest(SelfSignedMessage):
    """A party asks to be registered."""

    payload_type: ClassVar[str] = "application/vnd.aquila.joinrequest+json"

    party: PartyCode
    name: GivenText
    """As in the invitation."""
    identity_key: KeyHex
    """Its identity key, which signs the request."""
    invitation: Annotated[str, StringConstraints(max_length=LARGEST_FILE)]
    """The envelope of the invitation as the party received it."""

    @property
    def key(self) -> str:
        return self.identity_key


M = TypeVar("M", bound=SelfSignedMessage)


@dataclass(frozen=True, slots=True)
class SelfSigned(Generic[M]):
    """A message under the key that it holds itself, which is not trusted yet; `digest` is that of PROTOCOL.md 2.2."""

    message: M
    key: VerifyKey
    digest: str
    envelope: bytes


def sign_file(message: SelfSignedMessage, key: SigningKey) -> bytes:
    """Return the content of the file: one line that ends in a newline."""
    return sign_envelope(message.payload_type, message.payload(), key) + b"\n"


def open_invitation(content: bytes) -> SelfSigned[Invitation]:
    """Read an invitation's file; its key is that of the file's maker.

    Raises:
        InputError: It is another file, or was changed.
    """
    return open_self_signed(content, Invitation)


def open_request(content: bytes) -> SelfSigned[JoinRequest]:
    """Read the file of a request to join; raises as `open_invitation` does."""
    return open_self_signed(content, JoinRequest)


def check_time(invitation: Invitation, now: int) -> None:
    """Refuse an invitation whose time is over; raises PolicyError if it is."""
    if now > invitation.expires_at:
        raise PolicyError("invitation_expired", party=invitation.party)


def accepted_invitation(request: JoinRequest, matcher: VerifyKey, now: int) -> Invitation:
    """Return the invitation that a request answers, as this matcher made it.

    1. The request carries an invitation that is whole.
    2. This matcher's key signed it.
    3. It is for the party that asks, under its name.
    4. Its time is not over.

    Raises:
        InputError: 1 does not hold.
        PolicyError: 2, 3 or 4 does not hold.
    """
    # 1.
    found = open_invitation(request.invitation.encode())
    # 2.
    if found.key != matcher:
        raise PolicyError("invitation_of_another_matcher", party=request.party)
    # 3.
    if (found.message.party, found.message.name) != (request.party, request.name):
        raise PolicyError("invitation_of_another_party", party=request.party, invited=found.message.party)
    # 4.
    check_time(found.message, now)
    return found.message


def open_self_signed(content: bytes, cls: type[M]) -> SelfSigned[M]:
    """Read a file of a kind; raises as `open_invitation` does."""
    envelope = content[: LARGEST_FILE + 1].strip()
    try:
        message = cls.from_payload(payload_of(envelope, cls.payload_type))
        key = VerifyKey.from_hex(message.key)
        opened = open_envelope(envelope, {cls.payload_type}, {key.fingerprint: key}, limit=LARGEST_FILE)
    except AquilaError:
        raise InputError(_fault(envelope, cls.payload_type)) from None
    return SelfSigned(message, key, opened.digest, envelope)


def _fault(envelope: bytes, wanted: str) -> Sentence:
    """Return why a file is not what is wanted: another kind of file, or a changed one."""
    for payload_type, kind in _KINDS.items():
        if payload_type != wanted and payload_type.encode() in envelope:
            return Sentence.of("file_of_another_kind", wanted=_KINDS[wanted], present=kind)
    return Sentence.of("file_changed_or_foreign", wanted=_KINDS[wanted])


MOST_RENEWALS = 64
"""How often a holder can renew its key: once in half a year for thirty years."""

Holder = Annotated[str, StringConstraints(pattern=r"^([A-Z]{2}|matcher)$")]
Envelope = Annotated[str, StringConstraints(max_length=4_096)]


class KeyHandover(Message):
    """The word of a key that another one takes its place; the replaced key signs it."""

    payload_type: ClassVar[str] = "application/vnd.aquila.keyhandover+json"

    party: Holder
    former_key: KeyHex
    identity_key: KeyHex


class KeyRenewal(SelfSignedMessage):
    """A holder has a new key, which signs this."""

    payload_type: ClassVar[str] = "application/vnd.aquila.keyrenewal+json"

    party: Holder
    former_key: KeyHex
    identity_key: KeyHex
    handover: Envelope | None
    """The handover in the replaced key's envelope, or None where that key is lost or stolen."""

    @property
    def key(self) -> str:
        return self.identity_key


@dataclass(frozen=True, slots=True)
class Renewal:
    """A verified renewal."""

    party: str
    former: VerifyKey
    key: VerifyKey
    by_both: bool
    """Whether the replaced key signed, too; else it is revoked."""
    digest: str
    """Digest of what the new key signed."""
    envelope: bytes


def sign_renewal(party: str, new: SigningKey, former: SigningKey | VerifyKey) -> bytes:
    """Return the content of the file of a renewal.

    Args:
        party: Whose keys they are.
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
