"""Context of dual control: the people, and for each kind of request the use case that applies it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from sqlalchemy.orm import Session

    from aquila.interface.approval import ApprovalKind
    from services.kit.people.context import People

Content: TypeAlias = "Mapping[str, Any]"
"""What shall take effect, as JSON: `kind` and `round_id`, and what the kind needs."""


@dataclass(frozen=True, slots=True)
class ApprovedAction:
    """A use case with its transaction open.

    Attributes:
        session: The transaction.
        check: Refuses, by an error of the tree, what could not take effect now.
        apply: Lets it take effect; checks first.
    """

    session: Session
    check: Callable[[], None]
    apply: Callable[[], None]


UseCase: TypeAlias = "Callable[[str, Content], AbstractContextManager[ApprovedAction]]"
"""Opens the transaction of the given name, with the locks that the content needs, for the block."""


@dataclass(frozen=True, slots=True)
class Approvals:
    """Four eyes at a service.

    Attributes:
        people: Its people.
        use_cases: What takes effect, by kind.
        wake: Tells the drivers that something took effect; to be called in the event loop.
    """

    people: People
    use_cases: Mapping[ApprovalKind, UseCase]
    wake: Callable[[], None]
