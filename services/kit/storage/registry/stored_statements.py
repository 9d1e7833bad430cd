"""The matcher's statements on the registry and the parties' acceptances, kept at node and matcher in the same tables.

A statement is never changed or deleted. Two of one number are both kept: they are evidence against the matcher.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import BigInteger, Integer, MetaData, String, Text, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from aquila.protocol.registration.statements import RegistryAcceptance, SignedStatement, open_acceptance, open_statement
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
    envelope: Mapped[str] = mapped_column(Text, comment="The statement in the matcher's envelope.")
    stored_at: Mapped[int] = mapped_column(BigInteger, comment="Seconds since 1970 when it was signed here, or came.")
    accepted_at: Mapped[int | None] = mapped_column(
        BigInteger, comment="Seconds since 1970 when it came into force here; nothing while it has not."
    )


class RegistryAcceptanceRow(RegistryRows):
    """A party's acceptance of a statement: the newest of each party."""

    __tablename__ = "registry_acceptance"
    party: Mapped[str] = mapped_column(String(2), primary_key=True, comment="Who accepted.")
    number: Mapped[int] = mapped_column(Integer, comment="The number of the statement.")
    digest: Mapped[str] = mapped_column(String(64), comment="SHA-256 of the statement.")
    envelope: Mapped[str] = mapped_column(Text, comment="The acceptance in the party's envelope.")


def declare(metadata: MetaData) -> None:
    """Declare the tables in a service's metadata."""
    for table in RegistryRows.metadata.sorted_tables:
        table.to_metadata(metadata)


def statements_from(session: Session, registry: Registry, first: int = 1) -> list[SignedStatement]:
    """Return the stored statements from a number on, in their order.

    Raises:
        ProtocolError: A stored one does not verify: somebody changed the database.
    """
    query = select(RegistryStatementRow.envelope).where(RegistryStatementRow.number >= first)
    query = query.order_by(RegistryStatementRow.number, RegistryStatementRow.digest)
    keys = registry.keys_of(MATCHER)
    return [open_statement(envelope.encode(), *keys) for envelope in session.scalars(query)]


def store_statement(session: Session, statement: SignedStatement, now: int) -> bool:
    """Store a statement, and return whether it is new."""
    key = (statement.message.number, statement.digest)
    if session.get(RegistryStatementRow, key) is not None:
        return False
    row = RegistryStatementRow(number=key[0], digest=key[1], envelope=statement.envelope.decode(), stored_at=now)
    session.add(row)
    session.flush()
    return True


def in_force(session: Session, registry: Registry) -> SignedStatement | None:
    """Return the statement that was accepted here last; raises as `statements_from` does."""
    query = select(RegistryStatementRow.envelope).where(RegistryStatementRow.accepted_at.is_not(None))
    envelope = session.scalar(query.order_by(RegistryStatementRow.number.desc()).limit(1))
    return None if envelope is None else open_statement(envelope.encode(), *registry.keys_of(MATCHER))


def mark_accepted(session: Session, statement: SignedStatement, now: int) -> None:
    """Keep that a stored statement came into force."""
    row = session.get_one(RegistryStatementRow, (statement.message.number, statement.digest))
    row.accepted_at = now


def acceptances(session: Session, registry: Registry) -> dict[str, RegistryAcceptance]:
    """Return the newest acceptance of each party of a registry; raises as `open_acceptance` does."""
    query = select(RegistryAcceptanceRow.envelope).order_by(RegistryAcceptanceRow.party)
    found = [open_acceptance(envelope.encode(), registry) for envelope in session.scalars(query)]
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


def store_acceptance(session: Session, acceptance: RegistryAcceptance, envelope: bytes) -> bool:
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
    """Write the registry file, whole or not at all.

    Raises:
        StoreError: The disk is full or failed.
    """
    write_secret(path, write_registry(registry))
