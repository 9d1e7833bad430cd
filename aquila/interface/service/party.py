"""The parties and the registry, as people see them: keys to be compared by telephone, changes, and last contacts."""

from typing import Annotated

from pydantic import Field

from aquila.interface.approval import PendingApproval
from aquila.interface.sentence import SentenceView
from aquila.protocol.messages.base import Count, Digest, GivenText, Message, PartyCode, Seconds
from aquila.protocol.messages.templates import RoundTemplate
from aquila.protocol.registration.self_signed import Address, Certificates, Holder
from aquila.protocol.registration.statements import Contact


class PartyView(Message):
    """One party that the matcher knows."""

    party: PartyCode
    name: str
    identity_fingerprint: Digest
    called_at: Seconds | None
    """Its last signed call, or None; what a crash loses of it is the last minute."""
    release: Annotated[str, Field(max_length=32)]
    """Which release it said then that it runs, or nothing."""


class Parties(Message):
    """All parties by code, and the matcher's own key and release."""

    matcher_fingerprint: Digest
    version: str
    parties: tuple[PartyView, ...]


class RegistryPartyView(Message):
    """A party in a registry."""

    party: PartyCode
    name: str
    identity_fingerprint: Digest
    former_fingerprints: tuple[Digest, ...] = ()
    """Those of keys that were replaced, the oldest first."""
    left: bool
    accepted: Count | None
    """The number of the statement that it accepted last, or None."""
    differs: bool
    """Whether it accepted another registry under the number of this one."""


class RegistryStatementView(Message):
    """A statement of the matcher on the registry."""

    number: Count
    digest: Digest
    made_at: Seconds
    words: tuple[str, ...]
    """Twelve words that stand for the digest, to be compared by telephone."""
    digits: tuple[str, ...]
    """The same in eight groups of five digits."""
    url: str
    parties: tuple[RegistryPartyView, ...]
    joined: tuple[PartyCode, ...]
    """Parties that the registry in force lacks."""
    left: tuple[PartyCode, ...]
    """Parties that it marks as having left, other than the registry in force."""
    replaced: tuple[Holder, ...]
    """Parties, or `matcher`, whose identity key it replaces, for which both keys signed."""
    revoked: tuple[Holder, ...]
    """Those whose identity key it replaces without that key's signature: it is lost or stolen."""
    moved: bool
    """Whether the matcher's address or the CA of its certificate changes."""
    templates: tuple[RoundTemplate, ...] = ()
    """The templates of rounds."""


class RegistryView(Message):
    """The registry of a service."""

    parties: tuple[RegistryPartyView, ...]
    """Those in force here."""
    in_force: RegistryStatementView | None
    """The statement that is in force, or None where the parties were registered by their cards."""
    waiting: RegistryStatementView | None
    """A newer statement that waits for the administrator, or None."""
    obstacle: SentenceView | None
    """Why no statement can be accepted, or None."""
    fetch_problem: SentenceView | None = None
    """Why a node could not fetch the matcher's statements just now, or None."""
    restart_needed: bool = False
    """Whether the node has to be started again, because the registry in force names its new key."""
    asked: PendingApproval | None = None
    """What an administrator asked for and another person has not decided yet: of a node to accept, of the matcher to
    state a change."""


class NewInvitation(Message):
    """A party that the secretariat invites: its code, its name, and the days for which the invitation counts."""

    party: PartyCode
    name: GivenText
    days: Annotated[int, Field(ge=1, le=90)] = 14


class NewMatcherAddress(Message):
    """The matcher's new address, and the CA of its certificate there in PEM, or None where the systems' CAs know it."""

    url: Address
    ca: Certificates | None = None


class NewContact(Message):
    """The mail address at which the secretariat reminds a party of steps for which rounds wait, or None."""

    contact: Contact | None


class FileContent(Message):
    """The content of a file: an invitation, a request to join, or statements on the registry."""

    content: Annotated[str, Field(max_length=4 << 20)]


class Admittance(FileContent):
    """A request to join, and the words or digits that its party read aloud."""

    spoken: Annotated[str, Field(max_length=300)]


class RenewedKey(FileContent):
    """The renewal of a party's key, the words or digits that it read aloud, and whether its old key is revoked."""

    spoken: Annotated[str, Field(max_length=300)]
    revoked: bool = False


class OwnRenewal(Message):
    """The matcher's own key is renewed; where the old one is lost or stolen it is revoked, and does not sign."""

    revoked: bool = False


class AcceptedRegistry(Message):
    """A statement that is accepted, and the words or digits that another party read aloud."""

    digest: Digest
    spoken: Annotated[str, Field(max_length=300)]
