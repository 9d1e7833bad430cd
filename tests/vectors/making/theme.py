"""A file of vectors: what is given, what follows, and what is refused, each with its paragraph of PROTOCOL.md."""

import json
import re
from collections.abc import Mapping
from functools import cache
from hashlib import shake_256
from typing import Any

from aquila.crypto.backend import load_group
from aquila.crypto.group import Group

DIFFERS = "differs"
"""The class of a vector whose result is not what follows from what is given."""


class Theme:
    """A file of vectors, named after its module.

    Args:
        name: The file's.
        about: What it is about.
        source: Where its values are from.
        operations: What an operation makes of what is given, each behind its name and a colon, more lines indented.
    """

    def __init__(self, name: str, about: str, source: str, operations: str) -> None:
        self.name, self.about, self.source = name, " ".join(about.split()), " ".join(source.split())
        each = (one.partition(": ") for one in re.split(r"\n(?! )", operations.strip()))
        self.operations = {operation: " ".join(meaning.split()) for operation, _, meaning in each}
        self.vectors: list[dict[str, Any]] = []
        self.shared: dict[str, Any] = {}
        """What several vectors are about; it stands in the file once."""

    def valid(
        self, name: str, operation: str, paragraph: str, given: Mapping[str, Any], gives: Any = None, comment: str = ""
    ) -> None:
        """Add a vector: what is given gives this, or is taken where nothing is said."""
        self._add(name, operation, paragraph, "valid", comment, {"given": given, "gives": gives})

    def acceptable(self, name: str, operation: str, paragraph: str, given: Any, gives: Any, comment: str) -> None:
        """Add a vector whose result may be another one, for the reason in the comment."""
        self._add(name, operation, paragraph, "acceptable", comment, {"given": given, "gives": gives})

    def invalid(
        self, name: str, operation: str, paragraph: str, given: Mapping[str, Any], kind: str, comment: str = "",
        gives: Any = None,
    ) -> None:  # fmt: skip
        """Add a vector that is refused with a class of problems, or, `DIFFERS`, does not give this."""
        assert (gives is not None) == (kind == DIFFERS), name
        self._add(name, operation, paragraph, "invalid", comment, {"class": kind, "given": given, "gives": gives})

    def _add(
        self, name: str, operation: str, paragraph: str, result: str, comment: str, content: dict[str, Any]
    ) -> None:
        assert operation in self.operations, operation
        assert all(one["name"] != name for one in self.vectors), name
        vector = {"name": name, "operation": operation, "paragraph": paragraph, "result": result, "comment": comment}
        self.vectors.append({key: shown(one) for key, one in (vector | content).items() if one not in (None, "")})

    def document(self) -> dict[str, Any]:
        """Return the file's content."""
        head = {"protocol": "aquila/2", "about": self.about, "source": self.source, "operations": self.operations}
        return head | ({"shared": shown(self.shared)} if self.shared else {}) | {"vectors": self.vectors}

    def text(self) -> str:
        """Return the file."""
        return json.dumps(self.document(), indent=1, ensure_ascii=False) + "\n"


def shown(value: Any) -> Any:
    """Return a value as JSON has it: bytes in hexadecimal."""
    match value:
        case bytes() | bytearray():
            return value.hex()
        case Mapping():
            return {key: shown(one) for key, one in value.items()}
        case list() | tuple():
            return [shown(one) for one in value]
        case _:
            return value


def octets(label: str, size: int = 32) -> bytes:
    """Return what stands for random bytes: the same for the same label."""
    return shake_256(f"aquila/2 vectors: {label}".encode()).digest(size)


@cache
def group() -> Group:
    """The group, whose answers are those of RFC 9496's vectors."""
    return load_group(1)
