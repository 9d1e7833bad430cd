"""Invitations of the secretariat, and the requests to join with which parties answer them (PROTOCOL.md 11.3, 11.4).

Each is one file: an envelope under the key that it holds itself. So it shows that it is whole and that its maker has
the key, and nothing of who made it. That is compared by telephone: the words of a request stand for the party's key and
for the invitation as the party received it, with the matcher's key, address and CA.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated, ClassVar, Generic, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, StringConstraints

from aquila.crypto.envelope import open_envelope, payload_of, sign_envelope
from aquila.crypto.keys import SigningKey, VerifyKey
from aquila.errors import AquilaError, InputError, PolicyError
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
    """The secretariat invites a party.

    Attributes:
        invitation_id: Random.
        party: Whom.
        name: As the others will know it.
        matcher_key: The matcher's identity key, which signs the invitation.
        url: Where the matcher is.
        ca: The CA of its certificate, or None where the system's CAs know it.
        expires_at: Until when a request counts, in seconds since 1970.
    """

    payload_type: ClassVar[str] = "application/vnd.aquila.invitation+json"

    invitation_id: Identifier
    party: PartyCode
    name: GivenText
    matcher_key: KeyHex
    url: Address
    ca: Certificates | None
    expires_at: Seconds

    @property
    def key(self) -> str:
        """The key that signs it."""
        return self.matcher_key


class JoinRequest(SelfSignedMessage):
    """A party asks to be registered.

    Attributes:
        party: Which one.
        name: As in the invitation.
        identity_key: Its identity key, which signs the request.
        invitation: The envelope of the invitation as the party received it.
    """

    payload_type: ClassVar[str] = "application/vnd.aquila.joinrequest+json"

    party: PartyCode
    name: GivenText
    identity_key: KeyHex
    invitation: Annotated[str, StringConstraints(max_length=LARGEST_FILE)]

    @property
    def key(self) -> str:
        """The key that signs it."""
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
    """Refuse an invitation whose time is over.

    Raises:
        PolicyError: It is.
    """
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
