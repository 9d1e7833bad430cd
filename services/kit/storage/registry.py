"""The registry of a service: the matcher's statements, the parties' acceptances, and views of both.

Node and matcher keep them in the same tables. A statement is never changed or deleted. Two of one number are both kept:
they are evidence against the matcher. Administrators see the views, and so does the person who approves what one of
them asked for.
"""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Integer, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from aquila.interface.approval import ApprovalKind
from aquila.interface.service.party import RegistryPartyView, RegistryStatementView
from aquila.protocol.messages.templates import RoundTemplate
from aquila.protocol.registration import statements
from aquila.protocol.registration.spoken_words import spoken
from aquila.protocol.registration.templates import place_of
from aquila.protocol.registry import MATCHER, Registry, write_registry
from services.kit.storage.files import write_secret
from services.kit.storage.store import Rows, new_metadata


class RegistryRows(Rows):
    """The base of the two tables."""

    __abstract__ = True
    metadata = new_metadata()


class RegistryStatementRow(RegistryRows):
    """A statement of the matcher on the registry."""

    __tablename__ = "registry_statement"
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, comment="Its number, from 1.")
    digest: Mapped[str] = mapped_column(String(64), primary_key=True, comment="SHA-256 of what was signed.")
    envelope: Mapped[str] = mapped_column(comment="The statement in the matcher's envelope.")
    accepted_at: Mapped[int | None] = mapped_column(
        comment="Seconds since 1970 when it came into force here; nothing while it has not."
    )


class RegistryAcceptanceRow(RegistryRows):
    """A party's acceptance of a statement: the newest of each party."""

    __tablename__ = "registry_acceptance"
    party: Mapped[str] = mapped_column(String(2), primary_key=True, comment="Who accepted.")
    number: Mapped[int] = mapped_column(Integer, comment="The number of the statement.")
    digest: Mapped[str] = mapped_column(String(64), comment="SHA-256 of the statement.")
    envelope: Mapped[str] = mapped_column(comment="The acceptance in the party's envelope.")


def statements_from(session: Session, registry: Registry, first: int = 1) -> list[statements.SignedStatement]:
    """Return the stored statements from a number on, in their order.

    Raises:
        ProtocolError: A stored one does not verify: somebody changed the database.
    """
    query = select(RegistryStatementRow.envelope).where(RegistryStatementRow.number >= first)
    query = query.order_by(RegistryStatementRow.number, RegistryStatementRow.digest)
    keys = registry.keys_of(MATCHER)
    return [statements.open_statement(envelope.encode(), *keys) for envelope in session.scalars(query)]


def store_statement(session: Session, statement: statements.SignedStatement) -> bool:
    """Store a statement, and return whether it is new."""
    key = (statement.message.number, statement.digest)
    if session.get(RegistryStatementRow, key) is not None:
        return False
    session.add(RegistryStatementRow(number=key[0], digest=key[1], envelope=statement.envelope.decode()))
    session.flush()
    return True


def in_force(session: Session, registry: Registry) -> statements.SignedStatement | None:
    """Return the statement that was accepted here last; raises as `statements_from` does."""
    query = select(RegistryStatementRow.envelope).where(RegistryStatementRow.accepted_at.is_not(None))
    envelope = session.scalar(query.order_by(RegistryStatementRow.number.desc()).limit(1))
    return None if envelope is None else statements.open_statement(envelope.encode(), *registry.keys_of(MATCHER))


def templates_in_force(session: Session, registry: Registry) -> tuple[RoundTemplate, ...]:
    """Return the templates of the statement that was accepted here last; raises as `statements_from` does."""
    statement = in_force(session, registry)
    return () if statement is None else statement.message.templates or ()


def contacts_in_force(session: Session, registry: Registry) -> dict[str, str]:
    """Return by party the contacts of the statement that was accepted here last; raises as `statements_from` does."""
    statement = in_force(session, registry)
    return {} if statement is None else statement.message.contacts()


def mark_accepted(session: Session, statement: statements.SignedStatement, now: int) -> None:
    """Keep that a stored statement came into force."""
    row = session.get_one(RegistryStatementRow, (statement.message.number, statement.digest))
    row.accepted_at = now


def acceptances(session: Session, registry: Registry) -> dict[str, statements.RegistryAcceptance]:
    """Return the newest acceptance of each party of a registry; raises as `open_acceptance` does."""
    query = select(RegistryAcceptanceRow.envelope).order_by(RegistryAcceptanceRow.party)
    found = [statements.open_acceptance(envelope.encode(), registry) for envelope in session.scalars(query)]
    return {one.party: one for one in found}


def acceptance_envelopes(session: Session) -> list[str]:
    """Return the envelopes of the newest acceptances."""
    return list(session.scalars(select(RegistryAcceptanceRow.envelope).order_by(RegistryAcceptanceRow.party)))


def acceptance_of(session: Session, party: str) -> str | None:
    """Return the envelope of a party's newest acceptance, or None."""
    return session.scalar(select(RegistryAcceptanceRow.envelope).where(RegistryAcceptanceRow.party == party))


def newest_number(session: Session) -> int | None:
    """Return the highest number of a stored statement, or None if there is none."""
    return session.scalar(select(func.max(RegistryStatementRow.number)))


def store_acceptance(session: Session, acceptance: statements.RegistryAcceptance, envelope: bytes) -> bool:
    """Store a party's acceptance in place of an older one, and return whether it is new."""
    known = session.get(RegistryAcceptanceRow, acceptance.party)
    if known is not None and known.number >= acceptance.number:
        return False
    row = RegistryAcceptanceRow(
        party=acceptance.party, number=acceptance.number, digest=acceptance.statement, envelope=envelope.decode()
    )
    session.merge(row)
    return True


def write_registry_file(path: Path, registry: Registry) -> None:
    """Write the registry file, whole or not at all; raises StoreError if the disk is full or failed."""
    write_secret(path, write_registry(registry))


def statement_view(
    statement: statements.SignedStatement,
    before: Registry,
    accepted: Mapping[str, statements.RegistryAcceptance],
    address: tuple[str, str | None],
) -> RegistryStatementView:
    """Return a statement as it is shown, compared with the registry before it and the matcher's address and CA."""
    message, read_aloud = statement.message, spoken(statement.digest)
    registry = message.registry()
    joined, left = statements.differences(before, registry)
    changes = statements.key_changes(before, message)
    return RegistryStatementView.of_fields(
        message,
        digest=statement.digest,
        words=read_aloud.words,
        digits=read_aloud.digits,
        parties=party_views(registry, accepted, statement),
        joined=joined,
        left=left,
        replaced=tuple(change.party for change in changes if change.by_both),
        revoked=tuple(change.party for change in changes if not change.by_both),
        moved=(message.url, message.ca) != address,
        templates=message.templates or (),
    )


def content_of(
    message: statements.RegistryStatement,
    before: Registry,
    templates: Collection[RoundTemplate],
    address: tuple[str, str | None] | None,
    heard: str,
) -> dict[str, Any]:
    """Return the content of a request for a statement on the registry, as JSON (PROTOCOL.md 10.2.1).

    Args:
        heard: The words that the first person typed; empty where none belong to the change.
    """
    registry = message.registry()
    joined, left = statements.differences(before, registry)
    keys = [
        {
            "party": one.party,
            "former": before.key_of(one.party).fingerprint,
            "fingerprint": registry.key_of(one.party).fingerprint,
            "by_both": one.by_both,
        }
        for one in statements.key_changes(before, message)
        if one.party not in joined
    ]
    changes = {
        "joins": [{"party": one, **_described(registry, one)} for one in joined],
        "leaves": [{"party": one, **_described(registry, one)} for one in left],
        "new_keys": keys,
        "new_templates": _named(set(message.templates or ()).difference(templates)),
        "gone_templates": _named(set(templates).difference(message.templates or ())),
        "moves": address is not None and (message.url, message.ca) != address,
        "heard": heard,
    }
    kind = ApprovalKind.REGISTRY.value
    return {"kind": kind, "round_id": None, "statement": message.model_dump(mode="json"), "changes": changes}


def _named(templates: Iterable[RoundTemplate]) -> list[dict[str, Any]]:
    return [one.model_dump(include={"template_id", "version", "title"}) for one in sorted(templates, key=place_of)]


def _described(registry: Registry, code: str) -> dict[str, str]:
    return {"name": registry.parties[code].name, "fingerprint": registry.parties[code].key.fingerprint}


def party_views(
    registry: Registry,
    accepted: Mapping[str, statements.RegistryAcceptance],
    statement: statements.SignedStatement | None,
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


def _contradicts(acceptance: statements.RegistryAcceptance, statement: statements.SignedStatement) -> bool:
    """Return whether a party accepted another registry under the number of a statement."""
    return acceptance.number == statement.message.number and acceptance.statement != statement.digest
