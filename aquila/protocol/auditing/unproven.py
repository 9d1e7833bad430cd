"""What an audit cannot prove and does not refute: it is printed, and an audit that is strict fails over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aquila.errors import AuditError

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Unproven:
    """Something that a log claims and that nothing in it proves.

    Attributes:
        what: A word for machines.
        sentence: What it is, and where.
    """

    what: str
    sentence: str


def refuse_unproven(found: Iterable[Unproven]) -> None:
    """Fail over the first thing that is not proven.

    Raises:
        AuditError: There is one.
    """
    for one in found:
        raise AuditError(one.sentence, hint="without --strict this is printed and passes", what=one.what)
