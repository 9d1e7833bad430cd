"""Sentences of an interface's answers, in English."""

from collections.abc import Iterable, Mapping
from typing import Any


def texts(sentences: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the English of sentences as an interface shows them."""
    return [sentence["text"] for sentence in sentences]
