"""Approvals in the own log: without them a service signs nothing that two persons must want (PROTOCOL.md 10.2.1)."""

from sqlalchemy.orm import Session

from aquila.errors import PolicyError
from aquila.protocol.messages import Consent, Manifest, Statement, Submission
from services.kit.log.entries import approvals_of, size


def check_statement(session: Session, message: Statement, manifest_digest: str) -> None:
    """Refuse to sign a consent, a list or a query that two persons did not approve; pass over all other statements.

    Raises:
        PolicyError: The log does not have a request for exactly this and its approval by another person.
        ForgedRowError: An entry of them was not appended by this service.
    """
    if isinstance(message, Consent | Submission):
        persons, end = approvals_of(session, message.round_id), size(session)
        fault = (
            persons.consent(message.round_id, message.manifest_digest, message.elements, end)
            if isinstance(message, Consent)
            else persons.submission(message, manifest_digest, end)
        )
        _refuse(fault, message.round_id)


def check_proposal(session: Session, manifest: Manifest, manifest_digest: str) -> None:
    """Refuse to store a proposal that two persons did not approve; raises as `check_statement` does."""
    persons = approvals_of(session, manifest.round_id)
    _refuse(persons.proposal(manifest.round_id, manifest_digest, size(session)), manifest.round_id)


def check_abort(session: Session, round_id: str, reason: str) -> None:
    """Refuse to sign an abort that two persons did not approve; raises as `check_statement` does."""
    _refuse(approvals_of(session, round_id).abort(round_id, reason, size(session)), round_id)


def check_registry(session: Session, statement: str) -> None:
    """Refuse to sign a statement on the registry, or to accept one, that two persons did not approve.

    Raises:
        PolicyError, ForgedRowError: As `check_statement`.
    """
    if approvals_of(session, None).registry(statement, size(session)):
        raise PolicyError("registry_approval_not_in_log")


def _refuse(fault: str, round_id: str) -> None:
    if fault:
        raise PolicyError("approval_not_in_log", round=round_id)
