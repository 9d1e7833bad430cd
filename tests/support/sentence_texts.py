"""Sentences of an interface's answers, in English."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def texts(sentences: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the English of sentences as an interface shows them."""
    return [sentence["text"] for sentence in sentences]
