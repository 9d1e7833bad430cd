"""Views of the registry: what is in force, what would change, and who has accepted what.

Administrators see them, and the person who approves what one of them asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aquila.interface.approval import ApprovalKind
from aquila.interface.service.party import RegistryPartyView, RegistryStatementView
from aquila.protocol.registration.spoken_words import spoken
from aquila.protocol.registration.statements import (
    RegistryAcceptance,
    RegistryStatement,
    SignedStatement,
    differences,
    key_changes,
)
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


def content_of(
    message: RegistryStatement, before: Registry, address: tuple[str, str | None] | None, heard: str
) -> dict[str, Any]:
    """Return the content of a request for a statement on the registry, as JSON (PROTOCOL.md 10.2.1).

    Args:
        message: The whole statement.
        before: The registry with which it is compared.
        address: The matcher's address and CA until now; none before the first statement.
        heard: The words that the first person typed; empty where none belong to the change.
    """
    registry = message.registry()
    joined, left = differences(before, registry)
    keys = [
        {
            "party": one.party,
            "former": before.key_of(one.party).fingerprint,
            "fingerprint": registry.key_of(one.party).fingerprint,
            "by_both": one.by_both,
        }
        for one in key_changes(before, message)
        if one.party not in joined
    ]
    changes = {
        "joins": [{"party": one, **_described(registry, one)} for one in joined],
        "leaves": [{"party": one, **_described(registry, one)} for one in left],
        "new_keys": keys,
        "moves": address is not None and (message.url, message.ca) != address,
        "heard": heard,
    }
    kind = ApprovalKind.REGISTRY.value
    return {"kind": kind, "round_id": None, "statement": message.model_dump(mode="json"), "changes": changes}


def _described(registry: Registry, code: str) -> dict[str, str]:
    return {"name": registry.parties[code].name, "fingerprint": registry.parties[code].key.fingerprint}


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
