"""Signed statements on the registry, their order, and the parties' acceptances (PROTOCOL.md 11.5 to 11.7).

Each statement of the matcher states the whole registry and names the one before. A node takes a newer one into force
when its administrator accepts it, after its words were compared with the other parties; nothing changes before. A
party's acceptance is signed, so that the others see who has the same registry.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, ClassVar, Self

from pydantic import Field, StringConstraints, model_validator

from aquila.crypto.envelope import open_envelope, payload_of, sign_envelope
from aquila.crypto.keys import SigningKey, VerifyKey
from aquila.errors import EquivocationError, MalformedError, OrderError, PolicyError, SignatureError
from aquila.protocol.messages.base import MAX_PARTIES, Digest, Message, PartyCode, Seconds, Text, ascending, optional
from aquila.protocol.messages.templates import MOST_TEMPLATES, RoundTemplate
from aquila.protocol.registration import self_signed
from aquila.protocol.registration.templates import place_of
from aquila.protocol.registry import MATCHER, RegisteredParty, Registry, has_distinct_keys

MOST_STATEMENTS = 200
"""How many statements one answer of the matcher has at most."""

Number = Annotated[int, Field(ge=1, le=2**31)]
Renewals = Annotated[tuple[self_signed.Envelope, ...], Field(min_length=1, max_length=self_signed.MOST_RENEWALS)]


Contact = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^\s@\x00-\x20\x7f]+@[^\s@\x00-\x20\x7f]+$")]


class RegistryEntry(Message):
    """A party in a statement; the fields are those of `RegisteredParty`.

    `renewals` holds the envelopes of its key's renewals, the oldest first; they lead to its key. A party that never
    renewed its key has none, and the field is not encoded.
    """

    party: PartyCode
    name: Text
    identity_key: self_signed.KeyHex
    left: bool
    renewals: Renewals | None = optional()
    contact: Contact | None = optional()
    """The mail address at which the secretariat reminds it, if it has one."""


class RegistryStatement(Message):
    """The whole registry, as the matcher states it."""

    payload_type: ClassVar[str] = "application/vnd.aquila.registry+json"

    number: Number
    previous: Digest | None
    """Digest of the statement before; None of the first."""
    made_at: Seconds
    matcher_key: self_signed.KeyHex
    url: self_signed.Address
    ca: self_signed.Certificates | None
    parties: Annotated[tuple[RegistryEntry, ...], Field(max_length=MAX_PARTIES)]
    """By code, ascending; a party that has left stays, with its key."""
    matcher_renewals: Renewals | None = optional()
    """Renewals of the matcher's key, as those of a party."""
    templates: Annotated[tuple[RoundTemplate, ...], Field(min_length=1, max_length=MOST_TEMPLATES)] | None = optional()
    """Templates of rounds by id and version, ascending (PROTOCOL.md 11.10)."""

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        ascending([entry.party for entry in self.parties], "parties")
        places = [place_of(one) for one in self.templates or ()]
        if any(after <= before for before, after in pairwise(places)):
            raise ValueError("templates must be distinct and in ascending order")
        keys = {entry.identity_key for entry in self.parties} | {self.matcher_key}
        if len(keys) != len(self.parties) + 1:
            raise ValueError("a key occurs twice")
        if (self.number == 1) != (self.previous is None):
            raise ValueError("only the first statement has no previous one")
        return self

    def registry(self) -> Registry:
        """Return the registry that it states.

        Raises:
            MalformedError: A key is not valid, or occurs twice.
            SignatureError: A renewal is not signed as it must be.
        """
        parties = {
            entry.party: RegisteredParty(entry.party, entry.name, VerifyKey.from_hex(entry.identity_key), entry.left)
            for entry in self.parties
        }
        former = {holder: tuple(one.former for one in found) for holder, found in self.renewals().items()}
        registry = Registry(VerifyKey.from_hex(self.matcher_key), parties, former)
        if not has_distinct_keys(registry):
            raise MalformedError("registry_file_names_twice")
        return registry

    def contacts(self) -> dict[str, str]:
        """Return by party the mail addresses at which the secretariat reminds those that have not left."""
        return {one.party: one.contact for one in self.parties if one.contact is not None and not one.left}

    def renewals(self) -> dict[str, tuple[self_signed.Renewal, ...]]:
        """Return the verified renewals of those that renewed their keys; raises as `registry` does."""
        own = (MATCHER, self.matcher_key, self.matcher_renewals)
        holders = (own, *((entry.party, entry.identity_key, entry.renewals) for entry in self.parties))
        return {
            holder: self_signed.open_renewals(holder, VerifyKey.from_hex(key), renewals)
            for holder, key, renewals in holders
            if renewals is not None
        }


class RegistryAcceptance(Message):
    """A party has taken a statement into force."""

    payload_type: ClassVar[str] = "application/vnd.aquila.registryacceptance+json"

    party: PartyCode
    number: Number
    statement: Digest
    accepted_at: Seconds


class RegistryFeed(Message):
    """The matcher's answer to a party: envelopes of statements in their order, and of the newest acceptances."""

    statements: tuple[str, ...]
    acceptances: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SignedStatement:
    """A verified statement with its digest and its envelope."""

    message: RegistryStatement
    digest: str
    envelope: bytes


def next_statement(
    registry: Registry,
    previous: SignedStatement | None,
    now: int,
    url: str,
    ca: str | None,
    renewal: self_signed.Renewal | None = None,
) -> RegistryStatement:
    """Return the statement that follows another one and states this registry, with its templates and contacts.

    Args:
        previous: The statement before, if there is one.
        renewal: The renewal of a key of which the previous statement does not know yet.

    Raises:
        PolicyError: The registry is no continuation of what was stated.
    """
    if previous is not None:
        previous.message.registry().check_successor(registry)
    renewals = {}
    if previous is not None:
        renewals = {one.party: one.renewals or () for one in previous.message.parties}
        renewals[MATCHER] = previous.message.matcher_renewals or ()
    if renewal is not None:
        renewals[renewal.party] = (*renewals.get(renewal.party, ()), renewal.envelope.decode())
    contacts = {} if previous is None else previous.message.contacts()
    entries = [
        RegistryEntry(
            party=code,
            name=party.name,
            identity_key=party.key.hex,
            left=party.left,
            renewals=renewals.get(code) or None,
            contact=contacts.get(code),
        )
        for code, party in sorted(registry.parties.items())
    ]
    return RegistryStatement(
        number=1 if previous is None else previous.message.number + 1,
        previous=None if previous is None else previous.digest,
        made_at=now,
        matcher_key=registry.matcher.hex,
        url=url,
        ca=ca,
        parties=tuple(entries),
        matcher_renewals=renewals.get(MATCHER) or None,
        templates=None if previous is None else previous.message.templates,
    )


def sign_statement(message: RegistryStatement | RegistryAcceptance, key: SigningKey) -> bytes:
    """Return the envelope of a statement or of an acceptance."""
    return sign_envelope(message.payload_type, message.payload(), key)


def open_statement(envelope: bytes, *matcher: VerifyKey) -> SignedStatement:
    """Read a statement that the pinned matcher signed, or a key to which renewals lead from the pinned one.

    Raises:
        MalformedError: It is not a statement, or its matcher's key is not the one that signed it.
        SignatureError: Another key signed it, or a key of a party that it names was renewed without the signatures
            that this needs.
    """
    kind = RegistryStatement.payload_type
    # 1. The message names its matcher's key, under which it is opened; nothing of it counts yet.
    named = VerifyKey.from_hex(RegistryStatement.from_payload(payload_of(envelope, kind)).matcher_key)
    opened = open_envelope(envelope, {kind}, {key.fingerprint: key for key in (*matcher, named)})
    message = RegistryStatement.from_payload(opened.payload)
    if opened.signer != named:
        raise MalformedError("registry_statement_of_another_matcher")
    # 2. That key is known here, or follows from one that is.
    if not {*message.registry().keys_of(MATCHER)} & {*matcher}:
        raise SignatureError("envelope_key_unknown", key=named.fingerprint)
    return SignedStatement(message, opened.digest, envelope)


def check_order(statements: Sequence[SignedStatement]) -> None:
    """Check that statements follow one another.

    Raises:
        EquivocationError: Two different ones bear one number, or one names another before it than the one shown.
        OrderError: One is missing.
        PolicyError: One is no continuation of the one before, or gives a version of its templates other content.
    """
    for before, after in pairwise(statements):
        numbers = before.message.number, after.message.number
        if numbers[0] == numbers[1] or (numbers[0] + 1 == numbers[1] and after.message.previous != before.digest):
            raise EquivocationError(
                "registry_stated_twice", number=numbers[0], expected=before.digest, got=after.message.previous or ""
            )
        if numbers[0] + 1 != numbers[1]:
            raise OrderError("registry_statement_missing", number=numbers[0] + 1)
        before.message.registry().check_successor(after.message.registry())
        check_restated(before.message, after.message)


def check_restated(before: RegistryStatement, after: RegistryStatement) -> None:
    """Raise PolicyError if a statement has a template of the one before in the same version with other content."""
    known = {place_of(one): one for one in before.templates or ()}
    for one in after.templates or ():
        if known.get(place_of(one), one) != one:
            raise PolicyError("template_restated", template=one.template_id, version=one.version)


def check_acceptable(statement: SignedStatement, in_force: Registry, code: str, *own: VerifyKey) -> Registry:
    """Return the registry of a statement that a party may accept.

    1. It continues the registry that is in force at this party, whether that was stated or registered by hand.
    2. It names this party with its own key, or with the new one that the party has made for itself.

    Raises:
        PolicyError: 1 or 2 does not hold.
    """
    newer = statement.message.registry()
    # 1.
    in_force.check_successor(newer)
    # 2.
    if code not in newer.parties or newer.parties[code].key not in own:
        raise PolicyError("registry_without_own_key", party=code)
    return newer


def open_acceptance(envelope: bytes, registry: Registry, newest: int | None = None) -> RegistryAcceptance:
    """Read an acceptance that one of a registry's parties signed.

    Args:
        newest: The number of the statement that states this registry, which nobody accepts with a replaced key.

    Raises:
        MalformedError: It is not an acceptance, or names another party than its signer.
        SignatureError: The registry does not know its signer, or the key was replaced before.
    """
    kind = RegistryAcceptance.payload_type
    holders = registry.by_fingerprint()
    opened = open_envelope(envelope, {kind}, {print_: key for print_, (_, key) in holders.items()})
    message = RegistryAcceptance.from_payload(opened.payload)
    if holders[opened.signer.fingerprint][0] != message.party:
        raise MalformedError("registry_acceptance_of_another_party", party=message.party)
    if newest is not None and message.number >= newest and registry.key_of(message.party) != opened.signer:
        raise SignatureError("statement_by_replaced_key", party=message.party)
    return message


def differences(before: Registry, after: Registry) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the codes of the parties that a newer registry adds, and of those that it marks as having left."""
    joined = tuple(sorted(set(after.parties) - set(before.parties)))
    return joined, tuple(sorted(_left(after.parties.values()) - _left(before.parties.values())))


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A newer registry names another key of a party."""

    party: str
    """Whose."""
    by_both: bool
    """Whether the replaced key signed for each step to the new one; else it is revoked."""


def key_changes(before: Registry, statement: RegistryStatement) -> tuple[KeyChange, ...]:
    """Return the keys that a statement replaces, by party; raises as `RegistryStatement.registry` does."""
    found = []
    for code, renewals in sorted(statement.renewals().items()):
        pinned = before.key_of(code) if code in {MATCHER, *before.parties} else None
        new = renewals[next((at for at, one in enumerate(renewals) if one.former == pinned), len(renewals)) :]
        if new:
            found.append(KeyChange(code, all(one.by_both for one in new)))
    return tuple(found)


def _left(parties: Iterable[RegisteredParty]) -> set[str]:
    return {party.code for party in parties if party.left}
