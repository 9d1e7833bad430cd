"""Context of dual control: the people, and for each kind of request the use case that applies it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeAlias, TypeVar

from sqlalchemy.orm import Session

from aquila.interface.approval import ApprovalKind
from services.kit.people.context import People

Content: TypeAlias = "Mapping[str, Any]"
"""What shall take effect, as JSON: `kind` and `round_id`, null where it is about no round, and what the kind needs."""


class OpenedRequest(Protocol):
    """A request whose transaction is open, with what its use case read when it was opened."""

    @property
    def session(self) -> Session:
        """The transaction."""


Opened = TypeVar("Opened", bound=OpenedRequest)


class UseCase(ABC, Generic[Opened]):
    """One kind of request: a class for each, which opens it, checks it and lets it take effect.

    Attributes:
        kind: The kind.
    """

    kind: ClassVar[ApprovalKind]

    @abstractmethod
    def open(self, name: str, content: Content) -> AbstractContextManager[Opened]:
        """Open the transaction of the given name for the block, with the locks that the content needs."""

    @abstractmethod
    def check(self, opened: Opened) -> None:
        """Refuse, by an error of the tree, what could not take effect now."""

    @abstractmethod
    def apply(self, opened: Opened) -> None:
        """Let the request take effect; raises as `check` does, and first."""


@dataclass(frozen=True, slots=True)
class Approvals:
    """Four eyes at a service.

    Attributes:
        people: Its people.
        use_cases: One for each kind of request at this service.
        wake: Tells the drivers that something took effect; to be called in the event loop.
    """

    people: People
    use_cases: tuple[UseCase[Any], ...]
    wake: Callable[[], None]

    def use_case(self, kind: ApprovalKind) -> UseCase[Any]:
        """Return the use case of a kind that this service has."""
        return next(one for one in self.use_cases if one.kind is kind)
