"""Points that an audit neither proves nor refutes: they are printed, and a strict audit fails over them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aquila.errors import AuditError
from aquila.sentences import Sentence


@dataclass(frozen=True, slots=True)
class UnprovenClaim:
    """Something that a log claims and that nothing in it proves.

    Attributes:
        what: A word for machines.
        sentence: What it is, and where.
        shown_by: The party whose own log would show it, if any.
        digest: By which statement that log would show it.
    """

    what: str
    sentence: Sentence
    shown_by: str | None = None
    digest: str | None = None


def refuse_unproven(found: Iterable[UnprovenClaim]) -> None:
    """Fail over the first thing that is not proven.

    Raises:
        AuditError: There is one.
    """
    for one in found:
        raise AuditError("unproven_in_strict_audit", what=one.what, point=one.sentence)
