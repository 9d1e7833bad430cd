"""Views of the registry for an administrator: what is in force, what would change, and who has accepted what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila.interface.service.party import RegistryPartyView, RegistryStatementView
from aquila.protocol.registration.spoken_words import spoken
from aquila.protocol.registration.statements import differences, key_changes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aquila.protocol.registration.statements import RegistryAcceptance, SignedStatement
    from aquila.protocol.registry import Registry


def statement_view(
    statement: SignedStatement,
    before: Registry,
    accepted: Mapping[str, RegistryAcceptance],
    address: tuple[str, str | None],
) -> RegistryStatementView:
    """Return a statement as it is shown.

    Args:
        statement: The statement.
        before: The registry with which it is compared.
        accepted: The newest acceptance of each party.
        address: The matcher's address and CA with which the statement's are compared.
    """
    message, read_aloud = statement.message, spoken(statement.digest)
    registry = message.registry()
    joined, left = differences(before, registry)
    changes = key_changes(before, message)
    return RegistryStatementView(
        number=message.number,
        digest=statement.digest,
        made_at=message.made_at,
        words=read_aloud.words,
        digits=read_aloud.digits,
        url=message.url,
        parties=party_views(registry, accepted, statement),
        joined=joined,
        left=left,
        replaced=tuple(change.party for change in changes if change.by_both),
        revoked=tuple(change.party for change in changes if not change.by_both),
        moved=(message.url, message.ca) != address,
    )


def party_views(
    registry: Registry, accepted: Mapping[str, RegistryAcceptance], statement: SignedStatement | None
) -> tuple[RegistryPartyView, ...]:
    """Return the parties of a registry with what each accepted last, compared with a statement if there is one."""
    return tuple(
        RegistryPartyView(
            party=code,
            name=party.name,
            identity_fingerprint=party.key.fingerprint,
            former_fingerprints=tuple(key.fingerprint for key in registry.former.get(code, ())),
            left=party.left,
            accepted=accepted[code].number if code in accepted else None,
            differs=statement is not None and code in accepted and _contradicts(accepted[code], statement),
        )
        for code, party in sorted(registry.parties.items())
    )


def _contradicts(acceptance: RegistryAcceptance, statement: SignedStatement) -> bool:
    """Return whether a party accepted another registry under the number of a statement."""
    return acceptance.number == statement.message.number and acceptance.statement != statement.digest
